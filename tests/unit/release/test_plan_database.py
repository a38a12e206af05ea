"""What a project says of its databases becomes the plan's: with sizes, without secrets, and what will be there then."""

from __future__ import annotations

import msgspec
import pytest

from nuages.errors import CommandFailed
from nuages.release.asking import Key, _read, question, standalone
from nuages.release.pending import Answer
from nuages.release.plan.database import _after, _gates, _pending

pytestmark = pytest.mark.unit

ANSWER = {
    "schema": 1,
    "databases": {
        "default": {
            "vendor": "postgresql",
            "version": "17.2",
            "pending": [
                {
                    "app": "posts",
                    "name": "0003_more",
                    "operations": [
                        {
                            "text": "Raw SQL operation",
                            "kind": "expand",
                            "statements": [
                                {
                                    "sql": "INSERT INTO sites VALUES ('postgres://u:hunter2@db/x', 's3cr3t-value')",
                                    "locks": [
                                        {"table": "sites", "mode": "RowExclusiveLock"},
                                        {"table": "posts_post", "mode": "ShareLock"},
                                    ],
                                    "new-field": 1,
                                }
                            ],
                        }
                    ],
                }
            ],
            "journal": [
                {"release": 2, "app": "posts", "migration": "0002_x", "kind": "contract", "sql": "DROP s3cr3t-value"}
            ],
            "tables": {"posts_post": {"rows": 12, "bytes": 8192}},
            "schema": {"vendor": "postgresql", "live": {}, "applied": ["posts.0001_initial"]},
            "after": {"posts_post": {"columns": {"id": {"type": "bigint"}}}},
        }
    },
    "gates": [{"id": "migration.E402", "level": "error", "message": "models of posts have changed", "place": "posts"}],
}


def hide(text: str) -> str:
    return text.replace("s3cr3t-value", "***")


@pytest.fixture
def answer() -> Answer:
    return msgspec.convert(ANSWER, Answer)


def test_statements_have_the_sizes_of_what_they_lock_and_no_secret(answer: Answer) -> None:
    found = _pending("default", answer.databases["default"], hide)
    (statement,) = found.migrations[0].operations[0].statements
    assert statement.sql == "INSERT INTO sites VALUES ('postgres://u:***@db/x', '***')"
    assert [(one.table, one.rows, one.bytes) for one in statement.locks] == [
        ("sites", None, None),
        ("posts_post", 12, 8192),
    ]
    (held,) = found.held
    assert (held.migration, held.sql) == ("posts.0002_x", "DROP ***")


def test_what_will_be_there_is_what_was_rehearsed_with_what_is_pending_applied(answer: Answer) -> None:
    after = _after(answer)
    assert after is not None
    assert after.databases["default"].applied == ("posts.0001_initial", "posts.0003_more")
    assert list(after.databases["default"].live or {}) == ["posts_post"]


def test_what_could_not_be_rehearsed_is_not_known_afterwards() -> None:
    changed = {**ANSWER, "databases": {"default": {**ANSWER["databases"]["default"], "after": None}}}
    assert _after(msgspec.convert(changed, Answer)) is None


def test_a_gate_is_a_finding_of_its_own_id(answer: Answer) -> None:
    (finding,) = _gates(answer)
    assert (finding.id, finding.level, str(finding.place)) == ("migration.E402", "error", "posts")


@pytest.mark.parametrize(
    "log",
    [
        '{"schema": 1, "gates": []}',
        'a project prints\n@nuages {"schema": 1, "gates": []}\nafter it too\n',
        '{"level": "info", "message": "a log in JSON"}\n{"schema": 1, "gates": []}\n{"level": "warning"}\n',
    ],
)
def test_the_answer_is_found_in_whatever_else_is_printed(log: str) -> None:
    assert _read(log, 0, "blog-plan-x", Answer).schema == 1


@pytest.mark.parametrize(
    ("log", "code", "message", "detail", "hint"),
    [
        (
            'Traceback (most recent call last):\n  File "/app/blog/settings.py", line 4, in <module>\n    x\n'
            "ValueError: postgres://u:hunter2@db/x\n",
            1,
            "blog-plan-x ended with exit code 1",
            "ValueError: postgres://u:***@db/x\nblog/settings.py:4",
            "",
        ),
        (
            "/venv/bin/python: No module named nuages_runtime.migrations\n",
            1,
            "blog-plan-x ended with exit code 1",
            "/venv/bin/python: No module named nuages_runtime.migrations",
            "an older nuages built the image: build it again",
        ),
        ("nothing of use\n", 0, "blog-plan-x gave no answer", "nothing of use", ""),
    ],
)
def test_what_is_no_answer_is_told_in_the_line_that_matters(log, code, message, detail, hint) -> None:
    with pytest.raises(CommandFailed) as failed:
        _read(log, code, "blog-plan-x", Answer)
    assert (failed.value.message, failed.value.detail, failed.value.hint) == (message, detail, hint)


JOB = {
    "metadata": {"name": "blog-migrate", "namespace": "blog", "labels": {"app.kubernetes.io/name": "blog"}},
    "spec": {
        "template": {
            "metadata": {"labels": {"app.kubernetes.io/component": "migrate"}},
            "spec": {
                "containers": [
                    {
                        "command": ["python", "-m", "nuages_runtime.migrate"],
                        "args": ["--stage", "expand"],
                        "envFrom": [
                            {"configMapRef": {"name": "env-1"}},
                            {"secretRef": {"name": "secrets-1"}},
                        ],
                        "env": [{"name": "NUAGES_COMPONENT", "value": "migrate"}],
                    }
                ]
            },
        }
    },
}


def test_a_question_is_a_job_of_its_own_that_ends_and_goes_by_itself() -> None:
    made = question(JOB, ["python", "-m", "x"], "plan")
    container = made["spec"]["template"]["spec"]["containers"][0]
    assert made["metadata"]["name"].startswith("blog-plan-")
    assert (container["command"], "args" in container) == (["python", "-m", "x"], False)
    assert made["spec"]["activeDeadlineSeconds"] <= 300
    assert made["spec"]["ttlSecondsAfterFinished"] <= 60
    assert made["spec"]["backoffLimit"] == 0
    assert JOB["spec"]["template"]["spec"]["containers"][0]["args"] == ["--stage", "expand"]


def test_a_release_to_come_is_asked_without_the_objects_that_it_would_make() -> None:
    kept = {"SECRET_KEY": Key("blog-secrets", "SECRET_KEY"), "NEW": None}
    made = standalone(JOB, {"PRICE": "$(HOME) is $5"}, kept)
    container = made["spec"]["template"]["spec"]["containers"][0]
    assert container["envFrom"] == []
    known = {one["name"]: one.get("value", one.get("valueFrom")) for one in container["env"]}
    assert known["PRICE"] == "$$(HOME) is $$5"
    assert known["SECRET_KEY"] == {"secretKeyRef": {"name": "blog-secrets", "key": "SECRET_KEY"}}
    assert len(known["NEW"]) == 64
    assert known["NUAGES_COMPONENT"] == "migrate"
