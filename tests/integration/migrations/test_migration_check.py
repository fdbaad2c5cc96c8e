"""A whole check: its output, and its result."""

import json
from pathlib import Path

import pytest

from pipeline.checks.migrations import app_version
from pipeline.checks.migrations.databases import PostgresServer
from tests.integration.migrations.conftest import CheckRun
from tests.support.django_project import Project

DANGEROUS = """
atomic = False
operations = [
    migrations.RenameField("customer", "nick", "name"),
    migrations.RunPython(double, noop),
]
"""
BROKEN = TESTS = """
def test_nothing():
    assert False
"""

UNUSUAL = '''
operations = [
    TrigramExtension(),
    migrations.AddField(
        "customer", "last", models.ForeignKey("shop.Order", models.CASCADE, null=True)
    ),
    migrations.AddField(
        "order", "by", models.ForeignKey("shop.Customer", models.CASCADE, null=True)
    ),
    migrations.AddField("customer", "up", models.ForeignKey("self", models.CASCADE, null=True)),
    migrations.CreateModel("Refusing", [("id", models.BigAutoField(primary_key=True))]),
    migrations.RunSQL(
        """
        ALTER TABLE shop_customer ADD search tsvector;
        ALTER TABLE shop_refusing ADD special txid_snapshot NOT NULL;
        CREATE TABLE day (at date) PARTITION BY RANGE (at);
        CREATE TABLE day_first PARTITION OF day FOR VALUES FROM ('2020-01-01') TO ('2021-01-01')
        """,
        """
        DROP TABLE day;
        ALTER TABLE shop_refusing DROP special;
        ALTER TABLE shop_customer DROP search
        """,
    ),
]
'''
NEXT = """
operations = [migrations.AddField("MODEL", "note", models.CharField(max_length=9, null=True))]
"""


def test_a_flight_names_every_fault_and_writes_them_down(
    project: Project, run_check: CheckRun
) -> None:
    project.migration("0002_next", DANGEROUS)
    output = run_check()
    assert "shop.0002_next renames a column" in output
    assert "shop.0002_next is not idempotent" in output
    assert (
        "column shop_customer.nick does not exist" in output or "FAILED shop/test_shop.py" in output
    )
    assert output.endswith("error: faults found in the migrations: 3")
    report = json.loads(Path("reports/migration-safety.json").read_text())
    assert len(report["faults"]) == 3
    assert report["migrations"][0]["name"] == "shop.0002_next"


def test_tests_that_fail_on_their_own_schema_prove_nothing(
    project: Project, run_check: CheckRun
) -> None:
    project.write("backend/shop/test_shop.py", BROKEN)
    project.release()
    project.migration("0002_next", "operations = []")
    assert (
        "inconclusive: migration-safety: the tests of the previous release also fail" in run_check()
    )


def test_the_first_release_has_nothing_to_compare_with(
    project: Project, run_check: CheckRun
) -> None:
    assert run_check() == "no new migrations\n"
    assert project.root.exists()


def test_what_is_compiled_is_kept_but_not_beside_the_code(
    project: Project, server: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setattr(app_version, "BYTECODE", tmp_path / "kept")
    app_version.AppVersion(project.root / "backend").migrate(
        PostgresServer(server).create_database("compiled")
    )
    assert [*tmp_path.glob("kept/**/site-packages/django/__init__.*.pyc")]
    assert [*tmp_path.glob("kept/**/shop/models.*.pyc")]
    assert not [*project.root.rglob("*.pyc")]

    app_version.remove_bytecode(project.root)
    assert not [*tmp_path.glob("kept/**/shop/models.*.pyc")]
    assert [*tmp_path.glob("kept/**/site-packages/django/__init__.*.pyc")]


def test_history_that_cannot_be_migrated_ends_the_flight(
    project: Project, run_check: CheckRun
) -> None:
    project.migration("0002_next", 'operations = [migrations.RunSQL("SELECT gone", "SELECT 1")]')
    assert "error: the migrations cannot be applied: " in run_check()


def test_a_schema_of_odd_tables_stops_no_migration(project: Project, run_check: CheckRun) -> None:
    project.migration("0002_special", UNUSUAL)
    project.release()
    project.migration("0003_next", NEXT.replace("MODEL", "customer"))
    output = run_check()
    assert "fault" not in output
    assert output.splitlines()[-1].startswith("shop.0003_next")


def test_a_table_without_rows_is_not_judged(project: Project, run_check: CheckRun) -> None:
    project.migration("0002_special", UNUSUAL)
    project.release()
    project.migration("0003_next", NEXT.replace("MODEL", "refusing"))
    assert (
        "inconclusive: migration-safety: tables that migrations touch get no sample rows: "
        "shop_refusing: no value can be generated for special, of type txid_snapshot"
    ) in run_check()


def test_an_extension_that_the_server_lacks_is_not_judged(
    project: Project, run_check: CheckRun
) -> None:
    project.migration("0002_next", 'operations = [CreateExtension("postgis")]')
    output = "inconclusive: migration-safety: this PostgreSQL lacks an extension: postgis"
    assert run_check() == output
