"""What is dangerous to the release that serves is named, with what to do instead.

A flight for each, on a PostgreSQL of its own: a session of their own, `nox -s flight-faults`.
"""

import re

import pytest

from tests.flight.conftest import Flight
from tests.flight.project import Project

FAULTS = {
    "a column is renamed": (
        'operations = [migrations.RenameField("customer", "nick", "name")]',
        'renames a column: ALTER TABLE "shop_customer" RENAME COLUMN "nick" TO "name"',
        "expand, migrate, contract",
    ),
    "a table is renamed": (
        'operations = [migrations.RenameModel("customer", "client")]',
        'renames a table: ALTER TABLE "shop_customer" RENAME TO "shop_client"',
        "expand, migrate, contract",
    ),
    "a column is dropped": (
        'operations = [migrations.RemoveField("customer", "age")]',
        'drops a column: ALTER TABLE "shop_customer" DROP COLUMN "age"',
        "mark the migration: contract =",
    ),
    "a table is dropped": (
        'operations = [migrations.DeleteModel("order")]',
        'drops a table: DROP TABLE "shop_order"',
        "mark the migration: contract =",
    ),
    "a column is NOT NULL, with a default that only Django knows": (
        'operations = [migrations.AddField("customer", "x", models.IntegerField(default=0))]',
        "adds a column that is NOT NULL and that the release before does not fill",
        "db_default",
    ),
    "a column may not be NULL any more": (
        'operations = [migrations.AlterField("customer", "age", models.IntegerField(default=0))]',
        "forbids a column to be NULL",
        "first let all code write it",
    ),
    "the type of a column changes": (
        'operations = [migrations.AlterField("order", "amount", models.TextField())]',
        'changes the type of a column: ALTER TABLE "shop_order" ALTER COLUMN "amount" TYPE text',
        "expand, migrate, contract",
    ),
    "a table is written anew": (
        """
        operations = [migrations.RunSQL(
            "ALTER TABLE shop_order ADD COLUMN x float DEFAULT random()",
            "ALTER TABLE shop_order DROP COLUMN x",
        )]
        """,
        "writes shop_order anew, row by row",
        "fill it in batches",
    ),
    "an index is not created concurrently": (
        """
        operations = [
            migrations.AddIndex("order", models.Index(fields=["amount"], name="by_amount"))
        ]
        """,
        'creates an index while nobody can write: CREATE INDEX "by_amount"',
        "AddIndexConcurrently",
    ),
    "the index of a foreign key is not created concurrently": (
        """
        operations = [migrations.AddField(
            "order", "customer", models.ForeignKey("shop.customer", models.CASCADE, null=True)
        )]
        """,
        "creates an index while nobody can write",
        "db_index=False",
    ),
    "a unique constraint is added to a table with rows": (
        """
        operations = [migrations.AddConstraint(
            "customer", models.UniqueConstraint(fields=["nick"], name="only_one")
        )]
        """,
        "adds a unique constraint while nobody can read",
        "USING INDEX",
    ),
    "a check constraint is validated at once": (
        """
        operations = [migrations.AddConstraint(
            "customer", models.CheckConstraint(condition=~models.Q(nick=""), name="named")
        )]
        """,
        "adds a constraint and checks all rows",
        "AddConstraintNotValid",
    ),
    "a foreign key is validated at once": (
        """
        operations = [migrations.RunSQL(
            "ALTER TABLE shop_order ADD CONSTRAINT fk"
            " FOREIGN KEY (customer_number) REFERENCES shop_customer (id)",
            "ALTER TABLE shop_order DROP CONSTRAINT fk",
        )]
        """,
        "adds a foreign key and checks all rows",
        "NOT VALID",
    ),
    "a migration has no reverse": (
        "operations = [migrations.RunPython(migrations.RunPython.noop)]",
        "cannot be taken back: Raw Python operation",
        "reverse_code",
    ),
    "the reverse leaves something": (
        """
        operations = [migrations.RunSQL("ALTER TABLE shop_order ADD COLUMN x int", "SELECT 1")]
        """,
        "taken back, leaves another schema: with column shop_order.x: integer",
        "its reverse undoes it all",
    ),
    "the reverse does not fit the rows": (
        """
        contract = "v2: nobody asks for it"
        operations = [migrations.RemoveField("order", "amount")]
        """,
        "cannot be taken back: IntegrityError: column",
        "a reverse that fits the rows",
    ),
    "a data migration is not idempotent": (
        "operations = [migrations.RunPython(double, noop)]",
        "is not idempotent: run a second time, `Raw Python operation` changes shop_order again",
        "only touch rows that are not yet as they shall be",
    ),
    "a data migration in SQL is not idempotent": (
        'operations = [migrations.RunSQL("UPDATE shop_order SET amount = amount + 1", "SELECT 1")]',
        "is not idempotent: run a second time, `Raw SQL operation` changes shop_order again",
        "only touch rows that are not yet as they shall be",
    ),
    "a data migration fails the second time": (
        """
        operations = [migrations.RunSQL(
            "INSERT INTO shop_order (id, amount) VALUES (-1, 1)",
            "DELETE FROM shop_order WHERE id = -1",
        )]
        """,
        "is not idempotent: run a second time, `Raw SQL operation` fails: duplicate key",
        "only touch rows that are not yet as they shall be",
    ),
    "it fails where there are rows": (
        """
        operations = [migrations.RunSQL(
            "ALTER TABLE shop_order ADD COLUMN x int NOT NULL",
            "ALTER TABLE shop_order DROP COLUMN x",
        )]
        """,
        "fails where there are rows: IntegrityError: column",
        "let the migration fit what may be in the tables",
    ),
    "the mark means nothing": (
        """
        contract = "v2: nobody asks for it"
        operations = [migrations.AddField("order", "x", models.IntegerField(null=True))]
        """,
        "is marked as a contract, but takes nothing away",
        "take the mark away",
    ),
    "the mark gives no reason": (
        """
        contract = True
        operations = [migrations.RemoveField("order", "customer_number")]
        """,
        "does not say who stopped needing what it takes away",
        "contract =",
    ),
    "the mark is not true": (
        """
        contract = "v2: nobody asks for it"
        operations = [migrations.RemoveField("customer", "age")]
        """,
        "new schema does not fit the release before, which still serves: FAILED",
        "expand, migrate, contract",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_named(project: Project, flight: Flight, fault: str) -> None:
    migration, message, hint = FAULTS[fault]
    project.migration("0002_next", migration)
    said = flight()
    assert message in said
    assert hint in said[said.index(message) :].splitlines()[1]
    assert "error: faults found in the migrations" in said


def test_an_applied_migration_that_is_edited_is_named(project: Project, flight: Flight) -> None:
    file = "backend/shop/migrations/0001_initial.py"
    text = (project.root / file).read_text()
    project.write(file, text.replace("max_length=50", "max_length=60"))
    assert "history added to the release before, leaves another schema" in flight()


def test_who_holds_a_table_for_long_is_named(project: Project, flight: Flight) -> None:
    text = (project.root / "pipeline.toml").read_text()
    project.write("pipeline.toml", text.replace("lock_seconds = 5", "lock_seconds = 0.5"))
    project.migration(
        "0002_next",
        """
        operations = [migrations.RunSQL(
            "LOCK TABLE shop_order; SELECT pg_sleep(3)", migrations.RunSQL.noop
        )]
        """,
    )
    said = flight()
    locked = re.search(r"keeps shop_order locked \(AccessExclusiveLock\) for (\S+) seconds", said)
    waited = re.search(r"lets those who read and write wait for (\S+)", said)
    assert locked
    assert float(locked[1]) >= 3
    assert waited
    assert float(waited[1]) > 0.5
