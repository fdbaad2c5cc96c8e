"""What serves while migrations are applied must not lose what it uses."""

import io
import json
from functools import partial

import pytest
from django.core.management import call_command
from django.db import migrations, models
from django.db.migrations.graph import MigrationGraph
from django.db.migrations.operations.base import Operation

from config.schema import losses, too_early, uses

text = partial(models.CharField, max_length=9)


def lost(*operations: Operation) -> list[str]:
    written = type("Migration", (migrations.Migration,), {"operations": operations})
    return losses([written("0002_x", "shop")])


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
def test_what_older_code_cannot_use_any_more_is_named(operation: Operation, name: str) -> None:
    assert lost(operation) == [name]
    state = migrations.SeparateDatabaseAndState(database_operations=[operation])
    assert lost(state) == [name]


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
def test_what_only_adds_takes_nothing_away(operation: Operation) -> None:
    assert lost(operation) == []


def test_each_is_named_once() -> None:
    remove = migrations.RemoveField("order", "note")
    assert lost(remove, remove, migrations.DeleteModel("tag")) == ["shop.order.note", "shop.tag"]


def test_the_code_tells_its_models_and_fields_as_json() -> None:
    out = io.StringIO()
    call_command("schema_uses", stdout=out)
    told = json.loads(out.getvalue())
    assert told == uses()
    assert {"projects.project", "projects.project.name", "accounts.user.email"} <= set(told)


def test_a_contract_does_not_come_with_what_made_it_possible() -> None:
    state, drop, other = ("shop", "0002_state"), ("shop", "0003_drop"), ("blog", "0002_drop")
    graph, made = MigrationGraph(), {}
    for node in (state, drop, other):
        told = {} if node == state else {"contract": "nobody reads it"}
        written = type("Migration", (migrations.Migration,), told)
        made[node] = written(node[1], node[0])
        graph.add_node(node, made[node])
    graph.add_dependency(made[drop], drop, state)
    assert too_early(graph, made.values()) == ["shop.0003_drop"]
    assert too_early(graph, [made[drop], made[other]]) == []
