"""Migrations that break running code are detected."""

import io
import json
from functools import partial

import pytest
from django.core.management import call_command
from django.db import migrations, models
from django.db.migrations.graph import MigrationGraph
from django.db.migrations.operations.base import Operation

from config.schema import breaking_changes, too_early, uses

text = partial(models.CharField, max_length=9)


def broken(*operations: Operation) -> list[str]:
    written = type("Migration", (migrations.Migration,), {"operations": operations})
    return breaking_changes([written("0002_x", "shop")])


@pytest.mark.parametrize(
    ("operation", "name"),
    [
        (migrations.RemoveField("Order", "Note"), "shop.order.note"),
        (migrations.RenameField("Order", "note", "remark"), "shop.order.note"),
        (migrations.DeleteModel("Order"), "shop.order"),
        (migrations.RenameModel("Order", "Purchase"), "shop.order"),
        (migrations.AddField("Order", "note", text(default="")), "shop.order"),
    ],
)
def test_breaking_operation(operation: Operation, name: str) -> None:
    assert broken(operation) == [name]
    state = migrations.SeparateDatabaseAndState(database_operations=[operation])
    assert broken(state) == [name]


@pytest.mark.parametrize(
    "operation",
    [
        migrations.AddField("Order", "note", text(null=True)),
        migrations.AddField("Order", "note", text(db_default="")),
        migrations.AddField("Order", "tags", models.ManyToManyField("shop.Tag")),
        migrations.CreateModel("Tag", [("id", models.AutoField(primary_key=True))]),
        migrations.AddIndex("Order", models.Index(fields=["note"], name="by_note")),
        migrations.SeparateDatabaseAndState(state_operations=[migrations.DeleteModel("Order")]),
        migrations.RunSQL("SELECT 1"),
    ],
)
def test_compatible_operation(operation: Operation) -> None:
    assert broken(operation) == []


def test_breaking_changes_are_unique() -> None:
    remove = migrations.RemoveField("order", "note")
    assert broken(remove, remove, migrations.DeleteModel("tag")) == ["shop.order.note", "shop.tag"]


def test_schema_uses_command() -> None:
    out = io.StringIO()
    call_command("schema_uses", stdout=out)
    output = json.loads(out.getvalue())
    assert output == uses()
    assert {"projects.project", "projects.project.name", "accounts.user.email"} <= set(output)


def test_too_early() -> None:
    state, drop, other = ("shop", "0002_state"), ("shop", "0003_drop"), ("blog", "0002_drop")
    graph, made = MigrationGraph(), {}
    for node in (state, drop, other):
        members = {} if node == state else {"contract": "v1.4.0: unused"}
        written = type("Migration", (migrations.Migration,), members)
        made[node] = written(node[1], node[0])
        graph.add_node(node, made[node])
    graph.add_dependency(made[drop], drop, state)
    assert too_early(graph, made.values()) == ["shop.0003_drop"]
    assert too_early(graph, [made[drop], made[other]]) == []
