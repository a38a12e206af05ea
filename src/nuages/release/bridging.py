"""Of which images the static files stay reachable: of each that showed pages, as far back as the spec says.

What an image has is known by the hash of its files, so a release that changes code alone changes nothing here, nor does
one that goes back to an image whose files are still there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from nuages.app.build import Build, Statics
from nuages.app.components import App
from nuages.app.objects import Object
from nuages.release import records
from nuages.release.record import Record, Stored
from nuages.render.frontends import earlier, with_earlier
from nuages.render.static import bridged, with_images, with_own
from nuages.render.static_bucket import again


def statics(app: App, build: Build, history: list[Stored]) -> tuple[Statics, ...]:
    """The images of a release that comes next, the first of which serves the files of all; none where there is no need
    for it. `history` is the newest first.
    """
    if build.statics is None or not bridged(app, build):
        return ()
    lost = {image for stored in history for image in stored.record.left_out}
    earlier = (each for each in _before(history) if each.image not in lost)
    return _steady(_distinct([build.statics, *earlier])[: app.static.keep + 1], history)


def back(target: Stored, history: list[Stored], number: int) -> tuple[list[Object], tuple[Statics, ...]]:
    """What a rollback of this number brings along, and of which images: the pages that are open now are those of what
    it leaves. What brings files to a bucket brings those of the release it goes back to.
    """
    serving = records.live(history)
    files, images = _back(target, history)
    running = serving.record.number if serving else None
    jobs = [again(item, target.record.app, number, running) for item in target.manifest.static if item["kind"] == "Job"]
    return [*(item for item in files if item["kind"] != "Job"), *jobs], images


def _back(target: Stored, history: list[Stored]) -> tuple[list[Object], tuple[Statics, ...]]:
    """As it is where the files of the release it goes back to are still there; else with them in the place of the
    oldest.
    """
    shown = next(_shown(history), None)
    files = target.record.build.statics
    if shown is None or files is None:
        return target.manifest.static, target.record.statics
    kept = shown.record.statics
    if not shown.manifest.static:
        return target.manifest.static, target.record.statics
    if _known(files) in map(_known, kept):
        return with_own(shown.manifest.static, files), kept
    images = (*kept[: max(1, len(kept) - 1)], files)
    return with_own(with_images(shown.manifest.static, images), files), images


def fronts(app: App, build: Build, history: list[Stored]) -> dict[str, tuple[str, ...]]:
    """Per front end the images of earlier releases whose files a page may still ask for, the newest first."""
    lost = {image for stored in history for image in stored.record.left_out}
    found = {}
    for key in app.frontends:
        without = lost | {build.frontend(key)}
        found[key] = tuple(image for image in _fronts(key, history) if image not in without)[: app.static.keep]
    return found


def back_fronts(target: Stored, history: list[Stored]) -> list[Object]:
    """The front ends of a rollback, with the files of what it leaves: the pages that are open now are of that."""
    images = {}
    for key, before in earlier(target.manifest.frontends).items():
        own = target.record.build.frontend(key)
        found = [image for image in dict.fromkeys([*_fronts(key, history), *before]) if image != own]
        images[key] = tuple(found[: max(1, len(before))])
    return with_earlier(target.manifest.frontends, images)


def _fronts(key: str, history: list[Stored]) -> list[str]:
    """A front end's images, the newest first, as far as records go and what they kept of those that are gone."""
    shown = [stored for stored in _shown(history) if key in stored.record.build.frontends]
    kept = [image for stored in shown for image in earlier(stored.manifest.frontends).get(key, ())]
    return list(dict.fromkeys([*(stored.record.build.frontend(key) for stored in shown), *kept]))


def _before(history: list[Stored]) -> Iterator[Statics]:
    """The newest first; what a release kept of earlier ones is known also when their records are gone."""
    for stored in _shown(history):
        if files := stored.record.build.statics:
            yield files
        yield from stored.record.statics


def _shown(history: list[Stored]) -> Iterator[Stored]:
    """The releases of which a browser may have a page: that went live, or whose pods may have answered."""
    yield from (stored for stored in history if _showed(stored.record))


def _showed(record: Record) -> bool:
    return record.went_live or record.phase("web") is not None or record.phase("canary") is not None


def _steady(wanted: list[Statics], history: list[Stored]) -> tuple[Statics, ...]:
    """The same images in the same order as now, where they have the same files: then no pod rolls."""
    shown = next(_shown(history), None)
    if shown and {_known(each) for each in shown.record.statics} == {_known(each) for each in wanted}:
        return shown.record.statics
    return tuple(wanted)


def _distinct(images: Iterable[Statics]) -> list[Statics]:
    """Of those that have the same files, the first."""
    found: dict[tuple[str, str, bool], Statics] = {}
    for each in images:
        found.setdefault(_known(each), each)
    return list(found.values())


def _known(files: Statics) -> tuple[str, str, bool]:
    """What tells two images' files apart, for whoever asks for them."""
    return files.tree, files.path, files.hashed
