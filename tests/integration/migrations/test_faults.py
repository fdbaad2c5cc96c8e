"""What is dangerous to the release that serves is named, with what to do instead.

A whole flight for each: `nox -s migration-safety-tests`. What needs no tests of the release before
is a row of `tests/integration/migrations/cases.py`.
"""

import re

import pytest

from tests.integration.migrations.conftest import Flight
from tests.support.django_project import Project

FAULTS = {
    "a column is renamed": (
        'operations = [migrations.RenameField("customer", "nick", "name")]',
        'renames a column (shop_customer.nick): ALTER TABLE "shop_customer" RENAME COLUMN "nick"',
        "expand, migrate, contract",
    ),
    "the mark is not true": (
        """
        contract = "v2: nobody asks for it"
        operations = [migrations.RemoveField("customer", "age")]
        """,
        "new schema does not fit the release before, which still serves: FAILED",
        "expand, migrate, contract",
    ),
    "a migration cannot be applied at all": (
        """
        operations = [
            AddIndexConcurrently("order", models.Index(fields=["amount"], name="by_amount"))
        ]
        """,
        "applied: shop.0002_next (backend/shop/migrations/0002_next.py): NotSupportedError",
        "",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_named(project: Project, flight: Flight, fault: str) -> None:
    migration, message, hint = FAULTS[fault]
    project.migration("0002_next", migration)
    said = flight()
    assert message in said
    assert hint in said[said.index(message) :]
    assert "error: " in said


def test_an_applied_migration_that_is_edited_is_named(project: Project, flight: Flight) -> None:
    file = "backend/shop/migrations/0001_initial.py"
    text = (project.root / file).read_text()
    project.write(file, text.replace("max_length=50", "max_length=60"))
    assert "history added to the release before, leaves another schema" in flight()


def test_who_holds_a_table_for_long_is_named(project: Project, flight: Flight) -> None:
    text = (project.root / "pipeline.toml").read_text()
    project.write("pipeline.toml", text.replace("max_lock_seconds = 5", "max_lock_seconds = 0.5"))
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
