"""Migrates, and writes down what was seen.

python -m pipeline.gates.flight.inside forward [--expand-only] [--twice]
python -m pipeline.gates.flight.inside round-trip [shop.0002_more …]
"""

import argparse
import os
import time
from io import StringIO
from pathlib import Path

import django
from django.apps import apps
from django.core.management import call_command
from django.db import connection
from django.db.migrations import Migration
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.graph import MigrationGraph

from pipeline.gates.flight.databases import schema
from pipeline.gates.flight.inside.recorder import Recorder
from pipeline.gates.flight.inside.twice import repeat_data_operations
from pipeline.gates.flight.records import Record, RoundTrip, written

Node = tuple[str, str]


def forward(*, expand_only: bool, twice: bool) -> list[Record]:
    """Apply what is pending, one migration after the other, and return a record of each.

    Args:
        expand_only: Leave out contract migrations, and what builds upon them.
        twice: Run what changes data a second time.
    """
    executor = MigrationExecutor(connection)
    graph = executor.loader.graph
    pending = [migration for migration, _ in executor.migration_plan(graph.leaf_nodes())]
    marked = {_node(each) for each in pending if expand_only and hasattr(each, "contract")}
    known = set(connection.introspection.table_names()) - {"django_migrations"}
    chosen = [each for each in pending if marked.isdisjoint(graph.forwards_plan(_node(each)))]
    records: list[Record] = []
    for migration in chosen:
        records.append(_apply(_node(migration), known, twice=twice))
        if records[-1].failure:
            break
    return records


def round_trip(names: list[str], url: str) -> RoundTrip:
    """Apply all migrations, take some back, and apply them again.

    Args:
        names: Those to take back, as in `shop.0002_more`, with what builds upon them; none of them
            means all of the apps in this directory.
        url: The database.
    """
    _apply_all()
    there, back = schema(url), frozenset[str]()
    try:
        _backward(names)
        back = schema(url)
        _apply_all()
    except Exception as error:  # noqa: BLE001 - whatever a migration may raise
        return RoundTrip(there, back, failure=f"{type(error).__name__}: {error}".splitlines()[0])
    return RoundTrip(there, back, schema(url))


def _apply_all() -> None:
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())


def _backward(names: list[str]) -> None:
    graph = MigrationExecutor(connection).loader.graph
    here = {app.label for app in apps.get_app_configs() if Path.cwd() in Path(app.path).parents}
    undone = {_split(name) for name in names} or {node for node in graph.nodes if node[0] in here}
    for app in sorted({app for app, _ in undone}):
        MigrationExecutor(connection).migrate(_targets(graph, app, undone))


def _targets(graph: MigrationGraph, app: str, undone: set[Node]) -> list[tuple[str, str | None]]:
    """Return the last ones of an app that stay."""
    kept = {node for node in graph.nodes if node[0] == app} - undone
    last = [n for n in kept if kept.isdisjoint(child.key for child in graph.node_map[n].children)]
    return [*last] or [(app, None)]


def _apply(node: Node, known: set[str], *, twice: bool) -> Record:
    sql = StringIO()
    call_command("sqlmigrate", *node, stdout=sql, no_color=True)
    executor = MigrationExecutor(connection)
    migration = executor.loader.graph.nodes[node]
    repeats = repeat_data_operations(migration.operations) if twice else []
    recorder, started = Recorder(known), time.monotonic()
    failure = ""
    try:
        with connection.execute_wrapper(recorder):
            executor.migrate([node])
    except Exception as error:  # noqa: BLE001 - whatever a migration may raise
        failure = f"{type(error).__name__}: {error}".splitlines()[0]
    recorder.finish()
    return Record(
        name=".".join(node),
        sql=sql.getvalue(),
        failure=failure,
        contract=str(migration.contract) if hasattr(migration, "contract") else None,
        irreversible=tuple(each.describe() for each in migration.operations if not each.reversible),
        repeats=tuple(repeats),
        locks=tuple(recorder.locks),
        rewritten=tuple(sorted(recorder.rewritten)),
        retyped=tuple(recorder.retyped),
        span=(started, time.monotonic()),
    )


def _node(migration: Migration) -> Node:
    return migration.app_label, migration.name


def _split(name: str) -> Node:
    app, _, rest = name.partition(".")
    return app, rest


if __name__ == "__main__":
    parser = argparse.ArgumentParser("python -m pipeline.gates.flight.inside", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    forwards = commands.add_parser("forward")
    forwards.add_argument("--expand-only", action="store_true")
    forwards.add_argument("--twice", action="store_true")
    commands.add_parser("round-trip").add_argument("names", nargs="*")
    options = parser.parse_args()
    django.setup()
    if options.command == "round-trip":
        print(round_trip(options.names, os.environ["DATABASE_URL"]).written())
    else:
        print(written(forward(expand_only=options.expand_only, twice=options.twice)))
