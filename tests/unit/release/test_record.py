"""What is kept of a release, and how it is read back."""

import base64
import gzip

import msgspec
import pytest

from nuages.errors import Refused
from nuages.release.record import SCHEMA, Outcome, Stored, decode, encode

from .examples import NOON, record, stored


def test_a_record_is_read_back_as_it_was_written():
    before = stored(record(number=7))
    config_map = encode(before)
    config_map["metadata"]["resourceVersion"] = "41"
    assert decode(config_map) == msgspec.structs.replace(before, resource_version="41")


def test_an_open_record_can_change_and_a_closed_one_cannot():
    assert "immutable" not in encode(stored(record()))
    assert encode(stored(record().closed(Outcome.LIVE, NOON)))["immutable"] is True


def test_a_record_of_a_newer_shape_is_refused_and_says_why():
    config_map = encode(stored(record()))
    config_map["data"]["record"] = config_map["data"]["record"].replace(f'"schema":{SCHEMA}', f'"schema":{SCHEMA + 1}')
    with pytest.raises(Refused, match="newer nuages") as refused:
        decode(config_map)
    assert "upgrade nuages" in refused.value.hint


@pytest.mark.parametrize(
    "broken",
    [
        {"data": {}},
        {"data": {"record": "{"}},
        {"data": {"record": "[]"}},
        {"data": {"record": '{"schema": 3}'}},
        {"binaryData": {}},
        {"binaryData": {"manifest": "no base64"}},
        {"binaryData": {"manifest": base64.b64encode(b"no gzip").decode()}},
        {"binaryData": {"manifest": base64.b64encode(gzip.compress(b"{}")[:-9]).decode()}},
        {"binaryData": None},
    ],
)
def test_a_record_that_somebody_broke_is_named_with_the_way_out(broken):
    config_map = encode(stored(record(number=7))) | broken
    config_map["metadata"]["resourceVersion"] = "41"
    with pytest.raises(Refused, match="release record blog-release-7 can't be read") as refused:
        decode(config_map)
    assert "kubectl delete" in refused.value.hint


def test_a_record_of_the_first_shape_is_read_and_has_no_workers():
    config_map = encode(stored(record()))
    config_map["metadata"]["resourceVersion"] = "41"
    config_map["data"]["record"] = config_map["data"]["record"].replace(f'"schema":{SCHEMA}', '"schema":1')
    manifest = {"foundation": [], "services": [], "expand": [], "web": [], "exposure": []}
    config_map["binaryData"]["manifest"] = base64.b64encode(gzip.compress(msgspec.json.encode(manifest))).decode()
    read = decode(config_map)
    assert (read.record.schema, read.manifest.workers, read.manifest.beat) == (1, [], [])


def test_the_manifest_lies_compressed_beside_the_record():
    config_map = encode(stored(record(), web=[{"kind": "Deployment", "metadata": {"name": "blog-web-main"}}]))
    manifest = msgspec.json.decode(gzip.decompress(base64.b64decode(config_map["binaryData"]["manifest"])))
    assert manifest["web"][0]["metadata"]["name"] == "blog-web-main"


def test_a_phase_is_begun_with_what_it_applied_and_ends_with_a_note():
    live = {"kind": "Deployment", "metadata": {"name": "blog-web-main", "uid": "u1"}}
    begun = record().begun("web", NOON, [live])
    assert begun.phase("web").ended is None
    assert [(item.kind, item.name, item.uid) for item in begun.inventory] == [("Deployment", "blog-web-main", "u1")]
    ended = begun.finished("web", NOON, "3 available")
    assert (ended.phase("web").ended, ended.phase("web").note) == (NOON, "3 available")


def test_an_object_that_was_made_anew_is_in_the_inventory_once_with_its_new_uid():
    def live(uid):
        return {"kind": "Job", "metadata": {"name": "migrate", "uid": uid}}

    twice = record().begun("services", NOON, [live("old")]).begun("expand", NOON, [live("new")])
    assert [item.uid for item in twice.inventory] == ["new"]


def test_a_phase_that_had_nothing_to_do_ends_all_the_same():
    ended = record().finished("expand", NOON, "nothing to migrate")
    assert ended.phase("expand").note == "nothing to migrate"


def test_no_shape_changes_unnoticed():
    """A later nuages reads what this one wrote: a new field needs a default, any other change a new SCHEMA."""
    fields = {field.name for field in msgspec.structs.fields(type(record()))}
    assert fields == {
        "schema", "tool", "number", "template", "app", "environment", "namespace", "by", "restores", "build", "secrets",
        "started", "ended", "outcome", "passed", "inventory", "database", "failure",
        "command", "message", "paused", "maintenance", "live", "left", "trial", "statics", "left_out",
    }  # fmt: skip
    assert isinstance(stored(record()), Stored)
