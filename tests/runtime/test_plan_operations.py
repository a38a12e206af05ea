"""The class of each operation there is, on each Django; the cases themselves are in operations_judged.py."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from environments import MATRIX, Environment

pytestmark = pytest.mark.runtime

CLASSES = {
    "state": (
        "a new model that another one stands for",
        "a foreign key to whatever model stands for that one",
        "a new proxy",
        "a new unmanaged model",
        "a new model of an app that lives elsewhere",
        "an unmanaged model is deleted",
        "a proxy is deleted",
        "a model is renamed whose table keeps its name",
        "a proxy is renamed",
        "a table gets the name that it has",
        "options of a model",
        "managers of a model",
        "a many-to-many field through a model",
        "a field of a proxy",
        "a field of an unmanaged model",
        "a field is renamed whose column keeps its name",
        "a many-to-many field is renamed whose table keeps its name",
        "choices",
        "help, a label and validators",
        "a default of Python's",
        "what a delete does, by Django",
        "the column that it has",
        "a many-to-many field with a label",
        "an extension on SQLite",
        "no code",
        "code for another database",
        "no SQL",
        "an empty list of SQL",
        "a change of the state alone",
        "a constraint says something else",
    ),
    "expand": (
        "a one-to-one becomes a foreign key",
        "a new model",
        "a new child of a model that is there",
        "a model is deleted that the running code does not know",
        "a model made in this plan is renamed",
        "a field of a model that was made and renamed in this plan is removed",
        "a table gets a comment",
        "a model is ordered with respect to another",
        "a field that may be null",
        "a field of a table that the running code does not know",
        "a field of a table made in this plan",
        "a field with a default",
        "a field that may be null on SQLite",
        "a text that may be blank, without a default",
        "a field with a one-off default",
        "a field whose default is a callable that always says the same",
        "a JSON field whose default is dict",
        "a field whose default is now",
        "a field whose default is today",
        "a field that is set when a row is made",
        "a unique field that may be null",
        "an indexed field that may be null",
        "a foreign key that may be null",
        "a foreign key with a default",
        "a one-to-one that may be null",
        "a many-to-many field",
        "a field of the name of one that was removed, which the running code does not know",
        "a field is removed that the running code does not know",
        "a many-to-many field is removed that the running code does not know",
        "a field is removed and nothing runs",
        "a field that was added in this plan is removed",
        "a field is renamed that the running code does not know",
        "a field is renamed that was added in this plan",
        "a longer text",
        "a text without end",
        "a shorter text that the running code does not know, of a small table",
        "a bigger integer of a small table",
        "a bigger key of small tables",
        "more digits",
        "an array of a size",
        "not null where the running code writes no null",
        "not null of a field of a table made in this plan",
        "null",
        "unique no more",
        "unique of a field that was added in this plan",
        "an index more",
        "another collation",
        "a comment",
        "a foreign key that the database does not hold any more",
        "an index",
        "an index concurrently",
        "an index is renamed",
        "a check of a table that the running code does not know",
        "a check is looked at",
        "a unique constraint over a field that the running code leaves out",
        "a constraint is removed",
        "unique together no more",
        "unique together becomes a constraint",
        "a unique constraint of what is unique already",
        "an extension",
        "a collation",
        "code",
        "code that is declared expand",
        "code that is declared a backfill, and nothing runs",
        "SQL",
        "SQL that drops a table that the running code does not know",
        "SQL that drops what is no column",
        "SQL that deletes some rows",
        "SQL that says drop table in a string",
        "SQL that says drop table in a comment",
        "SQL that says drop table in a function",
        "SQL that makes an index of a small table",
        "SQL that makes an index concurrently",
        "SQL that drops a table and is declared expand",
        "a field that is declared a backfill",
        "a rename that is declared expand",
        "a harmless change of the database, told as a rename",
        "a stranger's operation that does as Django's",
        "a stranger's operation, and nothing runs",
        "a stranger's operation that is declared expand",
        "a field with a default of the database",
        "a field with a default of the database on SQLite",
        "a field whose default the database computes once",
        "a field whose default the database computes for each row of a small table",
        "a generated field of a small table",
        "another default of the database",
        "not null of a field that the database fills in",
        "the database acts when a row is deleted",
        "index together",
    ),
    "backfill": (
        "code that is declared a backfill",
        "code that is marked a backfill",
        "code that is declared contract",
    ),
    "contract": (
        "a foreign key becomes a one-to-one",
        "a foreign key becomes a number of the same column",
        "a model is deleted",
        "a model is deleted with its many-to-many tables",
        "a model is ordered no more",
        "a field is removed",
        "a foreign key is removed",
        "a many-to-many field is removed",
        "a field is removed on SQLite",
        "a shorter text",
        "a text that gets an end",
        "a smaller integer",
        "fewer digits",
        "not null",
        "not null with a one-off default",
        "not null of a field that the running code does not know",
        "unique",
        "an index less",
        "a check",
        "a foreign key that the database holds from now on",
        "a number becomes a foreign key of the same column",
        "longer and not null",
        "not null, and null again",
        "an index is removed",
        "an index is removed concurrently",
        "an index is made another",
        "a check is added",
        "a check without a look at the rows",
        "a check is looked at, that waits",
        "a unique constraint",
        "a constraint is removed that waits to be made",
        "unique together",
        "a unique constraint of what still waits to be unique",
        "a unique constraint at once of what is unique at the end of a transaction",
        "a collation is removed",
        "SQL that drops a table and is declared contract",
        "a change of the database alone",
        "several changes of the database",
        "no default of the database any more",
        "a unique constraint in which nulls are the same",
        "the database acts no more when a row is deleted",
        "index together no more",
    ),
    "unsafe": (
        "a model is deleted and made again",
        "a model is renamed",
        "a model is renamed that the running code does not know",
        "a model with many-to-many fields is renamed, and its table keeps its name",
        "a model that many-to-many fields lead to is renamed, and its table keeps its name",
        "a table gets another name",
        "a field with a default on SQLite",
        "a field that may not be null and has no default",
        "a field whose default is another each time",
        "a field whose default fails",
        "a unique field with a default",
        "a unique field that may be null, with a default",
        "a one-to-one with a default",
        "a field of the name of one that was removed",
        "a field of the name of one that still waits to be dropped",
        "a many-to-many field of the name of one that was removed",
        "the key of a child is removed",
        "a field is renamed",
        "a many-to-many field is renamed",
        "a bigger integer of a large table",
        "a bigger key of a small table, with large ones that refer to it",
        "a key that is counted no more",
        "more digits behind the point",
        "a number becomes a text",
        "a date becomes a time",
        "longer elements of an array",
        "another collation of an indexed text",
        "another column",
        "a foreign key to another model",
        "a foreign key to another model, which the database does not hold",
        "a number becomes a foreign key of another column",
        "another primary key",
        "a many-to-many field becomes a text",
        "a many-to-many field gets a model between",
        "a many-to-many field to another model",
        "shorter, and longer again",
        "a constraint of exclusion",
        "code that is declared unsafe",
        "SQL that drops a table",
        "SQL that drops a column",
        "SQL that drops a column in few words",
        "SQL that renames a column",
        "SQL that renames a table",
        "SQL that changes a type",
        "SQL that makes a column not null",
        "SQL that empties a table",
        "SQL that deletes all rows",
        "SQL that makes an index of a large table",
        "a stranger's operation",
        "a stranger's operation that does more than Django's",
        "a field whose default the database computes for each row",
        "a unique field with a default of the database",
        "a generated field of a large table",
        "a generated field becomes another",
    ),
}
WANTED = {sentence: kind for kind, sentences in CLASSES.items() for sentence in sentences}


@pytest.fixture(scope="module", params=list(MATRIX))
def judged(
    request: pytest.FixtureRequest,
    environments: Callable[[str], Environment],
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, dict[str, object]]:
    folder = tmp_path_factory.mktemp("judged")
    shutil.copy(Path(__file__).with_name("operations_judged.py"), folder)
    ended = environments(request.param).run(["python", "operations_judged.py"], folder)
    assert ended.code == 0, ended.err
    return json.loads(ended.out)


def test_each_operation_has_its_class_and_says_why(judged: dict[str, dict[str, object]]) -> None:
    assert {sentence: found["kind"] for sentence, found in judged.items()} == {
        sentence: WANTED.get(sentence, "which is not in the table") for sentence in judged
    }
    assert len(judged) > 190
    for sentence, found in judged.items():
        assert found["why"] or found["kind"] == "state", sentence
        # What is held back for nobody's sake needs no advice but that; what is refused always does.
        assert found["safer"] or found["kind"] not in ("contract", "unsafe") or found["declared"], sentence


def test_an_operation_that_does_several_things_is_as_bad_as_the_worst_and_tells_each(
    judged: dict[str, dict[str, object]],
) -> None:
    assert [part["kind"] for part in judged["longer and not null"]["parts"]] == ["expand", "contract"]
    assert [part["kind"] for part in judged["several changes of the database"]["parts"]] == ["expand", "contract"]


def test_what_is_held_back_is_named_so_that_later_operations_know(judged: dict[str, dict[str, object]]) -> None:
    assert judged["a field is removed"]["holds"] == [["blog_post", "slug"]]
    assert judged["a model is deleted"]["holds"] == [["blog_page", ""]]
    assert judged["a check is added"]["holds"] == [["blog_post", "post_number"]]


def test_what_nobody_can_read_off_an_operation_is_said(judged: dict[str, dict[str, object]]) -> None:
    assert judged["code"]["opaque"]
    assert judged["SQL"]["opaque"]
    assert not judged["code that is declared a backfill"]["opaque"]
    assert not judged["a field is removed"]["opaque"]
