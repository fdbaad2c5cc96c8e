"""What is dangerous to the release that serves is named, with what to do instead.

A whole run_check for each: `nox -s migration-safety-tests`. What needs no tests of the release before
is a row of `tests/integration/migrations/cases.py`.
"""

import re

import pytest

from tests.integration.migrations.conftest import CheckRun
from tests.support.django_project import Project

FAULTS = {
    "a column is renamed": (
        'operations = [migrations.RenameField("customer", "nick", "name")]',
        'renames a column (shop_customer.nick): ALTER TABLE "shop_customer" RENAME COLUMN "nick"',
        "expand, migrate, contract",
    ),
    "the mark is not true": (
        """
        contract = "v2: no code reads it"
        operations = [migrations.RemoveField("customer", "age")]
        """,
        "new schema breaks the previous release, which is still running: FAILED",
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
def test_a_fault_is_named(project: Project, run_check: CheckRun, fault: str) -> None:
    migration, message, hint = FAULTS[fault]
    project.migration("0002_next", migration)
    output = run_check()
    assert message in output
    assert hint in output[output.index(message) :]
    assert "error: " in output


def test_an_applied_migration_that_is_edited_is_named(
    project: Project, run_check: CheckRun
) -> None:
    file = "backend/shop/migrations/0001_initial.py"
    text = (project.root / file).read_text()
    project.write(file, text.replace("max_length=50", "max_length=60"))
    assert "history applied to the previous release, leaves a different schema" in run_check()


def test_who_holds_a_table_for_long_is_named(project: Project, run_check: CheckRun) -> None:
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
    output = run_check()
    locked = re.search(r"keeps shop_order locked \(AccessExclusiveLock\) for (\S+) s", output)
    waited = re.search(r"blocks reads or writes for (\S+)", output)
    assert locked
    assert float(locked[1]) >= 3
    assert waited
    assert float(waited[1]) > 0.5
