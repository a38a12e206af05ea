"""The shape of a history, the models that they begin with, and how a migration is written down in a line."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

AUTHOR = """
class Author(models.Model):
    name = models.CharField(max_length=30)
"""
POST = """
class Post(models.Model):
    title = models.CharField(max_length=30)
    subtitle = models.CharField(max_length=30)
    note = models.TextField(null=True)
    views = models.IntegerField(default=0)
    author = models.ForeignKey(Author, models.CASCADE)
"""
OLD = AUTHOR + POST


NOTHING: Mapping[str, str] = MappingProxyType({})


class History(NamedTuple):
    """One of them."""

    name: str
    verdict: str
    """safe, degraded, unknown, undo or refused."""
    new: str = OLD
    """The models of the later release."""
    later: Mapping[str, str] = NOTHING
    """Its migrations, by name: their operations; `Migration.x = y` lines before a line of dashes."""
    old: str = OLD
    earlier: Mapping[str, str] = NOTHING
    """Those of the earlier release, after the 0001_initial that is made from `old`."""
    gone: tuple[str, ...] = ()
    """Files of the earlier release that the later one has no more."""
    fakes: tuple[str, ...] = ()
    by_hand: str = ""
    """What a hand did to the database before the later release's migrations."""
    sql: str = ""
    """What a hand did to the database after the later release's migrations."""
    back_to: str = ""
    """The migration to which a hand unapplied before."""
    alias: str = "default"
    installed: bool = True
    """Whether the later release still has the app."""
    why: str = ""
    """What the verdict's line says of it."""
    staged: str = ""
    """The verdict where migrations are staged, if it is another one; "refused at once" where nothing is touched."""
    django: tuple[int, int] = (4, 2)
    """From which Django on."""


def changed(*changes: tuple[str, str], of: str = OLD) -> str:
    """Models with lines replaced; a line that becomes "" goes."""
    for before, after in changes:
        assert before in of, before
        of = of.replace(f"    {before}\n", f"    {after}\n" if after else "")
    return of


TITLE = "title = models.CharField(max_length=30)"
SUBTITLE = "subtitle = models.CharField(max_length=30)"
NOTE = "note = models.TextField(null=True)"
VIEWS = "views = models.IntegerField(default=0)"
AUTHORS = "author = models.ForeignKey(Author, models.CASCADE)"
COLOR = "color = models.CharField(max_length=9, null=True)"
ID = '("id", models.BigAutoField(primary_key=True))'


def with_field(field: str) -> str:
    """The models with one field more in Post."""
    return changed((AUTHORS, f"{AUTHORS}\n    {field}"))


def with_meta(line: str) -> str:
    """The models with a Meta in Post."""
    return changed((AUTHORS, f"{AUTHORS}\n\n    class Meta:\n        {line}"))


OWN_AUTHOR = "('LABEL.author'"


def add(field: str) -> str:
    """AddField, of a line of Post."""
    name, _, value = field.partition(" = ")
    return f'migrations.AddField("post", "{name}", {value.replace("(Author", OWN_AUTHOR)}),'


def alter(field: str) -> str:
    """AlterField, to a line of Post."""
    return add(field).replace("AddField", "AlterField")


def adds(name: str, verdict: str, field: str, **more: object) -> History:
    """A field is added to Post."""
    return History(name, verdict, new=with_field(field), later={"0002": add(field)})._replace(**more)


def alters(name: str, verdict: str, before: str, after: str, **more: object) -> History:
    """A field of Post is another one from then on."""
    old = str(more.get("old", OLD))
    return History(name, verdict, new=changed((before, after), of=old), later={"0002": alter(after)})._replace(**more)


def removes(name: str, verdict: str, field: str, **more: object) -> History:
    """A field of Post is removed."""
    later = {"0002": f'migrations.RemoveField("post", "{field.partition(" = ")[0]}"),'}
    return History(name, verdict, new=changed((field, "")), later=later)._replace(**more)
