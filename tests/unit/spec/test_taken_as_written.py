"""What Kubernetes takes, and people write: refused nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from nuages.checks.spec import check
from nuages.errors import SpecInvalid
from nuages.findings import Level
from nuages.spec.load import load

pytestmark = pytest.mark.unit

LONG = "production-team-" + "x" * 60
HOSTS = (
    *("'*.example.com'", "xn--bcher-kva.example", "blog.10.0.0.1.nip.io", "localhost", "1.example.com"),
    f"{'a' * 63}.example.com",
)
TAKEN = {
    "expose: {hosts: [@]}": HOSTS,
    "expose: {kind: gateway, class: infra/public, hosts: [@]}": HOSTS,
    "expose: {class: @, hosts: [a.example.com]}": ("alb", "webapprouting.kubernetes.azure.com", "nginx-internal", LONG),
    "expose: {annotations: {@: x}, hosts: [a.example.com]}": (
        *("alb.ingress.kubernetes.io/actions.ssl-redirect", "kubernetes.io/ingress.class", "My_Team.x"),
        *("service.beta.kubernetes.io/aws-load-balancer-type", "external-dns.alpha.kubernetes.io/hostname"),
    ),
    "sidecars: {agent: {image: @}}": (
        *("busybox:1.36", "localhost:5000/a/b:1", "REGISTRY.example.com:5000/a__b/c--d:v1_2.3-rc"),
        *(f"a/b@sha256:{'a' * 64}", f"a/b:1@sha256:{'a' * 64}", f"a/b@sha512:{'a' * 128}", "'[2001:db8::1]:5000/a:1'"),
    ),
    "env: {A: {configMap: c, key: @}}": (".dockerconfigjson", "tls.crt", "DATABASE_URL", "ssh-privatekey", "a.b-c_D"),
    "secrets: {A: {secret: @, key: a}}": ("blog-tls", "my.secret.v1", "1st", LONG, f"{LONG}.creds"),
    "placement: {nodeSelector: {example.com/pool: @}}": ("ssd", "m5.large", "ng_1-A", "''", "'true'", "v1.2.3"),
    "placement: {tolerations: [@]}": (
        *("{}", "{key: a}", "{effect: NoExecute}", "{key: a, value: ''}", "{key: a, value: 'true'}"),
    ),
    "schedules: {x: {manage: clear, cron: '@'}}": (
        *("*/5 * * * *", "15,45 8-18 * * mon-fri", "0 9 ? * MON", "0 0 29 2 *", "0 0 31 1,3 *", "0 0 31 * *"),
        *("0 0 30 2 1", "0-30/10 * * * *", "5/15 * * * *", "0 0 * JAN-MAR sun,Sat", "*/60 * * * *", "0 */24 * * *"),
        *("0 0 1 */12 *", "0 0 */31 * *", "0 0 * * */7", "00 03 * * *", "0 0 ? * ?", "@daily", "@midnight"),
    ),
    "schedules: {x: {manage: clear, cron: '@daily', @}}": (
        *("timeout: 90s", "timeout: 2h30m", "timeout: 1.5h", "timeout: 3650d", "retries: 3, timeout: 1m"),
        *("retries: 6, timeout: 10m", "retries: 20, timeout: 1h"),
    ),
    "web: {main: {resources: {@}}}": (
        *("cpu: 0.5", "cpu: 100m", "cpu: 64", "memory: 1Gi", "memory: 1G", "memory: 512M", "memory: 0.5Gi"),
    ),
    "environments: {production: {namespace: @}}": ("kube-blog", "kube", "1blog", "blog-prod", "default"),
    "services: {redis: {external: {host: @}}}": (
        *("10.0.0.5", "'2001:db8::5'", "redis", "redis_1.internal", "Master.blog.abc.cache.amazonaws.com"),
    ),
    "sidecars: {stunnel: {image: 'a/b:1'}}\nservices: {redis: {external: {host: @}}}": ("localhost", "127.0.0.1"),
    "access: {viewers: [@]}": ("'oidc:web team'", "system:authenticated", "https://idp.example.com", "Équipe"),
    "workers: {a: {command: [@]}}": (
        *("celery, -A, blog, worker, -Q, beat", "celery, -A, beat, worker", "celery, -A, blog, worker, -n, beat"),
        *("celery, -A, blog, beat, -S, redbeat.RedBeatScheduler", "celery, -A, blog, flower"),
        *("sh, -c, 'exec celery -A blog worker -n beat'", "python, manage.py, rqworker, beat"),
    ),
}


@pytest.mark.parametrize(("text", "value"), [(text, value) for text, values in TAKEN.items() for value in values])
def test_what_the_cluster_takes_is_not_refused(text: str, value: str, tmp_path: Path) -> None:
    assert not _refusals(tmp_path, text.replace("@daily", "%daily").replace("@", value).replace("%daily", "@daily"))


def test_a_time_that_is_too_short_for_all_retries_is_told_and_not_refused(tmp_path: Path) -> None:
    file = _spec(tmp_path, "schedules: {x: {manage: clear, cron: '@daily', timeout: 1m, retries: 10}}")
    assert [each.id for each in check(load(file)) if each.level is Level.WARNING] == ["spec.W270"]


def test_a_command_of_manage_py_in_one_line_is_its_words(tmp_path: Path) -> None:
    file = _spec(tmp_path, """jobs: {a: {manage: "loaddata demo 'a b'"}, b: {manage: check}, c: {manage: "it's"}}""")
    jobs = load(file).environment("production").jobs
    assert [jobs[key].manage for key in "abc"] == [["loaddata", "demo", "a b"], ["check"], ["it's"]]


def _refusals(folder: Path, text: str) -> list[str]:
    try:
        findings = check(load(_spec(folder, text)))
    except SpecInvalid as invalid:
        findings = list(invalid.findings)
    return [f"{each.id}: {each.message}" for each in findings if each.level is Level.ERROR]


def _spec(folder: Path, text: str) -> Path:
    file = folder / "nuages.yaml"
    more = "" if "environments" in text else "environments: {production: {}}\n"
    file.write_text(f"name: blog\nimage: registry.example.com/acme/blog\n{text}\n{more}")
    return file
