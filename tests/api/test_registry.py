"""Images go into a real registry whole, with what is missing only, and nothing that is half there has a name."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path

import pytest
from registry import PASSWORD, USER, Fault, Proxy, Registry, authority, running

from nuages.errors import PushFailed
from nuages.image import blobs, oci, tarballs
from nuages.image.registry import INDEX, Attachment, push
from nuages.progress import Event, silent

MIB = 1 << 20


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    with running(tmp_path_factory.mktemp("registry")) as started:
        yield started


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    with running(tmp_path_factory.mktemp("guarded"), password=True) as started:
        yield started


@pytest.fixture
def proxy(registry):
    standing = Proxy(registry)
    yield standing
    standing.close()


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """What was pushed where is remembered for each test alone; the registry's program stays where it is."""
    programs = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "nuages" / "toolchain"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "cache" / "nuages").mkdir(parents=True)
    (tmp_path / "cache" / "nuages" / "toolchain").symlink_to(programs)


@pytest.fixture
def make(tmp_path):
    """An image of layers that have this many random bytes each; their names decide which they are."""

    def made(**sizes: int) -> oci.Image:
        layers = []
        for name, size in sizes.items():
            kept = tmp_path / f"{name}-{size}"
            if not kept.exists():
                kept.write_bytes(os.urandom(size))
            layers.append(tarballs.layer([tarballs.Entry(name, 0o644, source=kept)], tmp_path / "layers", name))
        return oci.scratch(layers, {"Cmd": ["/base"]})

    return made


def login(folder: Path, host: str, user: str = USER, password: str = PASSWORD) -> dict[str, str]:
    """An environment in which `docker login` was said."""
    folder.mkdir(exist_ok=True)
    auth = base64.b64encode(f"{user}:{password}".encode()).decode()
    (folder / "config.json").write_text(json.dumps({"auths": {host: {"auth": auth}}}))
    return {"DOCKER_CONFIG": str(folder), "HOME": str(folder)}


def nobody(folder: Path) -> dict[str, str]:
    return {"DOCKER_CONFIG": str(folder), "HOME": str(folder)}


def test_an_image_is_there_with_all_of_its_bytes_after_a_push(registry: Registry, make, tmp_path) -> None:
    image = make(base=3 * MIB, project=1000)
    done = push(image, f"{registry.host}/acme/whole", ["one", "two"], environ=nobody(tmp_path))
    assert done.reference == f"{registry.host}/acme/whole@{image.digest}"
    assert registry.tags("acme/whole") == ["one", "two"]
    answer = registry.get("acme/whole/manifests/one")
    assert answer.headers["docker-content-digest"] == image.digest
    for layer in image.layers:
        got = registry.get(f"acme/whole/blobs/{layer.digest}").content
        assert got == b"".join(blobs.pieces(layer.blob))


def test_a_change_of_one_layer_sends_one_layer_of_its_own_size(proxy: Proxy, make, tmp_path) -> None:
    push(make(base=2 * MIB, code=1000), f"{proxy.host}/acme/change", ["one"], environ=nobody(tmp_path))
    proxy.seen.clear()
    changed = make(base=2 * MIB, code=1001)
    done = push(changed, f"{proxy.host}/acme/change", ["two"], environ=nobody(tmp_path))
    assert sorted(proxy.bodies()) == sorted([changed.layers[1].blob.size, len(changed.config)])
    assert (done.layers_sent, done.layers) == (1, 2)


def test_an_image_that_is_there_is_not_sent_again(proxy: Proxy, make, tmp_path) -> None:
    image = make(base=MIB)
    push(image, f"{proxy.host}/acme/again", ["one"], environ=nobody(tmp_path))
    proxy.seen.clear()
    done = push(image, f"{proxy.host}/acme/again", ["two"], environ=nobody(tmp_path))
    assert proxy.bodies() == []
    assert done.sent == 0
    assert [seen.method for seen in proxy.seen] == ["GET", "HEAD", "PUT"]


def test_another_repository_of_the_same_registry_mounts_what_is_there(proxy: Proxy, make, tmp_path) -> None:
    image = make(base=2 * MIB)
    push(image, f"{proxy.host}/acme/first", ["one"], environ=nobody(tmp_path))
    proxy.seen.clear()
    done = push(image, f"{proxy.host}/acme/second", ["one"], environ=nobody(tmp_path))
    assert proxy.bodies() == [len(image.config)]
    assert done.layers_sent == 0
    assert any("mount=" in seen.path for seen in proxy.seen)


def test_a_layer_whose_mount_is_forgotten_is_sent(registry: Registry, proxy: Proxy, make, tmp_path) -> None:
    image = make(base=MIB)
    kept = tmp_path / "cache" / "nuages" / "pushed"
    kept.mkdir(parents=True)
    (kept / f"{proxy.host.replace(':', '-')}.json").write_text(json.dumps({image.layers[0].digest: "acme/gone"}))
    push(image, f"{proxy.host}/acme/unmounted", ["one"], environ=nobody(tmp_path))
    assert registry.tags("acme/unmounted") == ["one"]


def test_a_layer_that_may_not_be_mounted_is_sent(registry: Registry, proxy: Proxy, make, tmp_path) -> None:
    image = make(base=MIB)
    push(image, f"{proxy.host}/acme/theirs", ["one"], environ=nobody(tmp_path))
    proxy.faults = [Fault("POST .*mount=", status=403)]
    done = push(image, f"{proxy.host}/acme/ours", ["one"], environ=nobody(tmp_path))
    assert done.layers_sent == 1
    assert registry.tags("acme/ours") == ["one"]


def test_an_upload_that_was_cut_goes_on_and_ends_whole(registry: Registry, proxy: Proxy, make, tmp_path) -> None:
    image = make(base=20 * MIB)
    proxy.faults = [Fault("^PUT .*blobs/uploads", after=5 * MIB), Fault("^PATCH .*blobs/uploads", status=503)]
    news: list[Event] = []
    push(image, f"{proxy.host}/acme/cut", ["one"], news.append, environ=nobody(tmp_path))
    assert registry.get(f"acme/cut/blobs/{image.layers[0].digest}").content == b"".join(
        blobs.pieces(image.layers[0].blob)
    )
    after_the_cut = proxy.bodies(lambda seen: seen.method == "PATCH")
    assert sum(after_the_cut) == image.layers[0].blob.size - 5 * MIB  # what had arrived is not sent again
    assert any("trying again" in str(event) for event in news)


def test_a_layer_too_large_for_one_request_is_sent_in_parts(proxy: Proxy, make, tmp_path) -> None:
    image = make(base=30 * MIB)
    size = image.layers[0].blob.size
    proxy.faults = [Fault("^PUT .*blobs/uploads", status=413)]
    push(image, f"{proxy.host}/acme/chunks", ["one"], environ=nobody(tmp_path))
    sent = proxy.bodies(lambda seen: seen.method == "PATCH")
    assert sum(sent) == size
    assert len(sent) == 4


@pytest.mark.parametrize(
    ("case", "broken"),
    [
        ("bytes", "^PUT .*blobs/uploads.*digest"),
        ("beginning", "^POST .*blobs/uploads"),
        ("manifest", "^PUT .*manifests/sha256"),
    ],
)
def test_nothing_half_pushed_has_a_tag(
    case: str, broken: str, registry: Registry, proxy: Proxy, make, tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    image = make(base=2 * MIB)
    name = f"acme/half-{case}"
    proxy.faults = [Fault(broken, after=100_000, times=100), Fault("^PATCH", after=100_000, times=100)]
    with pytest.raises(PushFailed, match=r"no answer from 127\.0\.0\.1"):
        push(image, f"{proxy.host}/{name}", ["one"], environ=nobody(tmp_path))
    assert registry.tags(name) == []
    proxy.faults = []
    push(image, f"{proxy.host}/{name}", ["one"], environ=nobody(tmp_path))
    assert registry.tags(name) == ["one"]


def test_a_registry_that_asks_for_patience_is_waited_for(registry: Registry, proxy: Proxy, make, tmp_path) -> None:
    proxy.faults = [Fault("^POST", status=429, headers=(("Retry-After", "0"),), times=2)]
    push(make(base=1000), f"{proxy.host}/acme/later", ["one"], environ=nobody(tmp_path))
    assert registry.tags("acme/later") == ["one"]


def test_a_password_is_sent_where_it_is_asked_for(guarded: Registry, make, tmp_path) -> None:
    push(make(base=1000), f"{guarded.host}/acme/blog", ["one"], environ=login(tmp_path / "docker", guarded.host))
    assert guarded.tags("acme/blog") == ["one"]


def test_somebody_unknown_hears_how_to_log_in(guarded: Registry, make, tmp_path) -> None:
    with pytest.raises(PushFailed, match="somebody unknown") as refused:
        push(make(base=1000), f"{guarded.host}/acme/secret", ["one"], environ=nobody(tmp_path))
    assert refused.value.hint == f"docker login {guarded.host}"


def test_a_wrong_password_is_said_and_not_shown(guarded: Registry, make, tmp_path) -> None:
    environ = login(tmp_path / "docker", guarded.host, password="wrong-battery")
    with pytest.raises(PushFailed, match="does not accept the credentials of ada") as refused:
        push(make(base=1000), f"{guarded.host}/acme/secret", ["one"], environ=environ)
    assert "wrong-battery" not in f"{refused.value} {refused.value.hint} {refused.value.detail}"


def test_tls_holds_by_the_authority_that_is_named(make, tmp_path, monkeypatch) -> None:
    trusted, certificate = authority(tmp_path)
    with running(tmp_path, tls=certificate) as registry:
        with pytest.raises(PushFailed, match="does not prove that it is the right registry") as refused:
            push(make(base=1000), f"{registry.host}/acme/tls", ["one"], environ=nobody(tmp_path))
        assert "SSL_CERT_FILE" in refused.value.hint
        monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
        push(make(base=1000), f"{registry.host}/acme/tls", ["one"], environ=nobody(tmp_path))
        assert registry._replace(authority=trusted).tags("acme/tls") == ["one"]


def test_a_registry_that_is_read_only_is_said_to_be(make, tmp_path) -> None:
    refused = pytest.raises(PushFailed, match="takes no images: it is read-only")
    with running(tmp_path, read_only=True) as registry, refused:
        push(make(base=1000), f"{registry.host}/acme/blog", ["one"], environ=nobody(tmp_path))


def test_nobody_there_is_one_line(make, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    with pytest.raises(PushFailed, match=r"no answer from 127\.0\.0\.1:1: "):
        push(make(base=1000), "127.0.0.1:1/acme/blog", ["one"], environ=nobody(tmp_path))


def test_documents_are_attached_and_the_image_keeps_its_digest(registry: Registry, make, tmp_path) -> None:
    image = make(base=1000)
    documents = [
        Attachment("application/vnd.cyclonedx+json", b'{"bomFormat":"CycloneDX"}', "sbom.cdx.json"),
        Attachment("application/vnd.in-toto+json", b'{"_type":"x"}', "provenance.intoto.json"),
    ]
    for _ in range(2):  # pushed again, they are there once
        push(image, f"{registry.host}/acme/attached", ["one"], silent, attachments=documents, environ=nobody(tmp_path))
    assert registry.get("acme/attached/manifests/one").headers["docker-content-digest"] == image.digest
    # This registry has no API of referrers: they are listed under the tag that the image's digest gives.
    listed = registry.get(f"acme/attached/manifests/{image.digest.replace(':', '-')}", INDEX).json()["manifests"]
    assert [found["artifactType"] for found in listed] == [one.kind for one in documents]
    manifest = registry.get(f"acme/attached/manifests/{listed[0]['digest']}").json()
    assert manifest["subject"]["digest"] == image.digest
    assert registry.get(f"acme/attached/blobs/{manifest['layers'][0]['digest']}").content == documents[0].content


def test_what_others_have_attached_stays_listed(registry: Registry, make, tmp_path) -> None:
    image, environ = make(base=1000), nobody(tmp_path)
    for content in (b'{"by":"another scanner"}', b'{"by":"us"}'):
        documents = [Attachment("application/vnd.cyclonedx+json", content, "sbom.cdx.json")]
        push(image, f"{registry.host}/acme/others", ["one"], attachments=documents, environ=environ)
    listed = registry.get(f"acme/others/manifests/{image.digest.replace(':', '-')}", INDEX).json()["manifests"]
    assert len(listed) == 2


def test_a_document_whose_push_ended_before_it_was_listed_is_listed_by_the_next(proxy: Proxy, make, tmp_path) -> None:
    image, environ = make(base=1000), nobody(tmp_path)
    documents = [Attachment("application/vnd.cyclonedx+json", b'{"listed":"late"}', "sbom.cdx.json")]
    proxy.faults = [Fault(r"PUT .*/manifests/sha256-", status=403)]
    with pytest.raises(PushFailed):
        push(image, f"{proxy.host}/acme/late", ["one"], attachments=documents, environ=environ)
    push(image, f"{proxy.host}/acme/late", ["one"], attachments=documents, environ=environ)
    puts = [seen.path for seen in proxy.seen if seen.method == "PUT" and "/manifests/sha256-" in seen.path]
    assert len(puts) == 2


@pytest.mark.parametrize("realm", ["http://token.example.com/token", "ftp://127.0.0.1/token", "127.0.0.1/token"])
def test_a_password_goes_to_no_token_server_without_tls(realm: str, proxy: Proxy, make, tmp_path) -> None:
    proxy.faults = [Fault(r"GET /v2/", 401, headers=(("WWW-Authenticate", f'Bearer realm="{realm}"'),))]
    with pytest.raises(PushFailed, match=r"wants the password sent to .*, which is not https") as failed:
        push(make(base=10), f"{proxy.host}/acme/a", ["one"], environ=login(tmp_path / "docker", proxy.host))
    assert PASSWORD not in str(failed.value)


def test_a_redirect_to_another_host_takes_no_password_there(guarded: Registry, make, tmp_path) -> None:
    near, far = Proxy(guarded), Proxy(guarded)
    image, environ = make(base=1000), login(tmp_path / "docker", near.host)
    push(image, f"{near.host}/acme/moved", ["one"], environ=environ)
    far.tokens = ["any"]  # its /token notes who asks
    moved = (("Location", f"http://localhost:{far.host.rpartition(':')[2]}/token"),)
    near.faults = [Fault(r"HEAD .*/manifests/", 307, headers=moved)]
    push(image, f"{near.host}/acme/moved", ["two"], environ=environ)
    assert [header for header, _ in far.asked] == [""]
    near.close()
    far.close()


def test_a_token_is_fetched_with_the_password_and_again_when_it_has_expired(proxy: Proxy, make, tmp_path) -> None:
    proxy.tokens = ["first"]

    def expire(event: Event) -> None:
        if "MiB" in str(event) and len(proxy.tokens) == 1:
            proxy.tokens.append("second")

    push(make(base=MIB), f"{proxy.host}/acme/token", ["one"], expire, environ=login(tmp_path / "docker", proxy.host))
    basic = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    assert [header for header, _ in proxy.asked] == [basic, basic]
    assert "scope=repository%3Aacme%2Ftoken%3Apull%2Cpush" in proxy.asked[0][1]
    assert PASSWORD not in str([path for _, path in proxy.asked])


def test_an_identity_token_is_exchanged_by_oauth(proxy: Proxy, make, tmp_path) -> None:
    proxy.tokens = ["only"]
    (tmp_path / "config.json").write_text(json.dumps({"auths": {proxy.host: {"identitytoken": "kept-for-long"}}}))
    push(make(base=1000), f"{proxy.host}/acme/oauth", ["one"], environ=nobody(tmp_path))
    [(header, asked)] = proxy.asked
    assert header == ""
    assert "grant_type=refresh_token" in asked
    assert "refresh_token=kept-for-long" in asked


def test_a_token_names_the_repository_that_layers_are_mounted_from(proxy: Proxy, make, tmp_path) -> None:
    image, environ = make(base=MIB), login(tmp_path / "docker", proxy.host)
    push(image, f"{proxy.host}/acme/source", ["one"], environ=environ)
    proxy.tokens = ["only"]
    push(image, f"{proxy.host}/acme/target", ["one"], environ=environ)
    assert "repository%3Aacme%2Fsource%3Apull" in proxy.asked[0][1]
