"""From recorded failures to their causes."""

import json
import re
import time
from pathlib import Path

import pytest

from nuages.rollout import causes
from nuages.rollout.causes import HOPELESS, Evidence, explain, refusal
from nuages.rollout.causes.evidence import EVENT
from nuages.rollout.diagnosis import SHOWN, conclude
from nuages.rollout.pods import Symptom, Trouble

from .recorded import LATER, Seen, failure, log, state

ROOT = Path(__file__).parents[3]

N = 10_000
"""As often a hostile line repeats itself."""

FAILURES = {
    "crash": ("diag.D020", "the image reads SENTRY_DSN, and the spec does not declare it"),
    "image-missing": ("diag.D004", "the node does not reach the registry of registry.example.com/acme/nope:1"),
    "image-name": ("diag.D001", "Registry/Nope:1:2 is not the name of an image"),
    "image-never": ("diag.D005", "registry.example.com/acme/nope:1 is not on the node, and may not be pulled"),
    "job-failed": ("diag.D024", "the program ended with an exception"),
    "job-late": ("diag.D072", "the Job took longer than it may (4 s)"),
    "memory": ("diag.D030", "it used all of its memory (64Mi) within 1 s, and needed more"),
    "no-claim": ("diag.D051", "there is no PersistentVolumeClaim media"),
    "no-command": ("diag.D031", "the command is not in the image"),
    "no-configmap": ("diag.D011", "there is no ConfigMap blog-env"),
    "no-cpu": ("diag.D050", "no node has enough cpu left"),
    "no-key": ("diag.D011", "ConfigMap kube-root-ca.crt has no key COLOR"),
    "no-mount": ("diag.D010", "there is no Secret absent"),
    "no-node": ("diag.D052", "no node fits (taints, affinity)"),
    "no-secret": ("diag.D010", "there is no Secret blog-secrets"),
    "not-executable": ("diag.D032", "the command may not be executed"),
    "readiness-400": ("diag.D045", "the readiness probe is answered with 400, as a Host that is refused"),
    "readiness-refused": ("diag.D041", "nothing listens where the readiness probe asks"),
    "readiness-timeout": ("diag.D043", "the readiness probe gets no answer in time"),
    "sh-no-command": ("diag.D031", "the command is not in the image"),
    "startup-503": ("diag.D042", "the startup probe is answered with 503"),
    "evicted": ("diag.D057", "the node nuages-nuages evicted it"),
    "image-other-processor": ("diag.D007", "localhost:30518/acme/arm:1 is not made for the node's processor"),
    "native-crash": ("diag.D033", "the program ended with exit code 139, it crashed in native code"),
    "no-server": ("diag.D035", "the image has no gunicorn to serve it with"),
    "node-not-ready": ("diag.D056", "the node far is not ready"),
    "permission-denied": ("diag.D036", "the project may not use /etc/shadow"),
    "port-in-use": ("diag.D037", "port 8000 is in use already, in the same pod"),
    "program-of-another-processor": ("diag.D007", "the image is made for another processor"),
    "read-only": ("diag.D028", "the project writes to /app.txt, and the image is read-only"),
    "readiness-500": ("diag.D047", "the readiness probe is answered with 500: an error in the project"),
    "readiness-host": ("diag.D045", "Django refuses the readiness probe's Host, 10.244.0.78: ALLOWED_HOSTS lacks it"),
    "readiness-redirect": ("diag.D046", "the readiness probe is redirected"),
    "startup-little-processor": (
        "diag.D048",
        "nothing answers the readiness probe in time, and limits.cpu is 10m: most likely its start is throttled",
    ),
    "syntax": ("diag.D034", "a file cannot be read as Python"),
}

LOGS = {
    "os-environ": ("diag.D020", "the image reads SENTRY_DSN, and the spec does not declare it"),
    "django-environ": ("diag.D020", "the image reads SENTRY_DSN, and the spec does not declare it"),
    "environs": ("diag.D020", "the image reads SENTRY_DSN, and the spec does not declare it"),
    "decouple": ("diag.D020", "the image reads SENTRY_DSN, and the spec does not declare it"),
    "missing-module": ("diag.D022", "the image has no module storages"),
    "improperly-configured": ("diag.D023", "the project's settings are not complete"),
    "database-refused": ("diag.D029", "the database does not answer"),
    "migrate-refused": ("diag.D029", "the database does not answer"),
    "celery-no-app": ("diag.D024", "the program ended with an exception"),  # nothing says here which app was named
    "celery-no-module": ("diag.D022", "the image has no module nosuch"),
    "broker-refused": ("diag.D092", "the broker does not answer"),
    "broker-wrong-password": ("diag.D091", "the broker refuses the user or the password"),
    "beat-wrong-password": ("diag.D091", "the broker refuses the user or the password"),
    "migrate-wrong-password": ("diag.D025", "the database refuses the user or the password"),
    "migrate-no-database": ("diag.D026", "the server has no such database"),
    "migrate-failed-statement": (
        "diag.D070",
        "posts.0002_broken failed; what PostgreSQL had done of it is rolled back",
    ),
    "migrate-failed-python": ("diag.D070", "posts.0002_broken failed; what PostgreSQL had done of it is rolled back"),
    "migrate-lock-timeout": ("diag.D071", "posts.0002_broken did not get its table's lock in time"),
    "migrate-history": ("diag.D073", "the database has migrations applied out of their order"),
    "migrate-node-not-found": ("diag.D074", "a migration depends on one that is not in the image"),
    "migrate-two-leaves": ("diag.D074", "two migrations claim to be the last of an app"),
}


def crashed(written: str, env: tuple[str, ...] = (), **known: object) -> Evidence:
    """A container that ended with code 1 after it wrote this."""
    container = {"name": "web", "image": "blog", "env": [{"name": name} for name in env]}
    pod = {"kind": "Pod", "metadata": {"name": "blog-web-main-1"}, "spec": {"containers": [container]}}
    trouble = Trouble(Symptom.CRASH, "blog-web-main-1 crashed twice (exit 1)", pod, "web", exit_code=1)
    return Evidence(state("deployment-05-rolling-0-of-2-updated")[0], trouble._replace(**known), written)


@pytest.mark.parametrize("name", FAILURES)
def test_a_failure_of_a_real_cluster_is_explained(name):
    cause = explain(failure(name)[0])
    assert (cause.id, cause.cause) == FAILURES[name]


def test_every_recorded_failure_and_log_is_explained():
    folder = Path(__file__).parent / "recorded"
    assert {file.stem for file in (folder / "failures").iterdir()} == set(FAILURES)
    assert {file.stem for file in (folder / "logs").iterdir()} == set(LOGS)


@pytest.mark.parametrize("name", LOGS)
def test_the_log_of_a_real_program_is_explained(name):
    cause = explain(crashed(log(name)))
    assert (cause.id, cause.cause) == LOGS[name]


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("failed to pull: unexpected status code: 401 Unauthorized", "diag.D003"),
        ("pull access denied, repository does not exist or may require authorization", "diag.D003"),
        ('failed to resolve reference "registry.example.com/acme/blog:2": not found', "diag.D002"),
        ("toomanyrequests: you have reached your pull rate limit", "diag.D006"),
    ],
)
def test_a_registrys_answer_is_told_apart(message, expected):
    evidence, _ = failure("image-missing")
    refused = evidence._replace(trouble=evidence.trouble._replace(message=message))
    assert explain(refused).id == expected


@pytest.mark.parametrize(
    ("recorded", "app", "expected"),
    [
        ("celery-no-app", "jobs", ("diag.D090", "there is no Celery app jobs in the image")),
        ("celery-no-module", "nosuch", ("diag.D090", "there is no Celery app nosuch in the image")),
        (
            "celery-no-module",
            "nosuch.celery:app",
            ("diag.D090", "there is no Celery app nosuch.celery:app in the image"),
        ),
        ("celery-no-module", "site_", ("diag.D022", "the image has no module nosuch")),
    ],
)
def test_a_celery_app_that_is_not_there_is_told_from_one_whose_imports_fail(recorded, app, expected):
    evidence = crashed(log(recorded))
    for container in evidence.trouble.pod["spec"]["containers"]:
        container.setdefault("env", []).append({"name": "NUAGES_CELERY_APP", "value": app})
    assert explain(evidence)[:2] == expected


@pytest.mark.parametrize(
    ("recorded", "expected", "line"),
    [
        (
            "broker-refused",
            "diag.D092",
            "redis://:**@blog-redis:6379/1: Error 111 connecting to blog-redis:6379. Connection refused",
        ),
        (
            "broker-wrong-password",
            "diag.D091",
            "redis://:**@site-redis:6379/1: invalid username-password pair or user is disabled",
        ),
        ("beat-wrong-password", "diag.D091", "the broker: invalid username-password pair or user is disabled"),
    ],
)
def test_a_broker_that_does_not_let_a_worker_in_is_named(recorded, expected, line):
    cause = explain(crashed(log(recorded), symptom=Symptom.UNREADY))
    assert (cause.id, cause.line) == (expected, line)


def test_a_variable_that_the_spec_declares_is_not_called_missing():
    cause = explain(crashed(log("django-environ"), env=("SENTRY_DSN",)))
    assert cause.id == "diag.D021"


def test_a_value_that_is_refused_is_not_called_missing():
    said = (
        """environs.exceptions.EnvValidationError: Environment variable "COLOR" invalid: ['Must be one of: orange.']"""
    )
    cause = explain(crashed(f"Traceback (most recent call last):\n{said}"))
    assert (cause.id, cause.cause) == ("diag.D021", "the image does not take the value of COLOR")


def test_a_pod_that_waits_for_migrations_says_for_which():
    evidence = crashed("start-up waits for migrations: posts.0002_slug\n", symptom=Symptom.UNREADY)
    assert explain(evidence).cause == "the database lacks posts.0002_slug, which this image expects"


def test_a_full_database_is_named():
    line = "django.db.utils.OperationalError: connection failed: FATAL:  sorry, too many clients already"
    assert explain(crashed(f"Traceback (most recent call last):\n{line}")).id == "diag.D027"


def test_a_read_only_image_is_named():
    line = "OSError: [Errno 30] Read-only file system: '/app/media/x.png'"
    assert explain(crashed(f"Traceback (most recent call last):\n{line}")).id == "diag.D028"


def test_an_end_without_a_word_is_told_with_its_exit_code():
    cause = explain(crashed("starting\nstopping\n"))
    assert (cause.id, cause.line) == ("diag.D033", "stopping")


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ('pods "web-1" is forbidden: exceeded quota: small, requested: pods=1, used: pods=2', "diag.D060"),
        ('pods "web-1" is forbidden: violates PodSecurity "restricted:latest": ...', "diag.D061"),
        ('pods "web-1" is forbidden: error looking up service account blog/blog: not found', "diag.D065"),
        ('pods "web-1" is forbidden: the moon is full', "diag.D062"),
    ],
)
def test_pods_that_may_not_be_made_are_explained_by_the_deployment_itself(message, expected):
    live, _ = state("deployment-05-rolling-0-of-2-updated")
    live["status"]["conditions"].append({"type": "ReplicaFailure", "status": "True", "message": message})
    assert explain(Evidence(live)).id == expected


def test_a_diagnosis_shows_the_line_that_matters_its_place_and_the_end_of_the_log():
    evidence = crashed(log("django-environ"))
    found = conclude(evidence, Seen([evidence.workload]))
    assert found.lines == (
        "django.core.exceptions.ImproperlyConfigured: Set the SENTRY_DSN environment variable",
        "proj/settings.py:124",
    )
    assert found.summary == "blog-web-main-1 crashed twice (exit 1)"
    assert len(found.log) == SHOWN


def test_a_failed_migration_shows_its_statement():
    evidence = crashed(log("migrate-failed-statement"))
    found = conclude(evidence, Seen([evidence.workload]))
    assert found.lines == (
        'django.db.utils.ProgrammingError: relation "nowhere" does not exist',
        "statement: ALTER TABLE posts_post ADD COLUMN slug text REFERENCES nowhere (id)",
    )


def test_a_password_in_a_url_is_not_shown():
    line = "ValueError: cannot reach redis://app:hunter2@cache:6379/0"
    evidence = crashed(f"Traceback (most recent call last):\n{line}")
    found = conclude(evidence, Seen([evidence.workload]))
    assert "hunter2" not in found.text
    assert "redis://app:***@cache:6379/0" in found.text


def test_what_is_well_has_no_diagnosis():
    live, view = state("deployment-03-first-2-available")
    assert conclude(Evidence(live), view) is None


@pytest.mark.parametrize(
    ("variable", "part"),
    [
        ("DATABASE_URL", "declare services.postgres"),
        ("CELERY_BROKER_URL", "declare services.redis"),
        ("STRIPE_API_KEY", "to secrets in nuages.yaml, then nuages secrets set STRIPE_API_KEY"),
        ("FEATURE_X", "add FEATURE_X to env"),
    ],
)
def test_a_missing_variable_is_sent_to_the_part_of_the_spec_that_lacks_it(variable, part):
    said = f"django.core.exceptions.ImproperlyConfigured: Set the {variable} environment variable"
    assert part in explain(crashed(f"Traceback (most recent call last):\n{said}")).hint


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (
            'pods "web-1" is forbidden: exceeded quota: small, requested: limits.memory=256Mi,pods=1, '
            "used: limits.memory=1Gi,pods=4, limited: limits.memory=1Gi,pods=9",
            ("diag.D060", "the quota small is used up: 1Gi of 1Gi limits.memory, 4 of 9 pods used"),
        ),
        (
            'pods "web-1" is forbidden: failed quota: small: must specify limits.cpu for: web',
            ("diag.D060", "the quota small wants limits.cpu said of each pod"),
        ),
        ("no such thing", None),
    ],
)
def test_a_refusal_names_the_rule(said, expected):
    cause = refusal(said)
    assert (cause and cause[:2]) == expected


def test_what_the_runtime_measured_tells_a_start_without_processor():
    said = "start-up is slow: the processor was withheld for 8.1 of 9.0 s"
    evidence = crashed(f"{said}\n", symptom=Symptom.UNREADY)
    container = evidence.trouble.pod["spec"]["containers"][0]
    container["resources"] = {"limits": {"cpu": "50m"}}
    cause = explain(evidence)
    assert (cause.id, cause.line) == ("diag.D048", said.removeprefix("start-up is slow: the "))
    assert cause.cause == "its start got no processor for 8.1 of 9.0 s: limits.cpu is 50m"


def test_a_refused_migration_is_told_by_its_finding_and_not_by_the_line_for_machines():
    finding = {"id": "migration.E404", "message": "renames posts.title", "place": "posts.0003", "hint": "split it"}
    event = json.dumps({"event": "refused", "findings": [finding]})
    evidence = crashed(f"Operations to perform:\n{EVENT}{event}\n")
    found = conclude(evidence, Seen([evidence.workload]))
    assert (found.id, found.hint, found.lines) == (
        "diag.D077",
        "split it",
        ("posts.0003: renames posts.title  (migration.E404)",),
    )
    assert found.log == ("Operations to perform:",)


def test_memory_is_told_beside_what_its_like_use():
    evidence, _ = failure("memory")
    assert "its like use 143Mi now" in explain(evidence._replace(usual="143Mi")).hint


def test_each_cause_that_ends_a_wait_is_one():
    page = (ROOT / "docs/reference/diagnoses.md").read_text()
    assert {one for one in HOPELESS if f"### {one} " not in page} == set()


def test_every_cause_is_documented():
    sources = Path(causes.__file__).parent.glob("*.py")
    raised = {found for file in sources for found in re.findall(r"diag\.D\d{3}", file.read_text())}
    page = (ROOT / "docs/reference/diagnoses.md").read_text()
    documented = re.findall(r"^#+ (diag\.D\d{3})\b", page, re.MULTILINE)
    assert sorted(raised) == documented


def test_troubles_are_hopeless_some_day():
    for name in ("crash", "image-missing", "no-secret", "no-cpu", "no-command", "image-never", "image-name"):
        evidence, _ = failure(name)
        assert evidence.trouble.fatal(LATER), name


@pytest.mark.parametrize(
    "line",
    [
        "a" * N,
        "/a" * N,
        "1." * N,
        "python " * N,
        "redis://a:" * N,
        "A_B " * N,
        '{"a":' * N,
        f'File "a", line {"1" * N}',
    ],
    ids=lambda line: line[:8],
)
@pytest.mark.parametrize("symptom", [Symptom.CRASH, Symptom.UNREADY])
def test_a_line_without_end_is_read_in_time_and_shown_in_part(line, symptom):
    ended = (
        f'Traceback (most recent call last):\n  File "/app/blog/urls.py", line 1, in f\n    {line}\nValueError: {line}'
    )
    evidence = crashed("\n".join((ended, line)), symptom=symptom)
    began = time.process_time()
    found = conclude(evidence, Seen([evidence.workload]))
    assert time.process_time() - began < 20
    assert found.id == "diag.D024"
    assert max(map(len, found.text.splitlines())) < 2100


def test_no_cut_shows_a_part_of_a_password():
    address = f"redis://app:{'hunter2' * 1000}@cache:6379/0"
    for before in range(0, 2000, 100):
        found = conclude(crashed(f"{'a' * before} {address}"), Seen([crashed("").workload]))
        assert "hunter2" not in found.text


def test_all_of_a_password_with_an_at_in_it_is_hidden():
    found = conclude(crashed("ValueError: redis://app:hun@ter2@cache:6379/0"), Seen([crashed("").workload]))
    assert "redis://app:***@cache:6379/0" in found.text
    assert "ter2" not in found.text


@pytest.mark.parametrize(
    "said",
    [
        'psycopg.errors.UndefinedColumn: column "timeout" does not exist',
        "django.db.utils.ProgrammingError: column blog_post.timeout does not exist",
        "django.db.utils.IntegrityError: duplicate key value violates unique constraint\nDETAIL:  (state)=(refused)",
        "django.db.utils.DataError: invalid input syntax for type integer: 'timed out'",
        "ZeroDivisionError: division by zero",
    ],
)
def test_a_database_that_answers_is_not_told_as_one_that_does_not(said):
    waited = "nuages: start-up waits for the database: OperationalError: connection refused\n"
    raised = 'Traceback (most recent call last):\n  File "/app/blog/urls.py", line 1, in f\n'
    assert explain(crashed(f"{waited}{raised}{said}")).id == "diag.D024"


def test_a_file_that_the_project_does_not_find_is_not_told_as_its_program():
    raised = 'Traceback (most recent call last):\n  File "/app/blog/urls.py", line 1, in f\nValueError: no\n'
    assert explain(crashed(f"can't open file '/data/posts.csv'\n{raised}")).id == "diag.D024"
