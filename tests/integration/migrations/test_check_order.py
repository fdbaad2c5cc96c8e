"""Expand, migrate, contract: three releases, each of which fits the one before."""

from tests.integration.migrations.conftest import CheckRun
from tests.support.django_project import CUSTOMER, TESTS, Project

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


def test_a_rename_in_three_releases_is_let_through(project: Project, run_check: CheckRun) -> None:
    named = TESTS.replace("nick", "name")
    for name, migration, models, tests in (
        ("0002_expand", EXPAND, BOTH, TESTS),
        ("0003_migrate", MIGRATE, NEW, named),
        ("0004_contract", CONTRACT, NEW, named),
    ):
        release(project, name, migration, models, tests)
        output = run_check()
        assert "error" not in output
        assert f"shop.{name}" in output
        project.release()
    assert "no new migrations" not in output
    assert "v2: customers have a name since then" in output


def test_to_contract_a_release_too_early_is_refused(project: Project, run_check: CheckRun) -> None:
    release(project, "0002_expand", EXPAND, BOTH, TESTS)
    project.release()
    release(project, "0003_migrate", MIGRATE, NEW, TESTS.replace("nick", "name"))
    project.migration("0004_contract", CONTRACT)
    assert "new schema breaks the previous release, which is still running" in run_check()
