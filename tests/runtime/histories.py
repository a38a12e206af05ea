"""What may happen to a database between two releases, each with the verdict on going back that is right.

Each history is an app of its own in one project of two checkouts: the earlier release has the models `old` and what
`earlier` says, the later one has `new` and `later` besides. What really happens is found out by prove.py.
"""

from __future__ import annotations

from histories_of_columns import ADDED, AT_ONCE, HEADLINE, INDEXED, RENAME, RENAMED, TAKEN_AWAY, TYPES
from histories_of_others import OF_OTHERS
from history import COLOR, NOTE, OLD, TITLE, VIEWS, History, add, adds, alter, alters, removes, with_field, with_meta

UNIQUE = 'models.UniqueConstraint(fields=["title"], name="LABEL_title")'
PART = 'models.UniqueConstraint(fields=["title"], condition=models.Q(views=0), name="LABEL_part")'
CHECK = 'models.CheckConstraint(CHECKED=models.Q(views__gte=0), name="LABEL_views")'


def constrains(name: str, verdict: str, constraint: str, **more: object) -> History:
    """A constraint is added to Post."""
    new, later = with_meta(f"constraints = [{constraint}]"), f'migrations.AddConstraint("post", {constraint}),'
    return History(name, verdict, new, {"0002": later})._replace(**more)


HELD = [
    constrains("unique_added", "degraded", UNIQUE, why="title that is there already", staged="safe"),
    alters(
        "unique_field",
        "degraded",
        TITLE,
        "title = models.CharField(max_length=30, unique=True)",
        why="title that is there already",
        staged="safe",
    ),
    constrains("partly_unique_added", "degraded", PART, staged="safe"),
    constrains("check_added", "degraded", CHECK, why="LABEL_views", staged="safe"),
    alters("positive_from_now_on", "degraded", VIEWS, "views = models.PositiveIntegerField(default=0)", staged="safe"),
    History(
        "unique_removed",
        "degraded",
        later={"0002": 'migrations.RemoveConstraint("post", "LABEL_title"),'},
        old=with_meta(f"constraints = [{UNIQUE}]"),
        why="may have the same title",
    ),
    History(
        "check_removed",
        "safe",
        later={"0002": 'migrations.RemoveConstraint("post", "LABEL_views"),'},
        old=with_meta(f"constraints = [{CHECK}]"),
    ),
    History(
        "index_added",
        "safe",
        INDEXED,
        {"0002": 'migrations.AddIndex("post", models.Index(fields=["views"], name="LABEL_views")),'},
    ),
    History("index_removed", "safe", later={"0002": 'migrations.RemoveIndex("post", "LABEL_views"),'}, old=INDEXED),
    History(
        "reference_by_hand",
        "degraded",
        sql="ALTER TABLE LABEL_post ADD FOREIGN KEY (views) REFERENCES LABEL_author (id) NOT VALID",
        why="is not in LABEL_author",
    ),
]

FILL = "def fill(apps, schema_editor):\n    apps.get_model('LABEL', 'Post').objects.update(note='filled')\n"
BACK = "def back(apps, schema_editor): ...\n"
OWN = """
class Own(migrations.operations.base.Operation):
    reduces_to_sql = False

    def state_forwards(self, app_label, state): ...

    def database_forwards(self, app_label, schema_editor, from_state, to_state): ...
---
Own(),
"""

CODE = [
    History("code_with_a_way_back", "unknown", later={"0002": f"{FILL}{BACK}---\nmigrations.RunPython(fill, back),"}),
    History(
        "code_without_a_way_back",
        "unknown",
        later={"0002": f"{FILL}---\nmigrations.RunPython(fill),"},
        why="LABEL.0002",
    ),
    History("code_that_does_nothing", "safe", later={"0002": "migrations.RunPython(migrations.RunPython.noop),"}),
    History(
        "declared_code",
        "safe",
        with_field(COLOR),
        {
            "0002": add(COLOR),
            "0003": f'{FILL.replace("note=", "color=")}Migration.nuages = "backfill"\n---\nmigrations.RunPython(fill),',
        },
    ),
    History(
        "code_before_a_rename",
        "unknown",
        HEADLINE,
        {"0002": f"{FILL}{BACK}---\nmigrations.RunPython(fill, back),", "0003": RENAME},
        why="also with LABEL.0003 undone",
        staged=AT_ONCE,
    ),
    History(
        "rename_and_code_without_a_way_back",
        "refused",
        HEADLINE,
        {"0002": RENAME, "0003": f"{FILL}---\nmigrations.RunPython(fill),"},
        why="LABEL.0002 renamed",
        staged=AT_ONCE,
    ),
    History("sql", "unknown", later={"0002": "migrations.RunSQL(\"UPDATE LABEL_post SET note = 'filled'\"),"}),
    History("an_operation_of_ones_own", "unknown", later={"0002": OWN}, staged=AT_ONCE),
]

HELP = {"0002": alter("views = models.IntegerField(default=0, help_text='clicks')")}
MINE = {"0002_mine": HELP["0002"]}
FIRST = "Migration.dependencies = []\nMigration.initial = True\n"
YOURS = 'Migration.dependencies = [("LABEL", "0001_initial")]\n---\n'
MERGE = 'Migration.dependencies = [("LABEL", "0002_mine"), ("LABEL", "0002_yours")]\n---\n'


def squash(*names: str) -> str:
    """The head of a squash of them."""
    replaced = ", ".join(f'("LABEL", "{name}")' for name in names)
    return f"Migration.replaces = [{replaced}]\n{FIRST}---\n*INITIAL,\n"


NAMES = [
    History("squashed", "safe", later={"0001_squashed": squash("0001_initial", "0002")}, earlier=HELP),
    History(
        "squashed_with_something_new",
        "safe",
        with_field(COLOR),
        {"0003": add(COLOR), "0001_squashed": squash("0001_initial", "0002", "0003") + add(COLOR)},
        earlier=HELP,
    ),
    History(
        "squashed_and_tidied_up",
        "safe",
        later={"0001_squashed": f"{FIRST}---\n*INITIAL,"},
        earlier=HELP,
        gone=("0001_initial", "0002"),
        fakes=("0001_squashed",),
    ),
    History(
        "squashed_and_pruned",
        "refused",
        later={"0001_squashed": f"{FIRST}---\n*INITIAL,"},
        earlier=HELP,
        gone=("0001_initial", "0002"),
        fakes=("0001_squashed",),
        sql="DELETE FROM django_migrations WHERE app = 'LABEL' AND name IN ('0001_initial', '0002')",
        why="no longer recorded",
    ),
    History("merged", "safe", with_field(COLOR), {"0002_yours": YOURS + add(COLOR), "0003_merge": MERGE}, earlier=MINE),
    History(
        "merged_with_a_rename",
        "undo",
        HEADLINE,
        {"0002_yours": YOURS + RENAME, "0003_merge": MERGE},
        earlier=MINE,
        why="LABEL.0003_merge, LABEL.0002_yours undone",
        staged=AT_ONCE,
    ),
    History(
        "unapplied_by_hand", "refused", earlier={"0002": add(COLOR)}, back_to="0001_initial", why="no longer recorded"
    ),
]

OUTSIDE = """
class Legacy(models.Model):
    word = models.CharField(max_length=10)

    class Meta:
        managed = False
        db_table = "LABEL_legacy"
"""
LEGACY = OLD + OUTSIDE
MADE_OUTSIDE = 'migrations.RunSQL("CREATE TABLE LABEL_legacy (id bigserial PRIMARY KEY, word varchar(10) NOT NULL)"),'

ELSEWHERE = [
    History("table_of_another_system", "safe", LEGACY, old=LEGACY),
    History(
        "table_of_another_system_dropped",
        "refused",
        LEGACY,
        old=LEGACY,
        earlier={"0002": MADE_OUTSIDE},
        sql="DROP TABLE LABEL_legacy",
    ),
    History("field_renamed_in_the_other_database", "undo", HEADLINE, {"0002": RENAME}, alias="other", staged=AT_ONCE),
    adds("nullable_field_in_the_other_database", "safe", COLOR, alias="other"),
    removes("field_dropped_in_the_other_database", "refused", NOTE, alias="other", staged="safe"),
]

MOST = [*ADDED, *TAKEN_AWAY, *RENAMED, *TYPES, *HELD, *CODE, *NAMES, *ELSEWHERE]
HISTORIES = [*MOST, *OF_OTHERS]
