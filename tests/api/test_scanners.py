"""Public scanners find nothing in what is rendered but what docs/reference/scanners.md publishes, with its reasons."""

from __future__ import annotations

import fnmatch

import msgspec
import pytest
import scanning

pytestmark = pytest.mark.api


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    """Every example in every environment, a file each."""
    folder = tmp_path_factory.mktemp("rendered")
    return folder, scanning.written(folder)


def test_every_object_is_what_the_api_server_itself_has_a_schema_for(kubeconfig, rendered, tmp_path):
    document = msgspec.json.decode(scanning.openapi(kubeconfig))
    known = scanning.schemas(document, tmp_path)
    _folder, files = rendered
    others = {kind for kind in scanning.unnamed(files) if kind not in known}
    assert others <= scanning.EXTENSIONS
    assert scanning.kubeconform(files, tmp_path, others) == ""


@pytest.mark.parametrize("scanner", ["kube-score", "checkov"])
def test_nothing_is_found_but_what_is_published(rendered, scanner):
    folder, files = rendered
    found = scanning.kube_score(files) if scanner == "kube-score" else scanning.checkov(folder)
    published = {check: on for (by, check), on in scanning.published().items() if by == scanner}
    unknown = {
        one for one in found if not any(fnmatch.fnmatch(one[2], each) for each in published.get(one[1], "").split(", "))
    }
    assert not unknown
    assert published.keys() == {check for _, check, _ in found}, "an exception that nothing needs any more"
