"""Expand, migrate, contract: three releases, each of which fits the one before."""

import pytest

from tests.flight.conftest import Flight
from tests.flight.project import CUSTOMER, TESTS, Project

EXPAND = """
operations = [
    migrations.AddField("customer", "name", models.CharField(max_length=50, null=True)),
]
"""
BOTH = CUSTOMER.replace(
    "age =",
    """name = models.CharField(max_length=50, null=True)

        def save(self, **options):
            self.name = self.nick
            super().save(**options)

        age =""",
)
MIGRATE = """
operations = [
    migrations.RunPython(fill, noop),
    migrations.RunSQL(
        "ALTER TABLE shop_customer ALTER COLUMN nick DROP NOT NULL",
        "UPDATE shop_customer SET nick = name WHERE nick IS NULL;"
        "SET CONSTRAINTS ALL IMMEDIATE; ALTER TABLE shop_customer ALTER COLUMN nick SET NOT NULL",
    ),
    migrations.SeparateDatabaseAndState(
        state_operations=[migrations.RemoveField("customer", "nick")]
    ),
]
"""
NEW = CUSTOMER.replace(
    "nick = models.CharField(max_length=50)", "name = models.CharField(max_length=50, null=True)"
)
CONTRACT = """
contract = "v2: customers have a name since then, and nick is neither read nor written"
operations = [
    migrations.RunSQL(
        "ALTER TABLE shop_customer DROP COLUMN nick",
        "ALTER TABLE shop_customer ADD COLUMN nick varchar(50)",
    )
]
"""


def release(project: Project, name: str, migration: str, models: str, tests: str) -> None:
    project.migration(name, migration)
    project.write("backend/shop/models.py", models)
    project.write("backend/shop/test_shop.py", tests)


def test_a_rename_in_three_releases_is_let_through(project: Project, flight: Flight) -> None:
    named = TESTS.replace("nick", "name")
    for name, migration, models, tests in (
        ("0002_expand", EXPAND, BOTH, TESTS),
        ("0003_migrate", MIGRATE, NEW, named),
        ("0004_contract", CONTRACT, NEW, named),
    ):
        release(project, name, migration, models, tests)
        said = flight()
        assert "error" not in said
        assert f"shop.{name}" in said
        project.release()
    assert "no migration is new" not in said
    assert "v2: customers have a name since then" in said


def test_to_contract_a_release_too_early_is_refused(project: Project, flight: Flight) -> None:
    release(project, "0002_expand", EXPAND, BOTH, TESTS)
    project.release()
    release(project, "0003_migrate", MIGRATE, NEW, TESTS.replace("nick", "name"))
    project.migration("0004_contract", CONTRACT)
    assert "new schema does not fit the release before, which still serves" in flight()


SAFE = {
    "a nullable column": """
        operations = [
            migrations.AddField("order", "x", models.IntegerField(null=True, default=3)),
            migrations.AddField("order", "y", models.IntegerField(db_default=3)),
            migrations.AlterField("customer", "nick", models.CharField(max_length=90)),
        ]
    """,
    "a foreign key": """
        operations = [migrations.AddField(
            "order", "customer",
            models.ForeignKey("shop.customer", models.CASCADE, null=True, db_index=False),
        )]
    """,
    "an index, concurrently": """
        atomic = False
        operations = [
            AddIndexConcurrently("order", models.Index(fields=["amount"], name="by_amount"))
        ]
    """,
    "a unique constraint, in two steps": """
        atomic = False
        operations = [migrations.SeparateDatabaseAndState(
            [migrations.RunSQL(
                [
                    "CREATE UNIQUE INDEX CONCURRENTLY only_one ON shop_customer (nick)",
                    "ALTER TABLE shop_customer ADD CONSTRAINT only_one UNIQUE USING INDEX only_one",
                ],
                "ALTER TABLE shop_customer DROP CONSTRAINT only_one",
            )],
            [migrations.AddConstraint(
                "customer", models.UniqueConstraint(fields=["nick"], name="only_one")
            )],
        )]
    """,
    "a check constraint that is validated later": """
        operations = [AddConstraintNotValid(
            "customer", models.CheckConstraint(condition=~models.Q(nick=""), name="named")
        )]
    """,
    "a table of its own, with an index": """
        operations = [
            migrations.CreateModel("Address", [
                ("id", models.BigAutoField(primary_key=True)),
                ("customer", models.ForeignKey("shop.customer", models.CASCADE)),
                ("street", models.CharField(max_length=90)),
            ]),
            migrations.AddIndex("address", models.Index(fields=["street"], name="by_street")),
            migrations.RenameField("address", "street", "road"),
        ]
    """,
}


@pytest.mark.parametrize("migration", SAFE)
def test_what_is_safe_is_let_through(project: Project, flight: Flight, migration: str) -> None:
    project.migration("0002_next", SAFE[migration])
    if migration.startswith("a check"):
        project.migration(
            "0003_validate", 'operations = [ValidateConstraint("customer", name="named")]'
        )
    assert "error" not in flight()
