"""B of the catalogue: what a database refuses, and what it must not make users wait for."""

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
    "B5": ("a column with another name", 'migrations.RenameField("project", "name", "title")'),
    "B5b": (
        "a column that rows of before do not have",
        'migrations.AddField("project", "owed", models.CharField(max_length=9, default=""))',
    ),
}
REFUSED = {
    "B1": ("a migration that fails half-way", "migrations.RunPython(fail)"),
    "B4": ("a statement that takes longer than it may", PAUSE),
    "B9": ("a data migration that takes hours", "migrations.RunPython(lambda *_: time.sleep(90))"),
    "B13": ("a database whose disk is full", FULL),
}


@pytest.mark.parametrize("operation", fault_params(REFUSED))
def test_b1_a_migration_that_cannot_be_applied_touches_nothing(
    site: LiveSite, case: FaultCase, operation: str
) -> None:
    with site.with_timings(migrate_timeout=20):
        commit = site.variants.release(migration_layer("9999_refused", operation))
        case.assert_caught(lambda: site.deploy(commit), code=MIGRATION, at="migrate failed")


@pytest.mark.fault("B3", "a table that a long transaction holds")
def test_b3_a_migration_does_not_make_users_wait_for_a_table(
    site: LiveSite, case: FaultCase
) -> None:
    commit = site.variants.release(migration_layer("9998_waits", COLUMN.format("waits")))
    with site.with_open_transaction(
        "LOCK TABLE projects_project IN SHARE UPDATE EXCLUSIVE MODE", 90
    ):
        said = case.assert_caught(lambda: site.deploy(commit), code=MIGRATION, at="migrate failed")
    assert "a table stays locked" in said


@pytest.mark.parametrize("operation", fault_params(TAKEN))
def test_b5_what_serves_keeps_what_it_uses(site: LiveSite, case: FaultCase, operation: str) -> None:
    commit = site.variants.release(migration_layer("9995_takes", operation))
    said = case.assert_caught(lambda: site.deploy(commit), code=STOPPED, at="self-check failed")
    assert "still uses what would be taken away: projects.project" in said


@pytest.mark.fault("B5c", "a contract migration, and no release between it and what it builds on")
def test_b5c_a_contract_waits_until_what_it_builds_on_has_served(
    site: LiveSite, case: FaultCase
) -> None:
    before = migration_layer("9993_before", COLUMN.format("before"))
    contract = marked(migration_layer("9994_contract", "migrations.RunSQL('SELECT 1', 'SELECT 1')"))
    layers = [before, contract.replace("0001_initial", "9993_before")]
    commit = site.variants.release("\n".join(layers))
    said = case.assert_caught(lambda: site.deploy(commit), code=STOPPED, at="self-check failed")
    assert "too early: projects.9994_contract" in said


def marked(layer: str) -> str:
    """Return a layer with a migration, as one that has the mark of a contract."""
    mark = '    contract = "nobody reads it"\n'
    return layer.replace("    operations", f"{mark}    operations")


@pytest.mark.fault("B6", "a migration while another one is running")
def test_b6_two_do_not_migrate_at_once(site: LiveSite, case: FaultCase) -> None:
    found = re.search(r"^LOCK = ([\d_]+)", (site.yard.folder / COMMAND).read_text(), re.MULTILINE)
    assert found
    commit = site.variants.release("LABEL both_migrate=1")
    with site.with_open_transaction(f"SELECT pg_advisory_lock({found[1].replace('_', '')})", 45):
        said = case.assert_caught(lambda: site.deploy(commit), code=MIGRATION, at="migrate failed")
    assert "another migration is running" in said


@pytest.mark.fault("B10", "a model with a column that no migration makes")
def test_b10_a_missing_migration_is_found_in_the_preview(site: LiveSite, case: FaultCase) -> None:
    column = 'Project.add_to_class("gone", models.CharField(max_length=9, null=True))'
    commit = site.variants.release(append_layer("apps/projects/models.py", column))
    case.assert_caught(lambda: site.deploy(commit), code=STOPPED, at="preview failed")


@pytest.mark.fault("B11", "a good migration, and an app that does not start")
def test_b11_the_code_goes_back_and_the_schema_stays(site: LiveSite, case: FaultCase) -> None:
    layers = [
        migration_layer("9997_stays", COLUMN.format("stays")),
        append_layer("config/wsgi.py", "raise 1"),
    ]
    commit = site.variants.release("\n".join(layers))
    case.assert_caught(lambda: site.deploy(commit), code=STOPPED, at="preview failed")
    columns = "SELECT count(*) FROM information_schema.columns WHERE column_name = 'stays'"
    assert site.sql(f"{columns};") == "1"


@pytest.mark.fault("B8", "a way back over a migration that takes something away")
def test_b8_there_is_no_way_back_over_a_contract(site: LiveSite, case: FaultCase) -> None:
    """What is taken away was never used by the first release, which so can come back at last."""
    both = f'{COLUMN.format("short")}, migrations.RemoveField("project", "short")'
    commit = site.variants.release(marked(migration_layer("9996_contract", both)))
    assert site.deploy(commit).returncode == 0
    case.assert_caught(site.rollback, code=INPUT, at="cannot roll back over projects.9996_contract")
    site.sql("DELETE FROM django_migrations WHERE name = '9996_contract';")
    assert site.rollback().returncode == 0


def not_atomic(layer: str) -> str:
    """Return a layer with a migration, as one whose statements stand for themselves."""
    return layer.replace("    oper", "    atomic = False\n    oper")


@contextmanager
def twins(site: LiveSite) -> Iterator[None]:
    """Have a table with two equal rows."""
    site.sql("CREATE TABLE pair AS SELECT 1 AS one FROM generate_series(1, 2);")
    try:
        yield
    finally:
        site.sql("DROP TABLE pair;")


def told(site: LiveSite) -> str:
    """Return what status tells of the database."""
    lines = site.yard.invoke("status", "--env=staging").stdout.splitlines()
    return "\n".join(line for line in lines if line.startswith("  database  "))


STUBBORN = (
    'migrations.RunSQL("SET LOCAL statement_timeout = 0; '
    'SET client_connection_check_interval = 0; SELECT pg_sleep(120)", "SELECT 1")'
)
ENDS = re.compile(r"SELECT pg_(?:cancel|terminate)_backend\(\d+\)")


@pytest.mark.fault("B14", "a statement that goes on after its migration was given up")
def test_b14_a_statement_that_still_runs_is_told_with_what_ends_it(
    site: LiveSite, case: FaultCase
) -> None:
    said = ""

    def act() -> CommandResult:
        nonlocal said
        output = site.deploy(commit)
        said = told(site)
        for statement in ENDS.findall(said):
            site.sql(f"{statement};")
        return output

    with site.with_timings(migrate_timeout=20):
        commit = site.variants.release(migration_layer("9985_stubborn", STUBBORN))
        at = "a migration is still running: process"
        output = case.assert_caught(act, code=MIGRATION, at=at)
    assert ENDS.search(output), "in the output of the deployment itself"
    assert at in said
    assert "left nothing behind" in told(site)


@pytest.mark.fault("B15", "a migration that leaves an invalid index, and what it says at once")
def test_b15_an_invalid_index_is_named_by_the_deployment_that_left_it(
    site: LiveSite, case: FaultCase
) -> None:
    index = 'migrations.RunSQL("CREATE UNIQUE INDEX CONCURRENTLY couple ON pair (one)", "SELECT 1")'
    with twins(site):
        commit = site.variants.release(not_atomic(migration_layer("9984_index", index)))
        at = "is invalid: DROP INDEX CONCURRENTLY couple"
        case.assert_caught(lambda: site.deploy(commit), code=MIGRATION, at=at)
        assert at in told(site)
    assert "left nothing behind" in told(site)


@pytest.mark.fault("B16", "a migration that leaves a constraint which is not validated")
def test_b16_a_constraint_that_is_not_validated_is_named(site: LiveSite, case: FaultCase) -> None:
    check = 'migrations.RunSQL("ALTER TABLE pair ADD CONSTRAINT few CHECK (one < 9) NOT VALID")'
    both = f"{check}, migrations.RunPython(fail)"
    with twins(site):
        commit = site.variants.release(not_atomic(migration_layer("9983_constraint", both)))
        at = "ALTER TABLE pair VALIDATE CONSTRAINT few"
        case.assert_caught(lambda: site.deploy(commit), code=MIGRATION, at=at)
        assert at in told(site)


@pytest.mark.fault("B17", "a table that a transaction holds, which is named")
def test_b17_the_transaction_that_a_migration_waited_for_is_named(
    site: LiveSite, case: FaultCase
) -> None:
    commit = site.variants.release(migration_layer("9982_waits", COLUMN.format("waits_too")))
    with site.with_open_transaction(
        "LOCK TABLE projects_project IN SHARE UPDATE EXCLUSIVE MODE", 120
    ):
        at = "a long transaction may hold the table: process"
        said = case.assert_caught(lambda: site.deploy(commit), code=MIGRATION, at=at)
    assert "a table stays locked" in said
    assert ENDS.search(said)


@pytest.mark.fault("B18", "a database that has gone on by itself since a migration failed")
def test_b18_after_the_next_deployment_nothing_is_told_of_it(
    site: LiveSite, case: FaultCase
) -> None:
    commit = site.variants.release(migration_layer("9981_fails", "migrations.RunPython(fail)"))
    assert site.deploy(commit).returncode == MIGRATION
    assert "left nothing behind" in told(site)
    good = site.variants.release("LABEL after=1")
    case.assert_served(lambda: site.deploy(good), "smoke done")
    assert told(site) == ""
    assert site.rollback().returncode == 0
