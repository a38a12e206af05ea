"""Whose data an environment gets, read beside nuages.yaml."""

from __future__ import annotations

import pytest

from nuages.cli.origin import origin_of
from nuages.cli.target import app_of
from nuages.errors import UsageError

pytestmark = pytest.mark.unit

SPEC = """
apiVersion: nuages/v1
name: blog
image: registry.example.com/acme/blog
web: {main: {}}
services: {postgres: {run: {}}}
databases: {default: postgres}
expose: {kind: loadBalancer, hosts: [blog.localhost]}
environments:
  production: {}
  staging: {databases: {default: {cloneFrom: production, anonymise: {sql: a.sql}}}}
"""


@pytest.fixture
def spec(tmp_path):
    file = tmp_path / "nuages.yaml"
    file.write_text(SPEC)
    return file


def test_the_statements_lie_beside_the_spec(spec):
    spec.with_name("a.sql").write_text("DELETE FROM auth_user WHERE last_name = 'Müller';", "utf-8")
    found = origin_of(app_of(spec, "staging"), spec)
    assert (found.source.environment, found.sql) == ("production", "DELETE FROM auth_user WHERE last_name = 'Müller';")
    assert origin_of(app_of(spec, "production"), spec) is None


@pytest.mark.parametrize("content", [b"", b"-- later\n/* UPDATE\n */ ;\n", b"\xef\xbb\xbf\n"])
def test_a_file_without_a_statement_lets_no_real_row_leave(spec, content):
    spec.with_name("a.sql").write_bytes(content)
    with pytest.raises(UsageError, match="has no statement"):
        origin_of(app_of(spec, "staging"), spec)


@pytest.mark.parametrize(("content", "said"), [(None, "a.sql can't be read: No such file"), (b"\xfc", "is not UTF-8")])
def test_statements_that_nobody_can_read_end_in_one_line(spec, content, said):
    if content:
        spec.with_name("a.sql").write_bytes(content)
    with pytest.raises(UsageError, match=said):
        origin_of(app_of(spec, "staging"), spec)
