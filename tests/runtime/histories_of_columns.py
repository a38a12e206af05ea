"""Histories of tables and columns: added, taken away, renamed, changed."""

from __future__ import annotations

from history import (
    AUTHOR,
    AUTHORS,
    COLOR,
    ID,
    NOTE,
    OLD,
    SUBTITLE,
    TITLE,
    VIEWS,
    History,
    add,
    adds,
    alter,
    alters,
    changed,
    removes,
    with_field,
    with_meta,
)

AT_ONCE = "refused at once"
EDITOR = "editor = models.ForeignKey(Author, models.CASCADE, null=True, related_name='edited')"
LOOSE = EDITOR.replace("CASCADE", "DO_NOTHING").replace("'edited'", "'edited', db_constraint=False")
TAGS = "tags = models.ManyToManyField(Author, related_name='tagged')"
ORDER = 'order_with_respect_to = "author"'
SMALL = "output_field=models.CharField(max_length=60), db_persist=True)"
LOWER = f"small = models.GeneratedField(expression=models.functions.Lower('title'), {SMALL}"
WORD = "word = models.CharField(max_length=10)"
CREATE_TAG = f'migrations.CreateModel("Tag", [{ID}, ("word", models.CharField(max_length=10))]),'
AWARD = 'class Award(models.Model):\n    author = models.ForeignKey(Author, models.CASCADE, related_name="awards")\n'
CREATE_AWARD = f"""
migrations.CreateModel("Award", [
    {ID},
    ("author", models.ForeignKey("LABEL.author", models.CASCADE, related_name="awards")),
]),
"""
CREATE_VIDEO = """
parent = models.OneToOneField(
    "LABEL.post", models.CASCADE, auto_created=True, parent_link=True, primary_key=True, serialize=False
)
---
migrations.CreateModel("Video", [("post_ptr", parent), ("length", models.IntegerField())], bases=("LABEL.post",)),
"""
CREATE_PROXY = 'migrations.CreateModel("Loud", [], options={"proxy": True}, bases=("LABEL.post",)),'

ADDED = [
    History("nothing", "safe"),
    alters("python_only", "safe", VIEWS, "views = models.IntegerField(default=7)"),
    adds("nullable_field", "safe", COLOR),
    adds("field_left_not_null", "undo", "color = models.CharField(max_length=9, default='blue')", staged="safe"),
    adds("field_with_db_default", "safe", "color = models.CharField(max_length=9, db_default='blue')", django=(5, 0)),
    adds("generated_field", "safe", LOWER, django=(5, 0)),
    adds("unique_nullable_field", "safe", "color = models.CharField(max_length=9, null=True, unique=True)"),
    History("model_of_its_own", "safe", f"{OLD}\nclass Tag(models.Model):\n    {WORD}\n", {"0002": CREATE_TAG}),
    History("model_that_refers", "degraded", f"{OLD}\n{AWARD}", {"0002": CREATE_AWARD}, why="LABEL_award"),
    adds("foreign_key_between_known", "degraded", EDITOR, why="LABEL_post refers to"),
    adds("foreign_key_without_constraint", "safe", LOOSE),
    adds("many_to_many", "degraded", TAGS, why="LABEL_post_tags refers to"),
    History(
        "child_model",
        "degraded",
        f"{OLD}\nclass Video(Post):\n    length = models.IntegerField()\n",
        {"0002": CREATE_VIDEO},
        why="LABEL_video",
    ),
    History(
        "proxy", "safe", f"{OLD}\nclass Loud(Post):\n    class Meta:\n        proxy = True\n", {"0002": CREATE_PROXY}
    ),
    History(
        "order_column",
        "undo",
        with_meta(ORDER),
        {"0002": 'migrations.AlterOrderWithRespectTo("post", "author"),'},
        why="_order must be given",
        staged="safe",
    ),
]

NOTE_GONE = changed((NOTE, ""))
REMOVE_NOTE = 'migrations.RemoveField("post", "note")'
TAGGED = with_field(TAGS)

TAKEN_AWAY = [
    removes("field_dropped", "refused", NOTE, why="LABEL.0002 dropped LABEL_post.note, which", staged="safe"),
    removes("not_null_field_dropped", "refused", SUBTITLE, why="LABEL.0002 dropped", staged="safe"),
    removes("foreign_key_dropped", "refused", AUTHORS, why="LABEL_post.author_id", staged="degraded"),
    History(
        "model_dropped",
        "refused",
        AUTHOR,
        {"0002": 'migrations.DeleteModel("Post"),'},
        why="LABEL.0002 dropped LABEL_post, which",
        staged="safe",
    ),
    History(
        "many_to_many_dropped",
        "refused",
        old=TAGGED,
        later={"0002": 'migrations.RemoveField("post", "tags"),'},
        why="LABEL_post_tags",
        staged="safe",
    ),
    History(
        "removed_from_the_state_only",
        "safe",
        NOTE_GONE,
        {"0002": f"migrations.SeparateDatabaseAndState(state_operations=[{REMOVE_NOTE}]),"},
    ),
    History(
        "removed_from_the_database_only",
        "refused",
        NOTE_GONE,
        {"0002": f"migrations.SeparateDatabaseAndState(database_operations=[{REMOVE_NOTE}]),"},
        why="LABEL.0002 dropped",
        staged="safe",
    ),
    removes("removal_faked", "safe", NOTE, fakes=("0002",)),
    adds(
        "addition_faked", "safe", COLOR, fakes=("0002",), by_hand="ALTER TABLE LABEL_post ADD COLUMN color varchar(9)"
    ),
    History(
        "removed_and_made_again",
        "refused",
        later={"0002": f"{REMOVE_NOTE},", "0003": add(NOTE)},
        why="LABEL.0002 put something else under the name",
        staged=AT_ONCE,
    ),
    History(
        "dropped_by_sql",
        "refused",
        NOTE_GONE,
        {
            "0002": 'migrations.RunSQL("ALTER TABLE LABEL_post DROP COLUMN note",'
            f' "ALTER TABLE LABEL_post ADD COLUMN note text", [{REMOVE_NOTE}]),'
        },
        why="LABEL_post.note",
        staged=AT_ONCE,
    ),
    History("dropped_by_hand", "refused", NOTE_GONE, sql="ALTER TABLE LABEL_post DROP COLUMN note", why="is not there"),
    History("app_removed", "safe", installed=False),
    History("app_removed_with_its_tables", "refused", installed=False, sql="DROP TABLE LABEL_post"),
]

RENAME = 'migrations.RenameField("post", "subtitle", "headline"),'
HEADLINE = changed((SUBTITLE, "headline = models.CharField(max_length=30)"))
INDEXED = with_meta('indexes = [models.Index(fields=["views"], name="LABEL_views")]')
KEPT_NAME = 'subtitle = models.CharField(max_length=30, db_column="subtitle")'

RENAMED = [
    History("field_renamed", "undo", HEADLINE, {"0002": RENAME}, why="LABEL.0002 renamed", staged=AT_ONCE),
    History(
        "field_renamed_in_python",
        "safe",
        changed((SUBTITLE, KEPT_NAME.replace("subtitle =", "headline ="))),
        {"0002": f"{alter(KEPT_NAME)}\n{RENAME}"},
    ),
    History(
        "model_renamed",
        "undo",
        OLD.replace("Post", "Article"),
        {"0002": 'migrations.RenameModel("Post", "Article"),'},
        why="LABEL.0002 renamed",
        staged=AT_ONCE,
    ),
    History(
        "model_with_many_renamed",
        "undo",
        TAGGED.replace("Post", "Article"),
        {"0002": 'migrations.RenameModel("Post", "Article"),'},
        old=TAGGED,
        staged=AT_ONCE,
    ),
    History(
        "table_renamed",
        "undo",
        with_meta('db_table = "LABEL_texts"'),
        {"0002": 'migrations.AlterModelTable("post", "LABEL_texts"),'},
        staged=AT_ONCE,
    ),
    alters("column_renamed", "undo", NOTE, 'note = models.TextField(null=True, db_column="remark")', staged=AT_ONCE),
    History(
        "renamed_then_dropped",
        "refused",
        NOTE_GONE,
        {
            "0002": 'migrations.RenameField("post", "note", "remark"),',
            "0003": 'migrations.RemoveField("post", "remark"),',
        },
        why="LABEL.0002 renamed",
        staged=AT_ONCE,
    ),
    History(
        "name_taken_by_another",
        "undo",
        changed((TITLE, f"{TITLE}\n    headline = models.CharField(max_length=30)")),
        {
            "0002": 'migrations.RenameField("post", "title", "headline"),',
            "0003": add('title = models.CharField(max_length=30, default="new")'),
        },
        why="LABEL.0002 put something else under the name",
        staged=AT_ONCE,
    ),
    History(
        "index_renamed",
        "safe",
        INDEXED.replace("LABEL_views", "LABEL_clicks"),
        {"0002": 'migrations.RenameIndex("post", "LABEL_clicks", "LABEL_views"),'},
        old=INDEXED,
    ),
]

NUMBERED = changed((NOTE, "price = models.DecimalField(max_digits=5, decimal_places=2)"))
BIG = "views = models.BigIntegerField(default=0)"
KEY = "id = models.AutoField(primary_key=True)"
KEYED = OLD.replace("class Post(models.Model):", f"class Post(models.Model):\n    {KEY}")
DAY = "day = models.DateField()"
JSON = "data = models.JSONField()"
FILLED = "note = models.TextField(db_default='none')"

TYPES = [
    alters("text_widened", "safe", TITLE, "title = models.CharField(max_length=60)"),
    alters("text_without_limit", "safe", TITLE, "title = models.TextField()"),
    alters(
        "text_shrunk", "degraded", TITLE, "title = models.CharField(max_length=20)", why="longer than 20", staged="safe"
    ),
    alters("number_widened", "safe", VIEWS, BIG),
    alters("number_shrunk", "degraded", BIG, VIEWS, old=changed((VIEWS, BIG)), staged="safe"),
    alters("key_widened", "safe", KEY, KEY.replace("Auto", "BigAuto"), old=KEYED),
    alters(
        "decimals_widened",
        "safe",
        "price = models.DecimalField(max_digits=5, decimal_places=2)",
        "price = models.DecimalField(max_digits=9, decimal_places=2)",
        old=NUMBERED,
    ),
    alters(
        "number_to_text",
        "refused",
        VIEWS,
        "views = models.CharField(max_length=20, default='')",
        why="varchar(20)",
        staged=AT_ONCE,
    ),
    alters("json_to_text", "refused", JSON, "data = models.TextField()", old=changed((NOTE, JSON)), staged=AT_ONCE),
    alters("day_to_time", "degraded", DAY, "day = models.DateTimeField()", old=changed((NOTE, DAY)), staged=AT_ONCE),
    alters("null_no_more", "degraded", NOTE, "note = models.TextField(default='')", why="NOT NULL", staged="safe"),
    alters(
        "null_from_now_on",
        "degraded",
        SUBTITLE,
        "subtitle = models.CharField(max_length=30, null=True)",
        why="may be NULL",
    ),
    alters(
        "db_default_gone",
        "undo",
        FILLED,
        "note = models.TextField()",
        old=changed((NOTE, FILLED)),
        why="which has no default",
        staged="safe",
        django=(5, 0),
    ),
]
