"""Apply, reverse and reapply migrations, and read the schema after each step."""

from collections.abc import Callable, Sequence
from pathlib import Path

from django.apps import apps
from django.db import connection
from django.db.migrations import Migration
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.graph import MigrationGraph

from pipeline.checks.migrations.databases import schema
from pipeline.checks.migrations.django_runner.forward import Node, reason
from pipeline.checks.migrations.django_runner.source_locations import file_of
from pipeline.checks.migrations.records import RoundTrip

_Progress = Callable[..., None]


def round_trip(names: Sequence[str], url: str) -> RoundTrip:
    """Apply all migrations, reverse some of them, and apply them again.

    Args:
        names: The migrations to reverse, as in `shop.0002_more`, with all that depend on them;
            without names, all migrations of the apps in the current folder.
        url: The database.
    """
    started = [""]

    def note(action: str, migration: Migration | None = None, *_: object) -> None:
        if migration and action.endswith("apply_start"):
            started.append(f"{migration} ({file_of(migration)}): ")

    there = back = frozenset[str]()
    try:
        _apply_all(note)
        there = schema(url)
        _backward(names, note)
        back = schema(url)
        _apply_all(note)
    except Exception as error:  # noqa: BLE001 - a migration may raise any exception
        return RoundTrip(there, back, failure=started[-1] + reason(error))
    return RoundTrip(there, back, schema(url))


def _apply_all(note: _Progress) -> None:
    executor = MigrationExecutor(connection, note)
    executor.migrate(executor.loader.graph.leaf_nodes())


def _backward(names: Sequence[str], note: _Progress) -> None:
    graph = MigrationExecutor(connection).loader.graph
    here = {app.label for app in apps.get_app_configs() if Path.cwd() in Path(app.path).parents}
    undone = {_split(name) for name in names} or {node for node in graph.nodes if node[0] in here}
    for app in sorted({app for app, _ in undone}):
        MigrationExecutor(connection, note).migrate(_targets(graph, app, undone))


def _targets(graph: MigrationGraph, app: str, undone: set[Node]) -> list[tuple[str, str | None]]:
    """Return the last migrations of an app that stay applied; None means no migration."""
    kept = {node for node in graph.nodes if node[0] == app} - undone
    last = [n for n in kept if kept.isdisjoint(child.key for child in graph.node_map[n].children)]
    return [*last] or [(app, None)]


def _split(name: str) -> Node:
    app, _, rest = name.partition(".")
    return app, rest
