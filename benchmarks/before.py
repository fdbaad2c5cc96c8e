"""Migrates to where an app was some migrations ago, and prints what is new since then.

python -m benchmarks.before APP COUNT, in the directory of a backend, with its settings
"""

import sys

import django
from django.db import connection
from django.db.migrations.executor import MigrationExecutor


def main(app: str, count: str) -> None:
    """Apply all migrations but the last ones of an app, and those that build upon them."""
    executor = MigrationExecutor(connection)
    graph = executor.loader.graph
    plan = [(each.app_label, each.name) for each, _ in executor.migration_plan(graph.leaf_nodes())]
    last = {*[node for node in plan if node[0] == app][-int(count) :]}
    new = [node for node in plan if not last.isdisjoint(graph.forwards_plan(node))]
    executor.migrate([node for node in plan if node not in new])
    for node in new:
        print(".".join(node))


if __name__ == "__main__":
    django.setup()
    main(*sys.argv[1:])
