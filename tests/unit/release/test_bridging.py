"""Of which images the static files stay reachable, and that nothing rolls where they are the same."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache

import msgspec
import pytest

from nuages.app.build import Build
from nuages.app.components import App, resolve
from nuages.app.objects import Object
from nuages.checks.objects import check
from nuages.release import bridging
from nuages.release.back import rollback
from nuages.release.record import Outcome, Record, Stored
from nuages.render.frontends import earlier
from nuages.render.manifest import render
from nuages.render.release import Release
from nuages.render.static import bridged, without
from nuages.spec.load import parse

pytestmark = pytest.mark.unit

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
SPEC = "name: blog\nimage: registry.example.com/acme/blog\nstatic: {keep: 2}\n"


@cache
def app(more: str = "web: {main: {replicas: 3}}\nexpose: {kind: loadBalancer}\n") -> App:
    return resolve(parse(f"{SPEC}{more}environments: {{local: {{}}}}\n".encode(), "nuages.yaml"), "local")


def build(code: str, files: str = "", **changes: object) -> Build:
    """The image `code`, with static files `files`; each image has files of its own where none are named."""
    made = Build(
        reference=f"registry.example.com/acme/blog@sha256:{code * 64}",
        wsgi="blog.wsgi:application",
        settings="blog.settings",
        static_root="/app/static",
        static_url="/static/",
        static_tree=(files or code) * 16,
        static_hashed=True,
    )
    return msgspec.structs.replace(made, **changes)


def released(
    history: list[Stored], image: Build, *, outcome: Outcome = Outcome.LIVE, reached: str = "web", lost: str = ""
) -> list[Stored]:
    """The history with one release more in front."""
    kept = bridging.statics(app(), image, history)
    number = len(history) + 1
    record = Record(
        number=number, template=number, app="blog", environment="local", namespace="blog-local", by="me", build=image,
        statics=kept, started=NOON, left_out=tuple(each.image for each in kept if lost and lost in each.image),
    )  # fmt: skip
    record = record.begun(reached, NOON, []).closed(outcome, NOON)
    manifest = render(app(), Release(number=number, template=number, build=image, statics=kept))
    return [Stored(record=record, manifest=manifest), *history]


def letters(kept: object) -> str:
    """The images, each by its letter."""
    return "".join(each.image[-1] for each in kept)  # type: ignore[attr-defined]


def history(*images: str) -> list[Stored]:
    found: list[Stored] = []
    for image in images:
        found = released(found, build(*image))
    return found


@pytest.mark.parametrize(
    ("before", "image", "kept"),
    [
        ((), "a", "a"),
        (("a",), "b", "ba"),
        (("a", "b", "c"), "d", "dcb"),
        (("a", "b"), "b", "ba"),
        (("a", "b", "b", "b", "b"), "b", "ba"),
        # The second letter is that of its static files: c has those of b.
        (("a", "b"), "cb", "ba"),
        (("a", "b", "cb"), "d", "dca"),
        (("a", "b"), "a", "ba"),
    ],
)
def test_files_of_so_many_earlier_images_are_kept_and_nothing_changes_where_they_are_the_same(
    before: tuple[str, ...], image: str, kept: str
) -> None:
    assert letters(bridging.statics(app(), build(*image), history(*before))) == kept


def test_a_release_that_failed_counts_where_its_pods_may_have_answered() -> None:
    early = released(history("a"), build("b"), outcome=Outcome.FAILED, reached="expand")
    late = released(history("a"), build("b"), outcome=Outcome.FAILED, reached="web")
    assert letters(bridging.statics(app(), build("c"), early)) == "ca"
    assert letters(bridging.statics(app(), build("c"), late)) == "cba"


def test_an_image_that_could_not_be_had_is_not_asked_for_again() -> None:
    before = released(history("a"), build("b"), lost="a" * 64)
    assert letters(bridging.statics(app(), build("c"), before)) == "cb"


def test_what_is_known_of_earlier_images_outlives_their_records() -> None:
    assert letters(bridging.statics(app(), build("c"), history("a", "b")[:1])) == "cba"


def test_going_back_to_an_image_whose_files_are_there_changes_nothing() -> None:
    before = history("a", "b", "c")
    objects, kept = bridging.back(before[1], before, 9)
    assert (letters(kept), objects) == ("cba", before[0].manifest.static)


def test_going_back_further_takes_the_place_of_the_oldest() -> None:
    before = history("a", "b", "c", "d")
    objects, kept = bridging.back(before[-1], before, 9)
    assert letters(kept) == "dca"
    pod = next(item for item in objects if item["kind"] == "Deployment")["spec"]["template"]["spec"]
    assert [each["image"][-1] for each in pod["initContainers"]] == ["d", "c", "a"]


def test_going_back_to_the_first_release_keeps_the_files_of_one_that_failed_after_it() -> None:
    before = released(history("a"), build("b"), outcome=Outcome.FAILED)
    objects, kept = bridging.back(before[1], before, 9)
    assert letters(kept) == "ba"
    assert objects


@pytest.mark.parametrize(
    ("why", "spec", "image"),
    [
        ("it is off", "static: {keep: 0}\nweb: {main: {}}\nexpose: {kind: loadBalancer}\n", build("a")),
        ("no file was collected", "web: {main: {}}\nexpose: {kind: loadBalancer}\n", build("a", static_tree="")),
        ("another host has them", "web: {main: {}}\n", build("a", static_url="https://cdn.example.com/static/")),
        ("a command serves", "web: {main: {command: [serve]}}\n", build("a")),
        ("nuages serves none", "django: {overlay: {static: false}}\nweb: {main: {}}\n", build("a")),
    ],
)
def test_nothing_is_asked_for_where(why: str, spec: str, image: Build) -> None:
    declared = SPEC if "keep" not in spec else SPEC.replace("static: {keep: 2}\n", "")
    one = resolve(parse(f"{declared}{spec}environments: {{local: {{}}}}\n".encode(), "nuages.yaml"), "local")
    assert not bridged(one, image), why
    assert bridging.statics(one, image, history("a", "b")) == ()


def manifest(*images: Build) -> dict[str, list[Object]]:
    kept = tuple(files for image in images if (files := image.statics))
    made = render(app(), Release(number=2, template=2, build=images[0], statics=kept))
    return {
        "static": made.static,
        "web": made.web,
        "policies": [item for item in made.foundation if item["kind"] == "NetworkPolicy"],
        "all": made.objects,
    }


def test_one_image_alone_needs_nobody_to_ask_but_may_ask_already() -> None:
    made = manifest(build("a"))
    assert made["static"] == []
    assert {"name": "NUAGES_STATIC", "value": "http://blog-static"} in environment(made)
    assert {"blog-static", "blog-to-static"} <= {item["metadata"]["name"] for item in made["policies"]}


def test_pages_name_files_below_the_hash_of_all_where_their_names_have_none() -> None:
    made = manifest(build("a", static_hashed=False), build("b"))
    assert {"name": "NUAGES_STATIC_TREE", "value": "a" * 16} in environment(made)
    pod = next(item for item in made["static"] if item["kind"] == "Deployment")["spec"]["template"]["spec"]
    assert [each["command"][-3:] for each in pod["initContainers"]] == [
        ["/app/static", "/static/", "a" * 16],
        ["/app/static", "/static/", ""],
    ]


def environment(made: dict[str, list[Object]]) -> list[Object]:
    web = next(item for item in made["web"] if item["kind"] == "Deployment")
    return web["spec"]["template"]["spec"]["containers"][0]["env"]


def test_who_keeps_the_files_has_no_secret_and_passes_every_check() -> None:
    made = manifest(build("a"), build("b"))
    pod = next(item for item in made["static"] if item["kind"] == "Deployment")["spec"]["template"]["spec"]
    assert not [each for each in (*pod["initContainers"], *pod["containers"]) if each.get("env") or each.get("envFrom")]
    assert check(made["all"]) == []
    assert {item["kind"] for item in made["static"]} == {"Service", "Deployment", "PodDisruptionBudget"}


def test_an_image_is_left_out_by_its_name() -> None:
    objects = without(manifest(build("a"), build("b"))["static"], [build("b").reference])
    pod = next(item for item in objects if item["kind"] == "Deployment")["spec"]["template"]["spec"]
    assert [each["image"] for each in pod["initContainers"]] == [build("a").reference]


def test_of_front_ends_the_images_of_earlier_releases_stay_as_far_back_as_the_spec_says() -> None:
    history = [front("c", 3), front("b", 2), front("b", 1)]
    app = fronted()
    assert bridging.fronts(app, build_of("d"), history) == {"spa": (f"a/b@{digest('c')}", f"a/b@{digest('b')}")}
    assert bridging.fronts(app, build_of("c"), history) == {"spa": (f"a/b@{digest('b')}",)}
    assert bridging.fronts(app, build_of("a"), []) == {"spa": ()}


def test_a_rollback_has_the_files_of_what_it_leaves() -> None:
    history = [front("c", 2), front("b", 1)]
    back = bridging.back_fronts(history[1], history)
    assert earlier(back) == {"spa": (f"a/b@{digest('c')}",)}
    assert earlier(history[1].manifest.frontends) == {"spa": ()}


def digest(letter: str) -> str:
    return f"sha256:{letter * 64}"


def build_of(letter: str) -> Build:
    return Build(
        reference=f"a/b@{digest('0')}", wsgi="b.wsgi:application", settings="b", frontends={"spa": digest(letter)}
    )


def fronted() -> App:
    said = "{directory: web, command: [npm, run, build], output: dist, routes: [/app/]}"
    text = f"name: blog\nimage: a/b\nweb: {{main: {{}}}}\nfrontends: {{spa: {said}}}\nenvironments: {{local: }}\n"
    return resolve(parse(text.encode(), "nuages.yaml"), "local")


def front(letter: str, number: int) -> Stored:
    """A release that went live with that front end."""
    build = build_of(letter)
    objects = render(fronted(), Release(number=number, template=number, build=build))
    record = Record(
        number=number, template=number, app="blog", environment="local", namespace="blog-local", by="ada@host",
        build=build, started=datetime(2026, 11, 1, tzinfo=UTC), live=datetime(2026, 11, 1, tzinfo=UTC),
        outcome=Outcome.LIVE,
    )  # fmt: skip
    return Stored(record=record, manifest=objects)


def test_a_rollback_brings_the_files_it_needs_to_the_bucket_again_and_keeps_them_there() -> None:
    bucket = resolve(
        parse(
            b"name: blog\nimage: a/b\nstatic: {bucket: {url: s3://blog/site}}\nenvironments: {local: {}}\n",
            "nuages.yaml",
        ),
        "local",
    )

    def went_live(number: int) -> Stored:
        of = build(str(number))
        made = Record(number=number, template=number, app="blog", environment="local", namespace="blog-local",
                      by="me", build=of, started=NOON)  # fmt: skip
        manifest = render(bucket, Release(number=number, template=number, build=of, running=number - 1 or None))
        return Stored(record=made.begun("web", NOON, []).serves(NOON).closed(Outcome.LIVE, NOON), manifest=manifest)

    wanted = rollback.plan([went_live(3), went_live(2), went_live(1)], 1)
    (job,) = [item for item in wanted.manifest.static if item["kind"] == "Job"]
    container = job["spec"]["template"]["spec"]["containers"][0]
    told = {one["name"]: one.get("value") for one in container["env"]}
    assert job["metadata"]["name"] == "blog-static-4"
    assert container["image"] == build("1").reference
    assert (told["NUAGES_RELEASE"], told["NUAGES_RUNNING"], told["NUAGES_KEEP"]) == ("4", "3", "3")
