"""B of the catalogue: migrations that fail, block, or break the release that serves."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from pipeline.process import CommandResult
from tests.acceptance.deploy.fault_report import FaultCase, fault_params
from tests.acceptance.deploy.live_site import LiveSite
from tests.acceptance.deploy.release_variants import append_layer, migration_layer

INPUT, STOPPED, MIGRATION = 2, 6, 7
COMMAND = "backend/config/management/commands/migrate_safely.py"
COLUMN = 'migrations.AddField("project", "{}", models.CharField(max_length=9, null=True))'
PAUSE = 'migrations.RunSQL("SELECT pg_sleep(90)", "SELECT 1")'
FULL = (
    "migrations.RunSQL(\"DO $$ BEGIN RAISE EXCEPTION 'could not extend file' "
    "USING ERRCODE = 'disk_full'; END $$\")"
)
TAKEN = {
    "B5": ("a renamed column", 'migrations.RenameField("project", "name", "title")'),
    "B5b": (
        "a new NOT NULL column without a default",
        'migrations.AddField("project", "owed", models.CharField(max_length=9, default=""))',
    ),
}
REFUSED = {
    "B1": ("a migration that fails half-way", "migrations.RunPython(fail)"),
    "B4": ("a statement over its time limit", PAUSE),
    "B9": ("a data migration that takes hours", "migrations.RunPython(lambda *_: time.sleep(90))"),
    "B13": ("a database with a full disk", FULL),
}


@pytest.mark.parametrize("operation", fault_params(REFUSED))
def test_b1_failed_migration_stops(site: LiveSite, case: FaultCase, operation: str) -> None:
    with site.with_timings(migrate_timeout=20):
        commit = site.variants.release(migration_layer("9999_refused", operation))
        case.assert_caught(lambda: site.deploy(commit), code=MIGRATION, at="migrate failed")


@pytest.mark.fault("B3", "a table locked by a long transaction")
def test_b3_locked_table_stops_migration(site: LiveSite, case: FaultCase) -> None:
    commit = site.variants.release(migration_layer("9998_waits", COLUMN.format("waits")))
    with site.with_open_transaction(
        "LOCK TABLE projects_project IN SHARE UPDATE EXCLUSIVE MODE", 90
    ):
        stderr = case.assert_caught(
            lambda: site.deploy(commit), code=MIGRATION, at="migrate failed"
        )
    assert "a table stays locked" in stderr


@pytest.mark.parametrize("operation", fault_params(TAKEN))
def test_b5_serving_release_keeps_its_fields(
    site: LiveSite, case: FaultCase, operation: str
) -> None:
    commit = site.variants.release(migration_layer("9995_takes", operation))
    stderr = case.assert_caught(lambda: site.deploy(commit), code=STOPPED, at="self-check failed")
    assert "still uses the schema that would be removed: projects.project" in stderr


@pytest.mark.fault("B5c", "a contract migration together with the migration that it builds on")
def test_b5c_early_contract_stops(site: LiveSite, case: FaultCase) -> None:
    before = migration_layer("9993_before", COLUMN.format("before"))
    contract = marked(migration_layer("9994_contract", "migrations.RunSQL('SELECT 1', 'SELECT 1')"))
    layers = [before, contract.replace("0001_initial", "9993_before")]
    commit = site.variants.release("\n".join(layers))
    stderr = case.assert_caught(lambda: site.deploy(commit), code=STOPPED, at="self-check failed")
    assert "too early: projects.9994_contract" in stderr


def marked(layer: str) -> str:
    """Return a layer with a migration that is marked as a contract migration."""
    mark = '    contract = "v1.0.0: no code reads it"\n'
    return layer.replace("    operations", f"{mark}    operations")


@pytest.mark.fault("B6", "a second migration while one is running")
def test_b6_second_migration_stops(site: LiveSite, case: FaultCase) -> None:
    found = re.search(
        r"^LOCK = ([\d_]+)", (site.sandbox.folder / COMMAND).read_text(), re.MULTILINE
    )
    assert found
    commit = site.variants.release("LABEL both_migrate=1")
    with site.with_open_transaction(f"SELECT pg_advisory_lock({found[1].replace('_', '')})", 45):
        stderr = case.assert_caught(
            lambda: site.deploy(commit), code=MIGRATION, at="migrate failed"
        )
    assert "another migration is running" in stderr


@pytest.mark.fault("B10", "a model with a column that no migration creates")
def test_b10_preview_finds_missing_migration(site: LiveSite, case: FaultCase) -> None:
    column = 'Project.add_to_class("gone", models.CharField(max_length=9, null=True))'
    commit = site.variants.release(append_layer("apps/projects/models.py", column))
    case.assert_caught(lambda: site.deploy(commit), code=STOPPED, at="preview failed")


@pytest.mark.fault("B11", "a good migration and an app that does not start")
def test_b11_schema_stays_after_failed_preview(site: LiveSite, case: FaultCase) -> None:
    layers = [
        migration_layer("9997_stays", COLUMN.format("stays")),
        append_layer("config/wsgi.py", "raise 1"),
    ]
    commit = site.variants.release("\n".join(layers))
    case.assert_caught(lambda: site.deploy(commit), code=STOPPED, at="preview failed")
    columns = "SELECT count(*) FROM information_schema.columns WHERE column_name = 'stays'"
    assert site.sql(f"{columns};") == "1"


@pytest.mark.fault("B8", "a rollback over a contract migration")
def test_b8_rollback_over_contract_is_refused(site: LiveSite, case: FaultCase) -> None:
    """The first release never used the removed column, so a rollback works at the end."""
    both = f'{COLUMN.format("short")}, migrations.RemoveField("project", "short")'
    commit = site.variants.release(marked(migration_layer("9996_contract", both)))
    assert site.deploy(commit).returncode == 0
    case.assert_caught(site.rollback, code=INPUT, at="cannot roll back over projects.9996_contract")
    site.sql("DELETE FROM django_migrations WHERE name = '9996_contract';")
    assert site.rollback().returncode == 0


def not_atomic(layer: str) -> str:
    """Return a layer with a migration that is not atomic."""
    return layer.replace("    oper", "    atomic = False\n    oper")


@contextmanager
def table_with_duplicates(site: LiveSite) -> Iterator[None]:
    """Create a table with two equal rows inside the block."""
    site.sql("CREATE TABLE pair AS SELECT 1 AS one FROM generate_series(1, 2);")
    try:
        yield
    finally:
        site.sql("DROP TABLE pair;")


def database_status(site: LiveSite) -> str:
    """Return the lines of `invoke status` about the database."""
    lines = site.sandbox.invoke("status", "--env=staging").stdout.splitlines()
    return "\n".join(line for line in lines if line.startswith("  database  "))


STUBBORN = (
    'migrations.RunSQL("SET LOCAL statement_timeout = 0; '
    'SET client_connection_check_interval = 0; SELECT pg_sleep(120)", "SELECT 1")'
)
ENDS = re.compile(r"SELECT pg_(?:cancel|terminate)_backend\(\d+\)")


@pytest.mark.fault("B14", "a statement that goes on after its migration timed out")
def test_b14_running_statement_is_reported(site: LiveSite, case: FaultCase) -> None:
    stderr = ""

    def act() -> CommandResult:
        nonlocal stderr
        output = site.deploy(commit)
        stderr = database_status(site)
        for statement in ENDS.findall(stderr):
            site.sql(f"{statement};")
        return output

    with site.with_timings(migrate_timeout=20):
        commit = site.variants.release(migration_layer("9985_stubborn", STUBBORN))
        at = "a migration is still running: process"
        output = case.assert_caught(act, code=MIGRATION, at=at)
    assert ENDS.search(output), "in the output of the deployment itself"
    assert at in stderr
    assert "left nothing behind" in database_status(site)


@pytest.mark.fault("B15", "a migration that leaves an invalid index, reported immediately")
def test_b15_invalid_index_is_reported(site: LiveSite, case: FaultCase) -> None:
    index = 'migrations.RunSQL("CREATE UNIQUE INDEX CONCURRENTLY couple ON pair (one)", "SELECT 1")'
    with table_with_duplicates(site):
        commit = site.variants.release(not_atomic(migration_layer("9984_index", index)))
        at = "is invalid: DROP INDEX CONCURRENTLY couple"
        case.assert_caught(lambda: site.deploy(commit), code=MIGRATION, at=at)
        assert at in database_status(site)
    assert "left nothing behind" in database_status(site)


@pytest.mark.fault("B16", "a migration that leaves a NOT VALID constraint")
def test_b16_not_valid_constraint_is_reported(site: LiveSite, case: FaultCase) -> None:
    check = 'migrations.RunSQL("ALTER TABLE pair ADD CONSTRAINT few CHECK (one < 9) NOT VALID")'
    both = f"{check}, migrations.RunPython(fail)"
    with table_with_duplicates(site):
        commit = site.variants.release(not_atomic(migration_layer("9983_constraint", both)))
        at = "ALTER TABLE pair VALIDATE CONSTRAINT few"
        case.assert_caught(lambda: site.deploy(commit), code=MIGRATION, at=at)
        assert at in database_status(site)


@pytest.mark.fault("B17", "a table locked by a transaction, which is named")
def test_b17_blocking_transaction_is_reported(site: LiveSite, case: FaultCase) -> None:
    commit = site.variants.release(migration_layer("9982_waits", COLUMN.format("waits_too")))
    with site.with_open_transaction(
        "LOCK TABLE projects_project IN SHARE UPDATE EXCLUSIVE MODE", 120
    ):
        at = "a long transaction may hold the table: process"
        stderr = case.assert_caught(lambda: site.deploy(commit), code=MIGRATION, at=at)
    assert "a table stays locked" in stderr
    assert ENDS.search(stderr)


@pytest.mark.fault("B18", "a new deployment after a failed migration")
def test_b18_next_deploy_clears_report(site: LiveSite, case: FaultCase) -> None:
    commit = site.variants.release(migration_layer("9981_fails", "migrations.RunPython(fail)"))
    assert site.deploy(commit).returncode == MIGRATION
    assert "left nothing behind" in database_status(site)
    good = site.variants.release("LABEL after=1")
    case.assert_served(lambda: site.deploy(good), "smoke done")
    assert database_status(site) == ""
    assert site.rollback().returncode == 0
