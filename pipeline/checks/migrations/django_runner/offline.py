"""Django without a server: collect the SQL of migrations, and the columns of the models."""

from collections.abc import Iterator, Sequence
from typing import Any, Self

from django.db import connection
from django.db.backends.postgresql.schema import DatabaseSchemaEditor
from django.db.migrations import Migration
from django.db.migrations.state import ProjectState
from django.db.models import CheckConstraint, Index, Q, UniqueConstraint

from pipeline.checks.migrations.django_runner.expected_schema import Columns
from pipeline.checks.migrations.django_runner.source_locations import OperationLocator
from pipeline.checks.migrations.django_runner.statements import parts
from pipeline.checks.migrations.records import Sent

_VERSION = 180_000  # PostgreSQL 18: Django chooses its SQL by the server version


class _Editor(DatabaseSchemaEditor):
    """Collects statements, and computes the names of constraints instead of querying them."""

    def __init__(self, *arguments: Any, places: OperationLocator, **options: Any) -> None:  # noqa: ANN401
        super().__init__(*arguments, **{**options, "collect_sql": True})
        self.places, self.sent = places, list[tuple[str, str]]()

    def __enter__(self) -> Self:
        """Start no transaction, but set the flags of one, so that operations start none either."""
        self.deferred_sql: list[Any] = []
        self.atomic_migration = True
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        """Collect the deferred statements."""
        for statement in () if kind else self.deferred_sql:
            self.execute(statement, None)

    def execute(self, sql: Any, params: Any = ()) -> None:  # noqa: ANN401
        """Collect a statement, with its values."""
        text = str(sql)
        if params:
            text %= tuple(map(self.quote_value, params))
        self.sent += [(part, self.places.of(str(sql))) for part in parts(text)]

    def _constraint_names(self, model: Any, *rest: Any, **options: Any) -> list[str]:  # noqa: ANN401
        connection.introspection.get_constraints = (  # type: ignore[method-assign]
            lambda *_: _constraints(self, model)  # type: ignore[assignment]
        )
        of_model: Any = super()
        found = list(of_model._constraint_names(model, *rest, **options))  # noqa: SLF001
        some = rest[0] if rest else options.get("column_names")
        suffix = "_idx" if options.get("index") else "_uniq" if options.get("unique") else ""
        if not found and suffix and some and len(some) > 1:  # the model no longer has it
            editor: Any = self
            found = [editor._create_index_name(model._meta.db_table, some, suffix=suffix)]  # noqa: SLF001
        return found


class _EmptyCursor:
    """A cursor whose queries return no rows."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def execute(self, *_: object) -> None:
        """Ignore the statement."""

    def fetchone(self) -> None:
        """Return no row."""

    def fetchall(self) -> list[Any]:
        """Return no rows."""
        return []


def disable_database() -> None:
    """Replace the connection of this process, so that no code opens one."""
    connection.pg_version = _VERSION  # type: ignore[attr-defined]
    connection.cursor = _EmptyCursor  # type: ignore[assignment,method-assign]
    connection.ensure_connection = lambda: None  # type: ignore[method-assign]


def collect_statements(
    migration: Migration, state: ProjectState, places: OperationLocator
) -> tuple[Sent, ...]:
    """Return the statements of a migration, and apply its operations to the model state."""
    connection.in_atomic_block = migration.atomic  # CONCURRENTLY operations check this flag
    editor = _Editor(connection, places=places)
    try:
        with editor:
            migration.apply(state, editor, collect_sql=True)
    finally:
        connection.in_atomic_block = False
    number = 1 if migration.atomic else 0
    sent = [each for each in editor.sent if each[0].strip() and not each[0].startswith("--")]
    return tuple(Sent(sql, where, number) for sql, where in sent)


def columns(state: ProjectState) -> Columns:
    """Return the columns of all models, by table."""
    found: dict[str, dict[str, tuple[str, bool, bool, bool]]] = {}
    for model in state.apps.get_models(include_auto_created=True):
        checked = {
            field.column
            for field in model._meta.local_concrete_fields  # noqa: SLF001
            for each in model._meta.constraints  # noqa: SLF001
            if isinstance(each, CheckConstraint)
            and _condition(each) == Q(**{f"{field.name}__isnull": False})
        }
        found[model._meta.db_table] = {  # noqa: SLF001
            str(field.column): (
                str(field.db_type(connection)), not field.null, _has_default(field),
                field.column in checked,
            )
            for field in model._meta.local_concrete_fields  # noqa: SLF001
        }  # fmt: skip
    return found


def indexes(state: ProjectState) -> dict[str, str]:
    """Return the table of each index, by the name that Django generates for the index."""
    editor: Any = DatabaseSchemaEditor(connection, collect_sql=True)
    found = {
        name: model._meta.db_table  # noqa: SLF001
        for model in state.apps.get_models(include_auto_created=True)
        for name, each in _constraints(editor, model).items()
        if each["index"] or each["unique"]
    }
    for app, name in state.models:
        meta = state.apps.get_model(app, name)._meta  # noqa: SLF001
        for names in state.models[app, name].options.get("index_together", ()):
            some = [meta.get_field(each).column for each in names]
            index = editor._create_index_name(meta.db_table, some, suffix="_idx")  # noqa: SLF001
            found[index] = meta.db_table
    return found


def _has_default(field: Any) -> bool:  # noqa: ANN401
    generated = getattr(field, "generated", False)
    return bool(field.has_db_default() or generated or "Auto" in field.get_internal_type())


def _condition(constraint: Any) -> Q:  # noqa: ANN401
    found = getattr(constraint, "condition", None)  # its name before Django 5.1 is `check`
    return constraint.check if found is None else found  # type: ignore[no-any-return]


def _constraints(editor: Any, model: Any) -> dict[str, dict[str, Any]]:  # noqa: ANN401
    """Return the constraints of a model in the format of Django's introspection."""
    meta, found = model._meta, {}  # noqa: SLF001
    table = meta.db_table
    for field in meta.local_concrete_fields:
        one = [field.column]
        if field.primary_key:
            found[f"{table}_pkey"] = _constraint(one, primary_key=True, unique=True)
        elif field.unique:
            found[f"{table}_{field.column}_key"] = _constraint(one, unique=True)
        if field.remote_field and field.db_constraint:
            target = field.target_field
            key = (target.model._meta.db_table, target.column)  # noqa: SLF001
            name = editor._fk_constraint_name(model, field, "_fk_%(to_table)s_%(to_column)s")  # noqa: SLF001
            found[str(name)] = _constraint(one, foreign_key=key)
        if field.db_index and not field.unique:
            found[editor._create_index_name(table, one)] = _constraint(one, index=True)  # noqa: SLF001
        if editor._create_like_index_sql(model, field) is not None:  # noqa: SLF001
            name = editor._create_index_name(table, one, suffix="_like")  # noqa: SLF001
            found[name] = _constraint(one, index=True)
        if field.db_check(connection):
            found[f"{table}_{field.column}_check"] = _constraint(one, check=True)
    for names in meta.unique_together:
        some = [meta.get_field(name).column for name in names]
        name = editor._create_index_name(table, some, suffix="_uniq")  # noqa: SLF001
        found[name] = _constraint(some, unique=True)
    for each in (*meta.indexes, *meta.constraints):
        names = [name.lstrip("-") for name in getattr(each, "fields", ())]
        some = [meta.get_field(name).column for name in names]
        unique = isinstance(each, UniqueConstraint)
        kind = {"index": isinstance(each, Index), "unique": unique}
        found[each.name] = _constraint(some, check=isinstance(each, CheckConstraint), **kind)
    return found


def _constraint(columns: Sequence[str], **facts: Any) -> dict[str, Any]:  # noqa: ANN401
    none = dict.fromkeys(("primary_key", "unique", "check", "index"), False)
    kind = Index.suffix if facts.get("index") else None
    return {"columns": columns, "foreign_key": None, "type": kind, **none, **facts}
