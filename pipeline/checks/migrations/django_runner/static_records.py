"""Record new migrations without a server, from their SQL and the model state."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from django.db.migrations import Migration, RunPython, RunSQL
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

from pipeline.checks.migrations.django_runner.changes import author, changes, differing, unfilled
from pipeline.checks.migrations.django_runner.expected_schema import Schema
from pipeline.checks.migrations.django_runner.forward import (
    columns_of,
    reason,
    table_of,
    with_annotations,
)
from pipeline.checks.migrations.django_runner.offline import (
    collect_statements,
    columns,
    disable_database,
    indexes,
)
from pipeline.checks.migrations.django_runner.source_locations import OperationLocator, file_of
from pipeline.checks.migrations.django_runner.statement_cost import (
    about,
    emptied_tables,
    is_vague,
    statement_cost,
)
from pipeline.checks.migrations.django_runner.statements import first
from pipeline.checks.migrations.django_runner.syntax import Node, statements
from pipeline.checks.migrations.django_runner.transactions import controls_transaction
from pipeline.checks.migrations.records import Change, Emptied, MigrationRecord, Sent


def static(released: Collection[str]) -> list[MigrationRecord]:
    """Return the statements of new migrations, and their expected effects.

    Args:
        released: The paths of the migration files of the previous release.
    """
    disable_database()
    graph = MigrationLoader(None).graph
    plan = [node for leaf in graph.leaf_nodes() for node in graph.forwards_plan(leaf)]
    new = [graph.nodes[node] for node in dict.fromkeys(plan)]
    new = [each for each in new if _is_new(each, released)]
    old = [node for node, each in graph.nodes.items() if each not in new]
    state = graph.make_state(old) if old else ProjectState()
    schema = Schema(columns(state), indexes(state))
    schema.follow(statements(_sql([graph.nodes[node] for node in dict.fromkeys(plan)], new)))
    records = [*_records(new, state, schema)]
    needed = unfilled(schema.copy())
    return [replace(each, unfilled=tuple(needed & {*each.unfilled})) for each in records]


def _records(
    new: Sequence[Migration], state: ProjectState, schema: Schema
) -> Iterator[MigrationRecord]:
    """Yield a record of each migration, up to the first that fails."""
    for migration in new:
        places, before = OperationLocator(migration), columns_of(state)
        name = f"{migration.app_label}.{migration.name}"
        record = with_annotations(
            MigrationRecord(name, where=file_of(migration)), migration, places
        )
        try:
            statements = collect_statements(migration, state, places)
        except Exception as error:  # noqa: BLE001 - a migration may raise any exception
            yield replace(record, where=places.failed, failure=reason(error))
            return
        after = columns_of(state)
        tables = {*map(table_of, after)}
        lost = tuple(sorted(each for each in before - after if table_of(each) in tables))
        record = replace(record, unfilled=lost, unseen=_python(migration, places))
        yield _Transactions(schema, record).followed(statements)


class _Transactions:
    """Predicts the effects of the statements and transactions of a migration."""

    def __init__(self, schema: Schema, record: MigrationRecord) -> None:
        self.schema, self.record, self.locked = schema, record, ""
        self.sent: list[Sent] = []
        self.emptied: list[Emptied] = []
        self.changes: list[Change] = []
        self.unseen: list[str] = []
        self.authors: dict[tuple[str, str], Sent] = {}

    def followed(self, found: Sequence[Sent]) -> MigrationRecord:
        """Return the record with the expected effects of all statements."""
        self.schema.begin()
        for each in found:
            if controls_transaction(each.sql, within=bool(each.transaction)):
                change = Change("transaction-nesting", first(each.sql), each.sql, each.where)
                self.changes.append(change)
            for node in statements(each.sql):
                self._follow(each, node)
            if not each.transaction:
                self._close()
        self._close()
        return replace(
            self.record,
            sent=tuple(self.sent),
            changes=tuple(self.changes),
            emptied=tuple(self.emptied),
            unseen=(*self.record.unseen, *self.unseen),
        )

    def _follow(self, sent: Sent, node: Node) -> None:
        schema = self.schema
        schema.meet(node)
        self.unseen += [sent.where] if is_vague(node, schema) else []
        what, (scans, rebuilt) = about(node, schema), statement_cost(node, schema, self.locked)
        self.sent.append(sent._replace(about=what, scans=scans, rebuilt=rebuilt))
        self.emptied += emptied_tables(node, schema, sent.sql, sent.where)
        self.unseen += [sent.where] if node.kind == "DO" else []
        if node.kind == "ALTER_TABLE" and what not in {"new", "nothing"} and sent.transaction:
            self.locked = self.locked or node.name("TABLE_NAME_REF")
        before = schema.copy()
        schema.apply(node)
        now = schema.copy()
        for change in changes(before, now, schema.released, schema.shown_as):
            self.authors[change.rule, change.what] = sent
        for name in differing(before, now):
            self.authors.setdefault(("", name), sent)

    def _close(self) -> None:
        """Record the net changes of a transaction."""
        schema = self.schema
        for change in changes(schema.start, schema.copy(), schema.released, schema.shown_as):
            by = author(self.authors, change)
            sql, where = (by.sql, by.where) if by else ("", self.record.where)
            self.changes.append(change._replace(sql=sql, where=where))
        schema.begin()
        self.locked = ""


def _python(migration: Migration, places: OperationLocator) -> tuple[str, ...]:
    """Return the places of operations that run Python: a static check cannot evaluate them."""
    return tuple(places.line_of(each) for each in migration.operations if _is_python(each))


def _is_python(operation: Operation) -> bool:
    inner: Sequence[Operation] = getattr(operation, "database_operations", ())
    return isinstance(operation, RunPython) or any(map(_is_python, inner))


def _sql(migrations: Iterable[Migration], new: Collection[Migration]) -> str:
    """Return the RunSQL statements of old migrations: they may create tables without a model."""
    old = (each for each in migrations if each not in new)
    return "\n;\n".join(part for each in old for own in each.operations for part in _parts(own))


def _parts(operation: Operation) -> Iterator[str]:
    for each in getattr(operation, "database_operations", ()):
        yield from _parts(each)
    if isinstance(operation, RunSQL):
        sql = [operation.sql] if isinstance(operation.sql, str) else operation.sql
        yield from (each if isinstance(each, str) else each[0] for each in sql)


def _is_new(migration: Migration, released: Collection[str]) -> bool:
    """Return whether a migration belongs to this repository and is not released.

    The virtual environment may be in the repository, so its packages are excluded.
    """
    path = file_of(migration)
    own = path.startswith(f"{Path.cwd().name}/") and "/site-packages/" not in path
    return own and path not in released
