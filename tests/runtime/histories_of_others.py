"""Histories as they are met in other people's projects: keys, names, what lies between two models, and hands."""

from __future__ import annotations

from histories_of_columns import AT_ONCE, HEADLINE, NOTE_GONE, REMOVE_NOTE, RENAME, TAGGED, TAGS
from history import (
    AUTHOR,
    AUTHORS,
    COLOR,
    ID,
    NOTE,
    OLD,
    POST,
    SUBTITLE,
    TITLE,
    VIEWS,
    History,
    add,
    adds,
    alter,
    alters,
    changed,
    with_field,
    with_meta,
)

FIRST = "Migration.dependencies = []\nMigration.initial = True\n"
SQUASH = 'Migration.replaces = [("LABEL", "0001_initial"), ("LABEL", "0002")]\n' + FIRST + "---\n*INITIAL,\n"
FILL = "def fill(apps, schema_editor):\n    apps.get_model('LABEL', 'Post').objects.update(note='filled')\n---\n"

# What happens within one migration is as much as what happens in two.
AT_A_TIME = [
    History(
        "removed_and_made_again_at_once",
        "refused",
        later={"0002": f"{REMOVE_NOTE}, {add(NOTE)}"},
        staged=AT_ONCE,
        why="LABEL.0002 put something else under the name",
    ),
    History(
        "name_taken_by_another_at_once",
        "undo",
        changed((TITLE, f"{TITLE}\n    headline = models.CharField(max_length=30)")),
        {
            "0002": 'migrations.RenameField("post", "title", "headline"),'
            + add('title = models.CharField(max_length=30, default="new")')
        },
        staged=AT_ONCE,
    ),
    History(
        "table_made_again_at_once",
        "refused",
        old=AUTHOR + "\nclass Word(models.Model):\n    word = models.CharField(max_length=10)\n",
        new=AUTHOR + "\nclass Word(models.Model):\n    word = models.CharField(max_length=10)\n",
        later={
            "0002": f'migrations.DeleteModel("Word"), migrations.CreateModel("Word", [{ID},'
            ' ("word", models.CharField(max_length=10))]),'
        },
        staged=AT_ONCE,
    ),
    History(
        "two_fields_swap_their_names",
        "undo",
        later={
            "0002": 'migrations.RenameField("post", "title", "x"), migrations.RenameField("post", "subtitle", "title"),'
            ' migrations.RenameField("post", "x", "subtitle"),'
        },
        staged=AT_ONCE,
    ),
    History(
        "renamed_and_back",
        "safe",
        later={"0002": RENAME + 'migrations.RenameField("post", "headline", "subtitle"),'},
        staged=AT_ONCE,
    ),
    History(
        "pairs_made_again_at_once",
        "refused",
        TAGGED,
        {"0002": f'migrations.RemoveField("post", "tags"), {add(TAGS)}'},
        old=TAGGED,
        staged=AT_ONCE,
    ),
]

SELF = "related = models.ManyToManyField('self')"
RELATED = with_field(SELF)
TAGGING = """
class Tagging(models.Model):
    post = models.ForeignKey(Post, models.CASCADE)
    author = models.ForeignKey(Author, models.CASCADE)

    class Meta:
        db_table = "LABEL_post_tags"
        unique_together = [("post", "author")]
"""
THROUGH = with_field("tags = models.ManyToManyField(Author, related_name='tagged', through='Tagging')") + TAGGING
TO_THROUGH = """
migrations.SeparateDatabaseAndState(state_operations=[
    migrations.CreateModel("Tagging", [
        ("id", models.BigAutoField(primary_key=True)),
        ("post", models.ForeignKey("LABEL.post", models.CASCADE)),
        ("author", models.ForeignKey("LABEL.author", models.CASCADE)),
    ], options={"db_table": "LABEL_post_tags", "unique_together": {("post", "author")}}),
    migrations.AlterField(
        "post", "tags", models.ManyToManyField("LABEL.author", related_name="tagged", through="LABEL.Tagging")
    ),
]),
"""
SINCE = "since = models.IntegerField(default=1)"
SINCE_ADDED = 'migrations.AddField("tagging", "since", models.IntegerField(default=1)),'
WITH_SINCE = THROUGH.replace("\n    class Meta", f"    {SINCE}\n\n    class Meta")

BETWEEN = [
    History("model_between_two", "safe", THROUGH, {"0002": TO_THROUGH}, old=TAGGED),
    History(
        "model_between_two_with_more",
        "undo",
        WITH_SINCE,
        {"0002": TO_THROUGH, "0003": SINCE_ADDED},
        old=TAGGED,
        staged="safe",
    ),
    History(
        "model_related_to_itself_renamed",
        "undo",
        RELATED.replace("Post", "Article"),
        {"0002": 'migrations.RenameModel("Post", "Article"),'},
        old=RELATED,
        staged=AT_ONCE,
    ),
    History(
        "model_that_others_lead_to_renamed",
        "undo",
        TAGGED.replace("Author", "Writer"),
        {"0002": 'migrations.RenameModel("Author", "Writer"),'},
        old=TAGGED,
        staged=AT_ONCE,
    ),
    History(
        "model_renamed_and_its_table_kept",
        "safe",
        with_meta('db_table = "LABEL_post"').replace("Post", "Article"),
        {"0002": 'migrations.AlterModelTable("Post", "LABEL_post"), migrations.RenameModel("Post", "Article"),'},
    ),
    History(
        "model_with_many_renamed_and_its_table_kept",
        "undo",
        TAGGED.replace("Post", "Article") + "\n    class Meta:\n        db_table = 'LABEL_post'\n",
        {"0002": 'migrations.AlterModelTable("Post", "LABEL_post"), migrations.RenameModel("Post", "Article"),'},
        old=TAGGED,
        staged=AT_ONCE,
    ),
    History(
        "many_to_many_renamed",
        "undo",
        TAGGED.replace("    tags =", "    marks ="),
        {"0002": 'migrations.RenameField("post", "tags", "marks"),'},
        old=TAGGED,
        staged=AT_ONCE,
    ),
    History(
        "one_becomes_many",
        "refused",
        changed((AUTHORS, "authors = models.ManyToManyField(Author)")),
        {
            "0002": 'migrations.AddField("post", "authors", models.ManyToManyField("LABEL.author", related_name="+")),'
            ' migrations.RemoveField("post", "author"),'
            ' migrations.AlterField("post", "authors", models.ManyToManyField("LABEL.author")),'
        },
        staged="degraded",
    ),
]

READER = "\nclass Reader(models.Model):\n    name = models.CharField(max_length=30)\n"
READERS = AUTHOR + READER + POST
FOREIGN = "author = models.ForeignKey('LABEL.Author', models.CASCADE)"
LOOSE = "author = models.ForeignKey(Author, models.CASCADE, db_constraint=False)"
ONE = "author = models.OneToOneField(Author, models.CASCADE)"
EMPTY = "author = models.ForeignKey(Author, models.SET_NULL, null=True)"
BY_DATABASE = "author = models.ForeignKey(Author, models.DB_CASCADE)"
VIDEO = "\nclass Video(Post):\n    length = models.IntegerField()\n"
COUNTED = AUTHOR.replace("(models.Model):", "(models.Model):\n    id = models.AutoField(primary_key=True)")
UNCOUNTED = COUNTED.replace("AutoField", "IntegerField")

MOVED = """
Migration.nuages = "expand"
---
migrations.RunSQL(
    "UPDATE LABEL_reader SET id = id + 100; UPDATE LABEL_post SET author_id = author_id + 100", "SELECT 1"
),
"""
KEYS = [
    History(
        "foreign_key_to_another_model",
        "refused",
        changed((AUTHORS, AUTHORS.replace("Author", "Reader")), of=READERS),
        {
            "0002": alter(LOOSE),
            "0003": MOVED,
            "0004": alter(AUTHORS).replace("LABEL.author", "LABEL.reader"),
        },
        old=READERS,
        staged=AT_ONCE,
        why="refers to LABEL_reader",
    ),
    alters("foreign_key_renamed_in_python", "safe", AUTHORS, AUTHORS.replace(")", ", db_column='author_id')"))._replace(
        new=changed((AUTHORS, "writer = models.ForeignKey(Author, models.CASCADE, db_column='author_id')")),
        later={
            "0002": alter("author = models.ForeignKey(Author, models.CASCADE, db_column='author_id')")
            + 'migrations.RenameField("post", "author", "writer"),'
        },
    ),
    History(
        "foreign_key_renamed",
        "undo",
        changed((AUTHORS, AUTHORS.replace("author =", "writer ="))),
        {"0002": 'migrations.RenameField("post", "author", "writer"),'},
        staged=AT_ONCE,
    ),
    alters("foreign_key_that_may_be_empty", "degraded", AUTHORS, EMPTY, why="may be NULL"),
    alters("foreign_key_held_from_now_on", "degraded", LOOSE, AUTHORS, old=changed((AUTHORS, LOOSE)), staged="safe"),
    alters("one_to_one_becomes_foreign_key", "degraded", ONE, AUTHORS, old=changed((AUTHORS, ONE))),
    alters("deleted_by_the_database", "safe", AUTHORS, BY_DATABASE, django=(6, 1)),
    alters(
        "deleted_by_the_database_no_more",
        "degraded",
        BY_DATABASE,
        AUTHORS,
        old=changed((AUTHORS, BY_DATABASE)),
        django=(6, 1),
        why="can't be deleted",
    ),
    alters("delete_is_told_otherwise", "safe", AUTHORS, AUTHORS.replace("CASCADE", "CASCADE, related_name='texts'")),
    History(
        "key_no_longer_counted",
        "undo",
        UNCOUNTED,
        {"0002": 'migrations.AlterField("author", "id", models.IntegerField(primary_key=True)),'},
        old=COUNTED,
        staged=AT_ONCE,
        why="which has no default",
    ),
    History(
        "child_model_dropped",
        "refused",
        OLD,
        {"0002": 'migrations.DeleteModel("Video"),'},
        old=OLD + VIDEO,
        staged="safe",
    ),
    History(
        "field_moved_to_the_parent",
        "refused",
        with_field("length = models.IntegerField(null=True)") + "\nclass Video(Post):\n    pass\n",
        {
            "0002": 'migrations.RemoveField("video", "length"),'
            ' migrations.AddField("post", "length", models.IntegerField(null=True)),'
        },
        old=OLD + VIDEO,
        staged="degraded",
    ),
    History(
        "model_dropped_that_is_referred_to",
        "refused",
        NOTE_GONE.replace(AUTHOR, "").replace(f"    {AUTHORS}\n", ""),
        {
            "0002": f'{REMOVE_NOTE}, migrations.RemoveField("post", "author"), migrations.DeleteModel("Author"),',
        },
        staged="degraded",
    ),
    History(
        "order_no_more",
        "refused",
        later={"0002": 'migrations.AlterOrderWithRespectTo("post", None),'},
        old=with_meta('order_with_respect_to = "author"'),
        staged="degraded",
    ),
    History(
        "parts_of_a_key",
        "safe",
        OLD + "\nclass Mark(models.Model):\n    pk = models.CompositePrimaryKey('post_id', 'word')\n"
        "    post = models.ForeignKey(Post, models.CASCADE)\n    word = models.CharField(max_length=20)\n"
        "    more = models.IntegerField(null=True)\n",
        {"0002": 'migrations.AddField("mark", "more", models.IntegerField(null=True)),'},
        old=OLD + "\nclass Mark(models.Model):\n    pk = models.CompositePrimaryKey('post_id', 'word')\n"
        "    post = models.ForeignKey(Post, models.CASCADE)\n    word = models.CharField(max_length=20)\n",
        django=(5, 2),
    ),
]

TOGETHER = with_meta('unique_together = [("title", "views")]')
TWO = 'models.UniqueConstraint(fields=["title", "views"], name="LABEL_two")'


FILLED = """
Migration.nuages = "expand"
---
migrations.RunSQL("UPDATE LABEL_post SET color = id", "SELECT 1"),
"""


def holds(name: str, verdict: str, constraint: str, field: str = "", fills: str = "", **more: object) -> History:
    """A constraint of Post, and a field that it is about, which is filled first."""
    meta = f"constraints = [{constraint}]"
    new = changed((AUTHORS, f"{AUTHORS}\n    {field}\n\n    class Meta:\n        {meta}"))
    constrain = f'migrations.AddConstraint("post", {constraint}),'
    later = (
        {"0002": add(field), "0003": fills, "0004": constrain}
        if fills
        else {"0002": (add(field) if field else "") + constrain}
    )
    return History(name, verdict, new, later)._replace(**more)


HOLDS = [
    History(
        "unique_together_added",
        "degraded",
        TOGETHER,
        {"0002": 'migrations.AlterUniqueTogether("post", {("title", "views")}),'},
        staged="safe",
    ),
    History(
        "unique_together_removed",
        "degraded",
        later={"0002": 'migrations.AlterUniqueTogether("post", set()),'},
        old=TOGETHER,
    ),
    History(
        "unique_together_becomes_a_constraint",
        "safe",
        with_meta(f"constraints = [{TWO}]"),
        {"0002": f'migrations.AlterUniqueTogether("post", set()), migrations.AddConstraint("post", {TWO}),'},
        old=TOGETHER,
    ),
    History(
        "constraint_renamed",
        "safe",
        with_meta(f"constraints = [{TWO}]").replace("LABEL_two", "LABEL_pair"),
        {
            "0002": 'migrations.RemoveConstraint("post", "LABEL_two"),'
            f' migrations.AddConstraint("post", {TWO.replace("LABEL_two", "LABEL_pair")}),'
        },
        old=with_meta(f"constraints = [{TWO}]"),
    ),
    holds(
        "unique_by_an_expression",
        "degraded",
        'models.UniqueConstraint(models.functions.Lower("title"), name="LABEL_lower")',
        staged="safe",
    ),
    holds(
        "unique_at_the_end",
        "degraded",
        'models.UniqueConstraint(fields=["title"], name="LABEL_late", deferrable=models.Deferrable.DEFERRED)',
        staged="safe",
    ),
    holds(
        "unique_with_nulls_alike",
        "undo",
        'models.UniqueConstraint(fields=["color"], nulls_distinct=False, name="LABEL_alike")',
        COLOR,
        fills=FILLED,
        django=(5, 0),
        staged="safe",
        why="only one more row",
    ),
    holds(
        "unique_among_marked_ones",
        "safe",
        'models.UniqueConstraint(fields=["title"], condition=models.Q(color__isnull=False), name="LABEL_marked")',
        COLOR,
        staged="safe",
    ),
    holds(
        "unique_among_those_not_deleted",
        "degraded",
        'models.UniqueConstraint(fields=["title"], condition=models.Q(deleted__isnull=True), name="LABEL_live")',
        "deleted = models.DateTimeField(null=True)",
        staged="safe",
    ),
    holds(
        "check_of_a_known_and_a_new_field",
        "safe",
        'models.CheckConstraint(CHECKED=models.Q(views__lte=models.F("most")), name="LABEL_most")',
        "most = models.BigIntegerField(null=True)",
    ),
    holds(
        "check_that_demands_a_new_field",
        "undo",
        'models.CheckConstraint(CHECKED=models.Q(color__isnull=False), name="LABEL_color")',
        COLOR,
        fills=FILLED,
        staged="safe",
    ),
    alters(
        "positive_no_more",
        "safe",
        "views = models.PositiveSmallIntegerField(default=0)",
        "views = models.IntegerField(default=0)",
        old=changed((VIEWS, "views = models.PositiveSmallIntegerField(default=0)")),
    ),
]

WORD = "\nclass Word(models.Model):\n    word = models.CharField(max_length=10)\n"
ALIEN = WORD.replace("class Word", "class Word") + "\n    class Meta:\n        db_table = 'public\".\"LABEL_words'\n"
QUOTED = with_meta('db_table = "LABEL_Big Table"')
COUNT = "order = models.IntegerField(default=1, db_column='Order by')"
LONG = "a_name_that_is_as_long_as_any_may_be_in_a_database_of_this_it = models.CharField(max_length=9, default='x')"
SMALL = "output_field=models.CharField(max_length=60), db_persist=True)"
LOWER = f"small = models.GeneratedField(expression=models.functions.Lower('title'), {SMALL}"

ODD = [
    History(
        "table_named_with_its_schema",
        "safe",
        AUTHOR + ALIEN.replace("max_length=10)", "max_length=10)\n    more = models.IntegerField(null=True)"),
        {"0002": 'migrations.AddField("word", "more", models.IntegerField(null=True)),'},
        old=AUTHOR + ALIEN,
    ),
    History(
        "names_that_want_quotes",
        "undo",
        QUOTED.replace(AUTHORS, f"{AUTHORS}\n    {COUNT}"),
        {"0002": add(COUNT)},
        old=QUOTED,
        staged="safe",
    ),
    History(
        "column_that_wants_quotes_dropped",
        "refused",
        later={"0002": 'migrations.RemoveField("post", "order"),'},
        old=with_field(COUNT),
        staged="safe",
    ),
    adds("letters_of_another_kind", "undo", "größe = models.IntegerField(default=1)", staged="safe"),
    adds("long_name", "undo", LONG, staged="safe"),
    History(
        "computed_field_dropped",
        "undo",
        later={"0002": 'migrations.RemoveField("post", "small"),'},
        old=with_field(LOWER),
        staged="safe",
        django=(5, 0),
    ),
    History(
        "computed_from_now_on",
        "refused",
        with_field(LOWER),
        {"0002": f'migrations.RemoveField("post", "small"), {add(LOWER)}'},
        old=with_field("small = models.CharField(max_length=60)"),
        staged=AT_ONCE,
        django=(5, 0),
    ),
    alters(
        "another_db_default",
        "safe",
        "note = models.TextField(db_default='none')",
        "note = models.TextField(db_default='nothing')",
        old=changed((NOTE, "note = models.TextField(db_default='none')")),
        django=(5, 0),
    ),
    alters(
        "yes_and_no_become_numbers",
        "refused",
        "yes = models.BooleanField(default=False)",
        "yes = models.IntegerField(default=0)",
        old=with_field("yes = models.BooleanField(default=False)"),
        staged=AT_ONCE,
    ),
    alters(
        "whole_numbers_become_decimals",
        "degraded",
        VIEWS,
        "views = models.DecimalField(max_digits=20, decimal_places=2, default=0)",
        staged=AT_ONCE,
    ),
    alters("a_choice_more", "safe", SUBTITLE, SUBTITLE.replace(")", ", choices=[('a', 'A'), ('b', 'B')])")),
    alters(
        "identifier_to_text",
        "refused",
        "uid = models.UUIDField(null=True)",
        "uid = models.CharField(max_length=36, null=True)",
        old=with_field("uid = models.UUIDField(null=True)"),
        staged=AT_ONCE,
    ),
    History(
        "proxy_gone",
        "safe",
        later={"0002": 'migrations.DeleteModel("Loud"),'},
        old=OLD + "\nclass Loud(Post):\n    class Meta:\n        proxy = True\n",
    ),
]

TOLD = [
    History(
        "squashed_with_a_rename",
        "refused",
        HEADLINE,
        {"0002": RENAME, "0001_squashed": SQUASH + RENAME},
        staged=AT_ONCE,
    ),
    History(
        "squashed_with_a_drop",
        "refused",
        NOTE_GONE,
        {"0002": REMOVE_NOTE + ",", "0001_squashed": SQUASH + REMOVE_NOTE + ","},
        staged="safe",
    ),
    History(
        "squashed_without_its_code",
        "unknown",
        later={
            "0002": FILL + "migrations.RunPython(fill, migrations.RunPython.noop, elidable=True),",
            "0001_squashed": SQUASH,
        },
    ),
    History(
        "squash_of_a_squash",
        "safe",
        later={
            "0001_squashed_again": SQUASH.replace(
                '("LABEL", "0001_initial"), ("LABEL", "0002")', '("LABEL", "0001_squashed"), ("LABEL", "0003")'
            ),
        },
        earlier={
            "0002": alter("views = models.IntegerField(default=0, help_text='clicks')"),
            "0003": alter(VIEWS),
        },
        django=(6, 0),
    ),
    History(
        "renamed_by_hand_and_faked",
        "undo",
        HEADLINE,
        {"0002": RENAME},
        fakes=("0002",),
        by_hand="ALTER TABLE LABEL_post RENAME COLUMN subtitle TO headline",
    ),
    History(
        "migration_under_another_name",
        "safe",
        with_field(COLOR),
        {"0002_color": 'Migration.dependencies = [("LABEL", "0001_initial")]\n---\n' + add(COLOR)},
        old=OLD,
        earlier={},
        gone=(),
    ),
    History(
        "code_that_may_be_left_out",
        "unknown",
        later={"0002": FILL + "migrations.RunPython(fill, migrations.RunPython.noop, elidable=True),"},
    ),
    History(
        "code_that_only_goes_back",
        "safe",
        later={"0002": FILL + "migrations.RunPython(migrations.RunPython.noop, fill),"},
    ),
    History(
        "code_in_the_other_database", "unknown", later={"0002": FILL + "migrations.RunPython(fill),"}, alias="other"
    ),
    History(
        "sql_told_and_declared",
        "safe",
        with_field(COLOR),
        {
            "0002": 'Migration.nuages = "expand"\n---\nmigrations.RunSQL("ALTER TABLE LABEL_post ADD color varchar(9)",'
            f' "ALTER TABLE LABEL_post DROP color", [{add(COLOR)}]),'
        },
    ),
    History(
        "sql_told_and_declared_and_not_null",
        "undo",
        with_field("color = models.CharField(max_length=9)"),
        {
            "0002": 'Migration.nuages = "expand"\n---\n'
            "migrations.RunSQL(\"ALTER TABLE LABEL_post ADD color varchar(9) NOT NULL DEFAULT 'x';"
            ' ALTER TABLE LABEL_post ALTER color DROP DEFAULT",'
            ' "ALTER TABLE LABEL_post DROP color",'
            f" [{add('color = models.CharField(max_length=9, default=1)')}]),"
        },
    ),
    History("moved_to_another_schema", "refused", sql="CREATE SCHEMA LABEL; ALTER TABLE LABEL_post SET SCHEMA LABEL"),
    History("made_unique_by_hand", "degraded", sql="CREATE UNIQUE INDEX LABEL_by_hand ON LABEL_post (title)"),
    History("not_null_by_hand", "degraded", sql="ALTER TABLE LABEL_post ALTER note SET NOT NULL"),
    History(
        "column_of_another_system",
        "refused",
        sql="ALTER TABLE LABEL_post ADD x int NOT NULL DEFAULT 1; ALTER TABLE LABEL_post ALTER x DROP DEFAULT",
    ),
    History("no_counter_by_hand", "refused", sql="ALTER TABLE LABEL_post ALTER id DROP IDENTITY"),
    History("trigger_by_hand", "safe", sql="CREATE INDEX LABEL_hand ON LABEL_post (lower(title))"),
    History("all_unapplied", "refused", back_to="zero", sql="SELECT 1"),
]

OF_OTHERS = [*AT_A_TIME, *BETWEEN, *KEYS, *HOLDS, *ODD, *TOLD]
