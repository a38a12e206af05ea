"""A front end that comes to a site, and one that is replaced, while the path is asked for."""

from __future__ import annotations

import json

import pytest
from load import Load
from plain_project import plain_project
from waiting import status_of, steady, wait_for

pytestmark = pytest.mark.e2e

NAMESPACE = "test-fronts-roll"
HOST = "fronts-roll.localhost"
SPA = "frontends: {spa: {directory: spa, command: [node, build.js], output: out, routes: [/app/]}}"
BUILD = "require('fs').mkdirSync('out'); require('fs').writeFileSync('out/index.html', 'build-1')\n"
PACKAGE = {"name": "spa", "version": "1.0.0", "private": True}
LOCK = PACKAGE | {"lockfileVersion": 3, "requires": True, "packages": {"": {"name": "spa", "version": "1.0.0"}}}


def test_no_request_is_lost_when_a_front_end_takes_a_path_over_nor_when_it_is_replaced(cluster, kubectl, tmp_path):
    project = plain_project(tmp_path, cluster, NAMESPACE, f"kind: ingress, class: traefik, hosts: [{HOST}]")
    port = project.nuages("deploy").stdout.split()[-1].rpartition(":")[2]
    (tmp_path / "spa").mkdir()
    for name, content in {"package.json": json.dumps(PACKAGE), "package-lock.json": json.dumps(LOCK)}.items():
        (tmp_path / "spa" / name).write_text(content)
    (tmp_path / "spa" / "build.js").write_text(BUILD)
    project.spec.write_text(f"{project.spec.read_text()}{SPA}\n")
    try:
        # Until the controller knows the site.
        steady(lambda: status_of(f"http://127.0.0.1:{port}/app/", {"Host": HOST}) == 200)
        with Load(f"127.0.0.1:{port}", "/app/", clients=4, pattern=r"wsgi|build-\d", host=HOST) as load:
            wait_for(lambda: load.answers["wsgi"])
            project.nuages("deploy")
            wait_for(lambda: load.answers["build-1"])
            (tmp_path / "spa" / "build.js").write_text(BUILD.replace("build-1", "build-2"))
            project.nuages("deploy")
            wait_for(lambda: load.answers["build-2"])
        assert load.lost == []
    finally:
        kubectl("delete", "namespace", NAMESPACE, "--wait=false")
