"""What people write by mistake: refused, each mistake once, with its id, at its line and column."""

from __future__ import annotations

from pathlib import Path

import pytest

from nuages.checks.spec import check
from nuages.errors import SpecInvalid
from nuages.findings import Level
from nuages.spec.load import load

pytestmark = pytest.mark.unit

HEAD = "name: blog\nimage: registry.example.com/acme/blog\n"
POSTGRES = "services: {postgres: {run: }}\ndatabases: {default: postgres}\n"
PATCH = "patches:\n  - target: {kind: Deployment, name: blog-web-main}\n    patch: "

CASES = [
    # hosts
    ("expose:\n  hosts: [a.example.com, b.example.com, a.example.com]\n", ["spec.E267 4:41"]),
    ("expose:\n  hosts: [10.0.0.1]\n", ["spec.E268 4:11"]),
    ("expose: {kind: nodePort, hosts: [10.0.0.1]}\n", []),
    (f"expose:\n  hosts: [{'a' * 64}.example.com]\n", ["spec.E106 4:11"]),
    (f"expose:\n  hosts: [{'.'.join(['a' * 60] * 5)}]\n", ["spec.E106 4:11"]),
    ("expose: {class: infra/public, hosts: [a.example.com]}\n", ["spec.E205 3:17"]),
    ("expose: {class: a..b, hosts: [a.example.com]}\n", ["spec.E106 3:17"]),
    (f"expose: {{kind: gateway, class: x, hosts: [{', '.join(f'h{n}.example.com' for n in range(17))}]}}\n",
     ["spec.E269 3:35"]),
    (f"web: {{a: {{routes: [{', '.join(f'/r{n}' for n in range(17))}]}}}}\n"
     "expose: {kind: gateway, class: x, hosts: [a.example.com]}\n", ["spec.E269 4:16"]),
    (f"web: {{a: {{routes: [{', '.join(f'/r{n}' for n in range(16))}]}}, main: {{}}}}\n"
     "expose: {kind: gateway, class: x, hosts: [a.example.com]}\n", ["spec.E269 4:16"]),
    ("web: {main: {routes: []}}\nexpose: {hosts: [a.example.com]}\n", ["app.E147 4:9"]),
    ("exposed: {}\n", ["spec.E101 3:1", "spec.E206 3:1"]),
    # two beats, two of one name
    ("workers:\n  a:\n    command: [celery, -A, blog, worker, -B]\n", ["app.E144 5:14"]),
    ("workers: {a: {command: [sh, -c, 'exec celery --app=blog beat']}}\n", ["app.E144 3:24"]),
    ("workers: {a: {command: [python, beat.py]}}\n", []),
    ("beat: {celery: blog}\nservices: {redis: {run: }}\nbeat: {celery: blog}\n", ["spec.E005 5:1"]),
    ("files:\n  /etc/a: {configMap: c, key: x}\n  /etc/a/b: {configMap: c, key: y}\n", ["spec.E248 5:3"]),
    # times
    ("schedules:\n  x: {manage: clear, cron: '*/90 * * * *'}\n", ["spec.E231 4:28"]),
    ("schedules:\n  x: {manage: clear, cron: '0 0 31 2 *'}\n", ["spec.E231 4:28"]),
    ("schedules:\n  x: {manage: clear, cron: 'mon * * * *'}\n", ["spec.E231 4:28"]),
    ("schedules:\n  x: {manage: clear, cron: '0 3 * * fri-mon'}\n", ["spec.E231 4:28"]),
    ("schedules:\n  x: {manage: clear, cron: '\u0663 3 * * *'}\n", ["spec.E231 4:28"]),
    ("schedules:\n  x: {manage: clear, cron: '0  3 * * *', timeZone: posix/Europe/Berlin}\n", ["spec.E231 4:52"]),
    ("schedules:\n  x: {manage: clear, cron: '0 0 31 2 *', suspended: true}\n", []),
    # amounts and versions
    ("web:\n  main: {requestTimeout: 99999999d, resources: {cpu: 99999999, memory: 99999Pi}}\n",
     ["spec.E207 4:26", "spec.E207 4:54", "spec.E207 4:72"]),
    ("web: {main: {resources: {memory: 256k}}}\n", ["spec.E207 3:34"]),
    ("web: {main: {replicas: 2.0, port: 8e3}}\n", []),
    ("django: {python: 3.9}\n", ["spec.E273 3:18"]),
    ("services: {redis: {run: {engine: valkey, version: 6}}}\n", ["spec.E273 3:51"]),
    # data stores elsewhere
    ("services: {redis: {external: {host: 'redis.internal:6379'}}}\n", ["spec.E106 3:37"]),
    ("services: {redis: {external: {host: '2001:db8::5'}}}\n", []),
    ("services: {redis: {external: {host: localhost}}}\n", ["spec.E274 3:37"]),
    ("sidecars: {proxy: {image: 'a/b:1'}}\nservices: {postgres: {external: {host: localhost, secret: s}}}\n",
     ["spec.E274 4:40"]),
    ("services: {redis: {external: {host: r.internal, secret: s, keys: {username: u}}}}\n", ["spec.E108 3:67"]),
    # what the API server would refuse
    ("env: {A: {configMap: c, key: a b}}\n", ["spec.E106 3:30"]),
    ("placement:\n  nodeSelector: {disk: ssd disk}\n  tolerations: [{value: web}]\n",
     ["spec.E106 4:24", "spec.E271 5:18"]),
    ("access: {viewers: ['']}\n", ["spec.E106 3:20"]),
    ("sidecars:\n  Agent: {image: 'a b:1'}\n", ["spec.E108 4:3", "spec.E106 4:18"]),
    ("sidecars:\n  agent: {image: acme/agent}\n", ["objects.E110 4:10"]),
    ("imagePullSecret: a..b\n", ["spec.E106 3:18"]),
    # patches
    (f"{PATCH}{{metadata: null}}\n", ["app.E145 5:12"]),
    (f"{PATCH}{{spec: x}}\n", ["app.E145 5:12"]),
    (f"{PATCH}{{spec: {{template: {{spec: {{containers: null}}}}}}}}\n", ["app.E145 5:12"]),
    (f"{PATCH}{{spec: {{template: {{spec: {{containers: [{{name: web, image: 5}}]}}}}}}}}\n", ["app.E145 5:12"]),
    (f"{PATCH}{{spec: {{template: {{spec: {{hostNetwork: true}}}}}}}}\n", ["objects.E101 4:5"]),
    ("patches:\n  - target: {kind: Deployment, name: nope}\n    patch: {spec: {replicas: 2}}\n", ["app.E155 4:13"]),
    ("access: {viewers: [a]}\nlimits: {pods: 50}\npatches:\n  - target: {kind: Role, name: blog-viewer}\n"
     "    patch: {metadata: {labels: {team: web}}}\n  - target: {kind: LimitRange, name: blog}\n"
     "    patch: {metadata: {labels: {team: web}}}\n", []),
    # places of names with dots, of entries of lists, of what is a secret
    ("files:\n  /etc/x.ini: {configMap: c, key: x}\n  /proc/x.conf: {configMap: c, key: x}\n", ["app.E161 5:17"]),
    ("env:\n  COLOR: x\n  API_TOKEN: abc\n", ["objects.E121 5:14"]),
    # environments
    ("environments:\n  a: {cluster: c, namespace: x}\n  b: {cluster: c, namespace: x}\n  c: {namespace: x}\n",
     ["spec.E275 5:30"]),
    ("expose: {kind: nodePort, nodePort: 30005}\nenvironments: {a: {cluster: c}, b: {cluster: c}}\n",
     ["spec.E276 3:36"]),
    ("environments: {a: {namespace: kube-system}}\n", ["spec.E272 3:31"]),
    ("environments: {a: {cpus: 3}, b: {}}\nreplicas: 2\n", ["spec.E101 3:20", "spec.E101 4:1"]),
    # YAML
    ("env: {A: \"x}\n", ["spec.E001 3:10"]),
    ("env: {A: '\x1b[31mred'}\n", ["spec.E001 3:11"]),
    ("env:\n  A: @x\n", ["spec.E001 4:6"]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_a_mistake_is_refused_where_it_stands(text: str, expected: list[str], tmp_path: Path) -> None:
    assert told(tmp_path, text) == expected


def told(folder: Path, text: str) -> list[str]:
    """What refuses it: id, line and column."""
    file = folder / "nuages.yaml"
    file.write_text(HEAD + text + ("" if "environments:" in text else "environments: {production: {}}\n"))
    try:
        findings = check(load(file))
    except SpecInvalid as invalid:
        findings = list(invalid.findings)
    assert all(finding.message.isprintable() for finding in findings)
    return [f"{each.id} {each.place.line}:{each.place.column}" for each in findings if each.level is Level.ERROR]


def test_what_looks_like_a_space_is_spelled_out(tmp_path: Path) -> None:
    file = tmp_path / "nuages.yaml"
    file.write_text(f"{HEAD}web:\n  main:\n    replicas:\u00a02\n", encoding="utf-8")
    with pytest.raises(SpecInvalid) as refused:
        load(file)
    assert refused.value.findings[0].message == '"replicas:\\xa02" is not a map'


def test_a_front_end_whose_service_would_have_too_long_a_name_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "nuages.yaml"
    key = "k" * 20
    file.write_text(
        f"name: {'n' * 30}\nimage: a/b\n"
        f"frontends: {{{key}: {{directory: w, command: [x], output: o, routes: [/app/]}}}}\n"
    )
    with pytest.raises(SpecInvalid) as refused:
        load(file)
    assert [each.id for each in refused.value.findings] == ["spec.E230"]
