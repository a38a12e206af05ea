"""What the database calls what a migration names: tables and columns of models as they were at that point of history.

The same rules as Django's Options and Field, applied to a state that is not rendered: rendering hundreds of states
takes minutes.
"""

# Django is the image's, and is imported when there are settings to import it with.
# ruff: noqa: PLC0415
# mypy: disable-error-code=import-not-found

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

Effect = dict[str, str]


class Names:
    """One app's names in one state of the project."""

    def __init__(self, state: Any, app: str, connection: BaseDatabaseWrapper) -> None:
        """Look at `state`, which the caller goes on changing."""
        self._state, self._app, self._connection = state, app, connection

    def after(self, operation: Any) -> Names:
        """The names once an operation is done that does not change the project's own state."""
        state = self._state.clone()
        operation.state_forwards(self._app, state)
        return Names(state, self._app, self._connection)

    @staticmethod
    def managed(options: dict[str, Any]) -> bool:
        """Whether a model of these options has a table that migrations make."""
        return bool(options.get("managed", True)) and not options.get("proxy")

    def there(self, model: str) -> bool:
        """Whether the state has that model, with a table of its own that migrations change."""
        found = self._state.models.get((self._app, model.lower()))
        return found is not None and self.managed(found.options)

    def default(self, model: str) -> str:
        """The table of a model that names none."""
        return self._short(f"{self._app}_{model.lower()}")

    def table(self, model: str) -> str:
        """The table of a model of the state."""
        return self._model(model).options.get("db_table") or self.default(model)

    def through(self, table: str, name: str, field: Any) -> str:
        """The table that Django makes for a many-to-many field of a model with that table."""
        return field.db_table or self._short(f"{table}_{name}")

    def throughs(self, model: str) -> list[str]:
        """The tables of all many-to-many fields of a model, as far as Django makes them."""
        return [self.through(self.table(model), name, field) for name, field in self._many(model)]

    def field_of(self, model: str, name: str) -> Any:
        """A field of the state."""
        return self._model(model).fields[name]

    def field(self, does: str, model: str, name: str, field: Any = None) -> Effect:
        """The effect on one field: on its column, or on the table of a many-to-many one."""
        field = field or self.field_of(model, name)
        if field.many_to_many:
            # With a model of its own in between the field itself is nothing in the database.
            auto = not field.remote_field.through
            return {"does": does if auto else "none", "table": self.through(self.table(model), name, field)}
        return {"does": does, "table": self.table(model), "column": _column(name, field)}

    def altered(self, model: str, name: str, field: Any) -> Iterator[Effect]:
        """A field changed: its column, its name where db_column changed, and the columns that refer to a key."""
        old = self.field_of(model, name)
        yield from self.turned(model, name, old, name, field)
        if field.many_to_many or old.many_to_many:
            return
        yield {"does": "alter", "table": self.table(model), "column": _column(name, field)}
        if old.primary_key or field.primary_key:
            wanted = (self._app, model.lower())
            for (app, other), state in self._state.models.items():
                own = Names(self._state, app, self._connection)
                for label, foreign in state.fields.items():
                    if foreign.remote_field and self._target(foreign, app, other) == wanted and own.there(other):
                        yield own.field("alter", other, label, foreign)

    def turned(self, model: str, old: str, field: Any, new: str, becomes: Any = None) -> Iterator[Effect]:
        """A field under a new name, where the database sees it."""
        table = self.table(model)
        if field.many_to_many:
            before, after = self.through(table, old, field), self.through(table, new, becomes or field)
            if before != after and not field.remote_field.through:
                yield {"does": "rename", "table": before, "to": after}
            return
        before, after = _column(old, field), _column(new, becomes or field)
        if before != after:
            yield {"does": "rename", "table": table, "column": before, "to": after}

    def moved(self, model: str, to: str) -> Iterator[Effect]:
        """A model with another table, and the tables of its many-to-many fields with it."""
        table = self.table(model)
        if table == to:
            return
        for name, field in self._many(model):
            before, after = self.through(table, name, field), self.through(to, name, field)
            if before != after:
                yield {"does": "rename", "table": before, "to": after}
        yield {"does": "rename", "table": table, "to": to}

    def renamed(self, operation: Any) -> Iterator[Effect]:
        """A model under a new name: its table, and the columns of many-to-many tables that are named for it."""
        old, new = operation.old_name, operation.new_name
        if not self.there(old):
            return
        for (app, other), state in self._state.models.items():
            own = Names(self._state, app, self._connection)
            for label, field in state.fields.items():
                ends = ((app, other), self._target(field, app, other)) if field.many_to_many else ()
                if (self._app, old.lower()) in ends and not field.remote_field.through and own.there(other):
                    through = own.through(own.table(other), label, field)
                    before, after = f"{old.lower()}_id", f"{new.lower()}_id"
                    yield {"does": "rename", "table": through, "column": before, "to": after}
        yield from self.moved(old, self._model(old).options.get("db_table") or self.default(new))

    def _model(self, model: str) -> Any:
        return self._state.models[self._app, model.lower()]

    def _many(self, model: str) -> list[tuple[str, Any]]:
        fields = self._model(model).fields.items()
        return [(name, field) for name, field in fields if field.many_to_many and not field.remote_field.through]

    @staticmethod
    def _target(field: Any, app: str, model: str) -> tuple[str, str] | None:
        """(app, model) that a field refers to."""
        target = field.remote_field and field.remote_field.model
        if not isinstance(target, str):
            return (target._meta.app_label, target._meta.model_name) if target else None
        if target == "self":
            return app, model
        label, _, name = target.rpartition(".")
        return label or app, name.lower()

    def _short(self, name: str) -> str:
        from django.db.backends.utils import truncate_name

        return str(truncate_name(name, self._connection.ops.max_name_length()))


def _column(name: str, field: Any) -> str:
    """As Field.get_attname_column: a foreign key's has `_id`."""
    foreign = field.remote_field and not field.many_to_many
    return field.db_column or (f"{name}_id" if foreign else name)
