"""Runs in a checkout of the project of histories: what its code really can do with the database as it is.

    python prove.py create          its databases
    python prove.py begin           migrate; rows as this code writes them; what works; the facts; the rows
    python prove.py forward FILE    what the later release does: migrate (as FILE says), rows of its own; the inspection
    python prove.py before FILE     the parts of that before and after `migrate`, which another program runs in between
    python prove.py later FILE
    python prove.py probe           what works

Each prints one JSON object last.
"""
# Each trial is done before its loop goes on; and its answer is what it prints.
# ruff: noqa: B023, T201, TRY301

import datetime
import decimal
import functools
import itertools
import json
import os
import pathlib
import sys
import traceback
import uuid

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")
django.setup()

from django.apps import apps  # noqa: E402
from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connections, models, transaction  # noqa: E402

from nuages_runtime.migrations import schema  # noqa: E402
from nuages_runtime.startup import missing  # noqa: E402

EDGES = ("null", "long", "low", "same")
LARGEST = {"Small": 2**15 - 1, "Big": 2**63 - 1}


class Undone(Exception):
    """Ends a trial that is to leave nothing behind."""


def labels():
    return [config.label for config in apps.get_app_configs() if config.label.startswith("h")]


def alias(label):
    return settings.ALIASES.get(label, "default")


def models_of(label):
    """Those whose table is there; parents before children, for they are declared so."""
    tables = connections[alias(label)].introspection.table_names()
    found = apps.get_app_config(label).get_models()
    return [model for model in found if model._meta.managed or model._meta.db_table in tables]


# What one command writes another one does not write too.
counted = itertools.count({"begin": 100, "forward": 20000, "later": 20000}.get(sys.argv[1], 50000))


def value(field, number, edge, alone):
    kind = field.get_internal_type()
    if field.null and edge == "null":
        return None
    if field.remote_field:
        related = field.related_model
        there = related._default_manager.order_by("pk")
        if edge == "loose" and not field.db_constraint:
            return related(pk=10**6)
        if alone:
            made = make(related, number)
            made.save()
            return made
        # Two references of one row lead to two rows: deleting the one does not take the other along.
        return (there.last() if field.null else there.first()) or make(related, number)
    if alone:
        number = next(counted)
    if kind in ("CharField", "SlugField"):
        text = str(number) if edge == "same" or alone else f"{number}-{next(counted)}"
        return text.rjust(field.max_length if edge == "long" else 1, "x")
    if kind == "TextField":
        return f"text {number}" * (1000 if edge == "long" else 1)
    if kind == "DecimalField":
        whole = field.max_digits - field.decimal_places
        return decimal.Decimal(10**whole - 1 if edge == "long" else number % 10) + decimal.Decimal("0.25")
    if kind.endswith("IntegerField"):
        if edge == "low" and not kind.startswith("Positive"):
            return -number
        largest = next((most for word, most in LARGEST.items() if word in kind), 2**31 - 1)
        return largest if edge == "long" else number
    known = {
        "DateField": datetime.date(2020, 1, 1 + number % 28),
        "DateTimeField": datetime.datetime(2020, 1, 1 + number % 28, 12, tzinfo=datetime.UTC),
        "JSONField": {"number": number},
        "UUIDField": uuid.uuid5(uuid.NAMESPACE_OID, str(number)),
        "BooleanField": bool(number % 2),
        "FloatField": number / 2,
    }
    return known[kind]


def make(model, number, edge="", least=False):
    """A row as the code would write it, all of it or at an edge; with `least` what has a default is left to it."""
    alone = {field.name for field in model._meta.concrete_fields if field.unique}
    for constraint in model._meta.constraints:
        alone |= set(getattr(constraint, "fields", ()))
        for expression in getattr(constraint, "expressions", ()):
            alone |= {path[0] for path in model._get_expr_references(expression)}
        if edge in ("low", "null") and isinstance(constraint, models.CheckConstraint):
            edge = ""
        if edge == "null" and getattr(constraint, "nulls_distinct", None) is False:
            edge = ""
    for names in model._meta.unique_together:
        alone |= set(names)
    given = {}
    for field in model._meta.concrete_fields:
        if isinstance(field, models.AutoField) or getattr(field, "generated", False):
            continue
        left = (field.get_internal_type() == "OrderWrt", getattr(field.remote_field, "parent_link", False))
        if not any(left) and not (least and left_to_the_database(field)):
            its = "" if field.primary_key else edge
            given[field.name] = value(field, number, its, field.name in alone)
    return model(**given)


def left_to_the_database(field):
    return getattr(field, "db_default", models.NOT_PROVIDED) is not models.NOT_PROVIDED


def rows(label):
    """What lies in each table, as this code reads it."""
    told = {}
    for model in models_of(label):
        fields = model._meta.local_concrete_fields
        names = [field.attname for field in fields]
        for row in model._default_manager.using(alias(label)).order_by("pk").values_list("pk", *names):
            told[f"{model.__name__} {row[0]}"] = {
                field.attname: str(field.to_python(value)) for field, value in zip(fields, row[1:], strict=True)
            }
        for field in model._meta.local_many_to_many:
            pairs = field.remote_field.through._default_manager.using(alias(label)).order_by("pk").values_list()
            told[f"{model.__name__}.{field.name}"] = [str(pair[1:]) for pair in pairs]
    return told


def fill(label, numbers, edges=()):
    """Rows of this code's own, and pairs in each many-to-many table."""
    for model in models_of(label):
        if model._meta.proxy:
            continue
        for number in numbers:
            made = make(model, number)
            made.save(using=alias(label))
            for field in model._meta.local_many_to_many:
                getattr(made, field.name).add(field.related_model._default_manager.order_by("pk").first())
        for edge in edges:
            make(model, 7, edge).save(using=alias(label))
            if edge == "same":
                make(model, 7, edge).save(using=alias(label))


@functools.cache
def waited_for():
    """What a pod's start-up would wait for; asked once, for all apps."""
    return missing()


def probe(label):
    """What fails: {"broken": what any code does, "degraded": what only some rows meet}."""
    failed = {"broken": [], "degraded": []}
    using = alias(label)

    def trial(weight, what, action):
        try:
            with transaction.atomic(using=using):
                action()
                connections[using].check_constraints()
                raise Undone
        except Undone:
            pass
        except Exception as error:
            failed[weight].append(f"{what}: {type(error).__name__}: {str(error).splitlines()[0][:150]}")

    for name in [name for name in waited_for() if name.startswith(f"{label}.")]:
        failed["broken"].append(f"start-up waits for {name}")
    for model in models_of(label):
        manager, name = model._default_manager.using(using), model.__name__

        def read():
            list(manager.select_related())
            for field in model._meta.concrete_fields:
                wanted = 1 if isinstance(field, models.AutoField) else value(field, 1, "", False)
                list(manager.filter(**{field.name: wanted}).order_by(field.name))

        trial("broken", f"{name} read", read)
        trial("broken", f"{name} inserted", lambda: [make(model, number).save(using=using) for number in (1, 2)])
        trial("broken", f"{name} inserted, left out what can be", lambda: make(model, 1, least=True).save(using=using))

        def change():
            made = make(model, 1)
            made.save(using=using)
            for field in model._meta.concrete_fields:
                if not (
                    field.primary_key or field.remote_field or field.unique or field.get_internal_type() == "OrderWrt"
                ):
                    setattr(made, field.attname, value(field, 2, "", False))
            made.save(using=using)
            made.refresh_from_db()
            made.delete(using=using)

        trial("broken", f"{name} updated and deleted", change)
        for edge in (*EDGES, "loose"):
            trial("degraded", f"{name} inserted, {edge}", lambda: make(model, 7, edge).save(using=using))
        trial("degraded", f"{name} inserted, same", lambda: [make(model, 0, "same").save(using=using) for _ in "12"])
        for field in model._meta.local_many_to_many:

            def pairs():
                [list(getattr(one, field.name).all()) for one in manager.all()]
                if field.remote_field.through._meta.auto_created:
                    made = make(model, 1)
                    made.save(using=using)
                    getattr(made, field.name).add(field.related_model._default_manager.using(using).first())

            trial("broken", f"{name}.{field.name}", pairs)
        if not failed["broken"]:
            for one in manager.all():
                surprises(one, failed["degraded"])
                trial("degraded", f"{name} {one.pk} saved", one.save)
                trial("degraded", f"{name} {one.pk} deleted", one.delete)
            whole = [each for each in model._meta.constraints if not getattr(each, "condition", None)]
            together = {tuple(getattr(each, "fields", ())) for each in whole} | set(model._meta.unique_together)
            for names in sorted(together | {(each.name,) for each in model._meta.concrete_fields if each.unique}):
                held = manager.filter(**{f"{each}__isnull": False for each in names})
                if names and held.count() != held.values(*names).distinct().count():
                    failed["degraded"].append(f"{name}: {', '.join(names)} are not unique")
    return failed


def surprises(one, told):
    """What a row holds and this code does not expect in it."""
    for field in one._meta.concrete_fields:
        held = getattr(one, field.attname)
        if held is None and not field.null:
            told.append(f"{type(one).__name__} {one.pk}: {field.name} is None")
        elif held is not None and not field.remote_field and type(field.to_python(held)) is not type(held):
            told.append(f"{type(one).__name__} {one.pk}: {field.name} is a {type(held).__name__}")
        if field.remote_field and held is not None:
            target = {field.target_field.name: held}
            if not field.related_model._base_manager.using(one._state.db).filter(**target).exists():
                told.append(f"{type(one).__name__} {one.pk}: its {field.name} is not there")


def safely(action):
    try:
        return action()
    except Exception:
        return {"broken": [traceback.format_exc()], "degraded": []}


def inspected(how):
    return {name: how(connections[name]) for name in settings.DATABASES}


def begin():
    for name in settings.DATABASES:
        call_command("migrate", database=name, verbosity=0)
    for label in labels():
        fill(label, (1, 2))
    return {
        "facts": {"schema": 1, "databases": inspected(schema.facts)},
        "worked": {label: probe(label) for label in labels()},
        "rows": {label: rows(label) for label in labels()},
    }


def create():
    """From the one that is there."""
    import psycopg

    held = settings.DATABASES["default"]
    where = {"host": held["HOST"], "port": held["PORT"], "user": held["USER"], "password": held["PASSWORD"]}
    with psycopg.connect(**where, dbname="blog", autocommit=True) as server:
        for each in settings.DATABASES.values():
            server.execute(f'CREATE DATABASE "{each["NAME"]}"')
    return {}


def before(told):
    """What hands did before the later release's migrations."""
    hand(told["by_hand"])
    for label, names in told["fakes"].items():
        for name in names:
            call_command("migrate", label, name, fake=True, verbosity=0, database=alias(label))
    return {}


def forward(told):
    """The later release, by Django's own migrate."""
    before(told)
    for name in settings.DATABASES:
        call_command("migrate", database=name, verbosity=0)
    return later(told)


def later(told):
    """What hands did then, and rows of the later release's code."""
    for label, name in told["back_to"].items():
        call_command("migrate", label, name, verbosity=0, database=alias(label))
    hand(told["sql"])
    worked = {}
    for label in labels():
        if label not in told["sql"]:
            fill(label, (4, 5), EDGES)
            worked[label] = probe(label)
    return {"facts": {"schema": 1, "databases": inspected(schema.inspect)}, "worked": worked}


def hand(told):
    for label, sql in told.items():
        with connections[alias(label)].cursor() as cursor:
            cursor.execute(sql)


def main():
    command, *files = sys.argv[1:]
    given = [json.loads(pathlib.Path(file).read_text()) for file in files]
    if command == "probe":
        answer = {
            "worked": {label: safely(lambda: probe(label)) for label in labels()},
            "rows": {label: safely(lambda: rows(label)) for label in labels()},
        }
    else:
        answer = {"create": create, "begin": begin, "before": before, "forward": forward, "later": later}[command](
            *given
        )
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
