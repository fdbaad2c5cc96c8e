"""Apply the pending migrations one by one, and record each of them."""

import time
from dataclasses import replace

from django.db import connection
from django.db.migrations import Migration
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState

from pipeline.checks.migrations.django_runner import pg_catalog
from pipeline.checks.migrations.django_runner.changes import needed
from pipeline.checks.migrations.django_runner.idempotency import run_data_operations_twice
from pipeline.checks.migrations.django_runner.lock_recorder import LockRecorder
from pipeline.checks.migrations.django_runner.pg_catalog import Snapshot
from pipeline.checks.migrations.django_runner.source_locations import OperationLocator
from pipeline.checks.migrations.records import MigrationRecord

Node = tuple[str, str]
_MIGRATIONS_TABLE = "django_migrations"


def apply_pending(*, expand_only: bool, twice: bool) -> list[MigrationRecord]:
    """Apply the pending migrations one by one, and return a record of each.

    Args:
        expand_only: Skip contract migrations and the migrations that depend on them.
        twice: Run each data operation of non-atomic migrations twice.
    """
    executor = MigrationExecutor(connection)
    graph = executor.loader.graph
    pending = [migration for migration, _ in executor.migration_plan(graph.leaf_nodes())]
    marked = {_node(each) for each in pending if expand_only and hasattr(each, "contract")}
    chosen = [each for each in pending if marked.isdisjoint(graph.forwards_plan(_node(each)))]
    connection.ensure_connection()
    known = {oid: name for oid, name in pg_catalog.relations().items() if name != _MIGRATIONS_TABLE}
    released = pg_catalog.snapshot(known)
    columns = columns_of(executor.loader.project_state(_leaves(executor.loader)))
    records: list[MigrationRecord] = []
    for migration in chosen:
        record, state = _apply(_node(migration), released, twice=twice)
        now = columns_of(state)
        lost = tuple(
            sorted(name for name in columns - now if table_of(name) in {*map(table_of, now)})
        )
        records.append(replace(record, unfilled=lost))
        if record.failure:
            break
        columns = now
    empty = needed(known)
    return [replace(each, unfilled=tuple(empty & {*each.unfilled})) for each in records]


def _leaves(loader: MigrationLoader) -> list[Node]:
    """Return the applied migrations without an applied child."""
    applied = set(loader.applied_migrations) & set(loader.graph.nodes)
    children = {
        node: {child.key for child in loader.graph.node_map[node].children} for node in applied
    }
    return [node for node in applied if children[node].isdisjoint(applied)]


def reason(error: Exception) -> str:
    """Return the class of an error and its first line."""
    return f"{type(error).__name__}: {error}".splitlines()[0]


def _apply(node: Node, released: Snapshot, *, twice: bool) -> tuple[MigrationRecord, ProjectState]:
    executor = MigrationExecutor(connection)  # it caches the applied migrations: one for each call
    migration = executor.loader.graph.nodes[node]
    repeats = (
        run_data_operations_twice(migration.operations) if twice and not migration.atomic else []
    )
    places = OperationLocator(migration)
    recorder, started = LockRecorder(released, places), time.monotonic()
    failure, state = "", ProjectState()
    try:
        with connection.execute_wrapper(recorder):
            state = executor.migrate([node])
    except Exception as error:  # noqa: BLE001 - a migration may raise any exception
        failure = reason(error)
        connection.connection.rollback()  # a transaction that the migration itself started
        recorder.record_failed_statement()
    emptied = recorder.finish()
    span = (started, time.monotonic())
    record = replace(
        with_annotations(MigrationRecord(".".join(node)), migration, places),
        where=places.failed if failure else places.file,
        sent=tuple(recorder.sent),
        failure=failure,
        repeats=tuple(repeats),
        locks=tuple(recorder.locks),
        changes=tuple(recorder.changes),
        emptied=emptied,
        span=span,
    )
    return record, state


def with_annotations(
    record: MigrationRecord, migration: Migration, places: OperationLocator
) -> MigrationRecord:
    """Add the marks and the irreversible operations of a migration."""
    return replace(
        record,
        contract=_mark(migration, "contract"),
        deletes_rows=_mark(migration, "deletes_rows"),
        irreversible=tuple(
            f"{each.describe()} ({places.line_of(each)})"
            for each in migration.operations
            if not each.reversible
        ),
    )


def _mark(migration: Migration, name: str) -> str | None:
    return str(getattr(migration, name)) if hasattr(migration, name) else None


def columns_of(state: ProjectState) -> set[str]:
    """Return the columns of all models, as in `shop_order.amount`."""
    return {
        f"{model._meta.db_table}.{field.column}"  # noqa: SLF001
        for model in state.apps.get_models(include_auto_created=True)
        for field in model._meta.local_concrete_fields  # noqa: SLF001
    }


def table_of(column: str) -> str:
    """Return the table in a name such as `shop_order.amount`."""
    return column.rpartition(".")[0]


def _node(migration: Migration) -> Node:
    return migration.app_label, migration.name
