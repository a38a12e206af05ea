"""A simple kubeconfig is read without a YAML library, to the same; any other is left to it."""

from __future__ import annotations

import pytest
import yaml

from nuages.kube import plain

pytestmark = pytest.mark.unit

WRITTEN = """\
apiVersion: v1
kind: Config
# as kubectl writes it
clusters:
- cluster:
    certificate-authority-data: LS0tLS1CRUdJTg+/==
    server: https://127.0.0.1:6443
    insecure-skip-tls-verify: true
  name: arn:aws:eks:eu-central-1:123456789012:cluster/blog
- name: gke_acme-1_europe-west1-b_blog
  cluster:
    server: https://[::1]:6443
contexts:
- context: {}
  name: one
current-context: one
preferences: {}
users:
  - name: kind-kind
    user:
      token: eyJhbGciOi.x-y_z
      exec:
        command: /usr/bin/login
        args:
        - get-token
        - 1password
"""


def test_what_programs_write_is_read_to_the_same():
    simple = WRITTEN.replace("[::1]", "one.example.com")
    assert plain.read(simple) == yaml.safe_load(simple)
    assert plain.read(simple)["clusters"][0]["cluster"]["insecure-skip-tls-verify"] is True


FORMS = ("a: {0}\n", "a:\n- b: {0}\n  c: d\n", "a:\n  - {0}\n", "{0}: a\n", "a:\n {0}\nb: c\n")
VALUES = (
    "1", "1.5", "0x1f", "1e3", "12:30:00", "2026-01-02", "yes", "No", "null", "~", "''", '"a"', "a b", "a #b",
    "&a b",
    "*a", "|", ">", "[a]", "{a: b}", "!!str a", "@a", "%a", "a: b", "a:", "- a", "-", "<<", "=", ".inf",
    "1_000", "", "a\tb",
    "0b1", "017", "+1", "é", "n", "a,b", "12h", "10.0.0.1", "TRUE", "True", "off", "1k", "0o17", "9abc", "/a",
    "x\n   y",
)  # fmt: skip
NEVER = {"1", "1.5", "yes", "null", "''", "[a]", "a b"}


@pytest.mark.parametrize("form", FORMS)
def test_what_may_mean_something_else_is_never_read_differently(form):
    for value in VALUES:
        text = form.format(value)
        if (found := plain.read(text)) is not None:
            assert found == yaml.safe_load(text)
            assert value not in NEVER


def test_what_is_not_whole_is_left_alone():
    for text in (
        "a:\n",
        "a: b\na: c\n",
        "- a\n",
        "a: b\n  c: d\n",
        "---\na: b\n",
        '{"a": 1}',
        "a: b\n c: d\n",
        "a:b\n",
    ):
        assert plain.read(text) is None
