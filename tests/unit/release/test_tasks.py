"""The task registries of two images compared: what is lost, renamed, called in another way."""

from __future__ import annotations

import msgspec
import pytest

from nuages.release.plan.make import _lost as lost_by
from nuages.release.tasks import compare, refuses
from nuages_runtime.registry import signature

from .examples import BUILD, live

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("(post)", "(post)", ""),
        ("(post)", "(post, subject=)", ""),
        ("(post)", "(post, subject)", "subject has to be given now"),
        ("(post, subject=)", "(post, subject)", "subject has to be given now"),
        ("(post, subject)", "(post)", "subject is no argument any more"),
        ("(post, subject)", "(post, **more)", "subject can't be given by its place any more"),
        ("(post, subject)", "(post, *args, **kwargs)", ""),
        ("(post, subject)", "(subject, post)", "post has another place"),
        ("(post, *, dry=)", "(post, dry=)", ""),
        ("(post, dry=)", "(post, *, dry=)", "dry can't be given by its place any more"),
        ("(post)", "(article)", "post is no argument any more"),
        ("(post, /)", "(article, /)", "article has to be given now"),
        ("(*args)", "(post=)", "any number of arguments is not taken any more"),
        ("(**kwargs)", "(post=)", "arguments of any name are not taken any more"),
        ("()", "(dry=)", ""),
        ("(*args, **kwargs)", "(*args, **kwargs)", ""),
    ],
)
def test_a_call_of_before_works_or_it_is_said_which_does_not(old: str, new: str, why: str) -> None:
    assert refuses(old, new) == why


@pytest.mark.parametrize(
    ("old", "new", "renamed"),
    [
        ("blog.tasks.send", "blog.mail.send", "blog.mail.send"),
        ("blog.tasks.send_mail", "blog.tasks.send_mails", "blog.tasks.send_mails"),
        ("blog.tasks.send_mail", "blog.tasks.rebuild", None),
        ("blog.tasks.send_mail", "shop.tasks.send_mails", None),
    ],
)
def test_a_task_that_moved_is_told_from_one_that_went(old: str, new: str, renamed: str | None) -> None:
    found = compare({old: "(post)"}, {new: "(post)"})
    assert [one.after for one in found.renamed] == ([renamed] if renamed else [])
    assert found.removed == (() if renamed else (old,))
    assert found.added == (() if renamed else (new,))
    assert found.lost == (old,)


def test_what_is_only_added_loses_nothing() -> None:
    found = compare({"a.one": "()"}, {"a.one": "(dry=)", "a.two": "()"})
    assert (found.added, found.lost) == (("a.two",), ())


def test_back_is_the_same_question_the_other_way_round() -> None:
    old, new = {"a.one": "()"}, {"a.one": "(dry=)", "a.two": "()"}
    assert compare(new, old).lost == ("a.one", "a.two")


def test_an_image_that_does_not_say_its_tasks_is_not_taken_for_one_without() -> None:
    assert not compare(None, {}).known
    assert not compare({}, None).known
    assert compare({}, {}).known


def test_what_the_new_workers_cannot_take_is_a_warning_each() -> None:
    before = msgspec.structs.replace(BUILD, tasks={"a.send": "(post)", "a.gone": "()", "a.wide": "()"})
    after = msgspec.structs.replace(BUILD, tasks={"b.send": "(post)", "a.wide": "(post)"})
    told = [(one.id, one.message) for one in lost_by(live(1, build=before), after)]
    assert told == [
        ("release.W366", "the task a.gone is gone"),
        ("release.W366", "the task a.send is called b.send now"),
        ("release.W366", "the task a.wide is called in another way: post has to be given now"),
    ]


def _plain(post, subject="secret-default", *, dry=False): ...


def _placed(post, /, other, *rest, **more): ...


def _only_placed(post, /): ...


@pytest.mark.parametrize(
    ("function", "written"),
    [
        (_plain, "(post, subject=, *, dry=)"),
        (_placed, "(post, /, other, *rest, **more)"),
        (_only_placed, "(post, /)"),
        (lambda: None, "()"),
        (dict, "(*args, **kwargs)"),
    ],
)
def test_a_signature_is_written_without_its_defaults_values(function: object, written: str) -> None:
    assert signature(function) == written  # type: ignore[arg-type]
