"""`migrate_safely` runs one migration at a time and does not block the requests of the app."""

import io
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from unittest.mock import Mock, call

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, OperationalError, connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.recorder import MigrationRecorder

from apps.projects.models import Project
from config import leftovers
from config.management.commands import migrate_safely
from config.management.commands.migrate_safely import LOCK
from config.pending import another_migrates
from config.tests.conftest import BACKEND
from config.tests.waiting import wait_until

PROJECTS = ("projects", "0001_initial")
SLEEPING = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND query = 'SELECT pg_sleep(600)'
"""
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _restore_migrations() -> Iterator[None]:
    yield
    connection.close()  # it has the lock timeout of the test
    call_command("migrate", verbosity=0)


@pytest.fixture
def _missing_migration() -> None:
    call_command("migrate", "projects", "zero", verbosity=0)


@pytest.fixture
def app() -> Iterator[BaseDatabaseWrapper]:
    """A second connection to the same database, as the app has."""
    other = connection.copy()
    yield other
    other.close()


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Replace the pauses of the command; return the list of their durations."""
    pauses: list[float] = []
    monkeypatch.setattr(migrate_safely, "sleep", pauses.append)
    return pauses


def applied() -> bool:
    return PROJECTS in MigrationRecorder(connection).applied_migrations()


def lock_users(app: BaseDatabaseWrapper) -> None:
    """Lock a table that the missing migration references, as a long transaction would."""
    app.set_autocommit(autocommit=False)
    with app.cursor() as cursor:
        cursor.execute("LOCK TABLE accounts_user IN ACCESS EXCLUSIVE MODE")


def can_lock(app: BaseDatabaseWrapper) -> bool:
    with app.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s), pg_advisory_unlock(%s)", [LOCK, LOCK])
        return bool(cursor.fetchone() == (True, True))


@pytest.mark.usefixtures("_missing_migration")
def test_migrate() -> None:
    assert not applied()
    call_command("migrate_safely")

    assert applied()
    assert Project.objects.count() == 0


@pytest.mark.postgres
@pytest.mark.usefixtures("_missing_migration")
def test_lock_is_released(app: BaseDatabaseWrapper) -> None:
    call_command("migrate_safely")

    assert can_lock(app)


@pytest.mark.postgres
@pytest.mark.usefixtures("_missing_migration")
def test_migration_of_another_database() -> None:
    other = connection.copy()
    other.settings_dict["NAME"] = "postgres"
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        assert not another_migrates()
        call_command("migrate_safely")
    finally:
        other.close()

    assert applied()


@pytest.mark.postgres
@pytest.mark.usefixtures("_missing_migration")
def test_parallel_migration(
    app: BaseDatabaseWrapper, pauses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    with app.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
    monkeypatch.setenv(
        "PGOPTIONS", "-c lock_timeout=30s"
    )  # else a command that waits would fail, too
    message = r"^another migration is running: for \d+ s, SELECT pg_advisory_lock.*\nhint: wait"
    with pytest.raises(CommandError, match=message):
        call_command("migrate_safely")

    assert not applied()
    assert pauses == []
    assert not can_lock(connection), "the other connection lost its lock"
    app.close()
    call_command("migrate_safely")
    assert applied()


@pytest.mark.postgres
@pytest.mark.usefixtures("_missing_migration")
def test_locked_table(
    app: BaseDatabaseWrapper,
    pauses: list[float],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    limit = Mock(side_effect=migrate_safely.set_timeout)
    monkeypatch.setattr(migrate_safely, "set_timeout", limit)
    lock_users(app)
    started = time.monotonic()
    with pytest.raises(CommandError, match=r"^a table stays locked by other transactions\nhint"):
        call_command("migrate_safely", lock_seconds=0.2, tries=3)

    assert time.monotonic() - started >= 0.6
    assert limit.call_args_list.count(call("lock_timeout", 0.2)) == 3
    assert pauses == [2, 4], "longer each time, and none after the last attempt"
    assert [line for line in capsys.readouterr().err.splitlines() if "locked" in line] == [
        f"a table is locked: attempt {number} of 3 failed" for number in (1, 2, 3)
    ]
    assert not applied()
    app.rollback()
    assert can_lock(app)


@pytest.mark.postgres
@pytest.mark.usefixtures("_missing_migration")
def test_retry_after_lock(app: BaseDatabaseWrapper, monkeypatch: pytest.MonkeyPatch) -> None:
    lock_users(app)
    monkeypatch.setattr(migrate_safely, "sleep", lambda _: app.rollback())
    call_command("migrate_safely", lock_seconds=0.2, tries=2)

    assert applied()
    app.set_autocommit(autocommit=True)
    assert can_lock(app)


@pytest.mark.postgres
def test_statement_timeout(
    monkeypatch: pytest.MonkeyPatch, app: BaseDatabaseWrapper, pauses: list[float]
) -> None:
    def fail(*_: object, **__: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(60)")

    monkeypatch.setattr(migrate_safely, "call_command", fail)
    with pytest.raises(CommandError, match=r"^a statement took longer than 0\.2 seconds"):
        call_command("migrate_safely", statement_seconds=0.2)

    assert pauses == []
    assert can_lock(app)


@pytest.mark.postgres
def test_other_database_error(
    monkeypatch: pytest.MonkeyPatch, app: BaseDatabaseWrapper, pauses: list[float]
) -> None:
    def fail(*_: object, **__: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    monkeypatch.setattr(migrate_safely, "call_command", fail)
    with pytest.raises(OperationalError, match="terminating connection"):
        call_command("migrate_safely")

    assert pauses == []
    assert can_lock(app)


@pytest.fixture
def _twins() -> Iterator[None]:
    """A table with two equal rows, so that a unique index on it fails."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE twins AS SELECT 1 AS one FROM generate_series(1, 2)")
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE twins")


def broken_index(*_: object, **__: object) -> None:
    """Act as a migration whose index fails."""
    with suppress(IntegrityError), connection.cursor() as cursor:
        cursor.execute('CREATE UNIQUE INDEX CONCURRENTLY "Twins_one" ON twins (one)')


@pytest.mark.postgres
@pytest.mark.usefixtures("_twins")
def test_invalid_index(monkeypatch: pytest.MonkeyPatch, app: BaseDatabaseWrapper) -> None:
    message = (
        r'^the index "Twins_one" of twins is invalid: DROP INDEX CONCURRENTLY "Twins_one"\nhint'
    )
    with monkeypatch.context() as patch:
        patch.setattr(migrate_safely, "call_command", broken_index)
        with pytest.raises(CommandError, match=message):
            call_command("migrate_safely")
    with pytest.raises(CommandError, match=message):
        call_command("migrate_safely")
    assert can_lock(app)
    with connection.cursor() as cursor:
        cursor.execute('DROP INDEX CONCURRENTLY "Twins_one"')
    call_command("migrate_safely")


@pytest.mark.postgres
@pytest.mark.usefixtures("_twins")
def test_unvalidated_constraint(capsys: pytest.CaptureFixture[str]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE twins ADD CONSTRAINT few CHECK (one < 9) NOT VALID")
    call_command("migrate_safely")
    assert capsys.readouterr().err == (
        "note: few of twins is not validated: ALTER TABLE twins VALIDATE CONSTRAINT few\n"
    )


SLOW = """
import django
django.setup()
from django.db import connection
from config.management.commands.migrate_safely import migration_lock
with migration_lock(), connection.cursor() as cursor:
    print("locked", flush=True)
    cursor.execute("SELECT pg_sleep(600)")
"""


@pytest.mark.postgres
def test_killed_client_keeps_lock(
    app: BaseDatabaseWrapper,
) -> None:
    url = "postgres://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**connection.settings_dict)
    command = [sys.executable, "-c", SLOW]
    env = {**os.environ, "DATABASE_URL": url}
    with subprocess.Popen(command, cwd=BACKEND, env=env, stdout=subprocess.PIPE) as client:
        assert client.stdout
        assert client.stdout.readline() == b"locked\n"
        wait_until(lambda: sleeping(app) == 1, "the statement does not start")
        client.kill()
    # the lock is held as long as the statement runs
    with app.cursor() as cursor:
        cursor.execute(f"SELECT pg_try_advisory_lock(%s), ({SLEEPING})", [LOCK])
        got, running = cursor.fetchone()
    assert (got, running) in {(False, 1), (True, 0)}
    wait_until(lambda: sleeping(app) == 0, "the server does not notice that its client is gone")


def sleeping(app: BaseDatabaseWrapper) -> int:
    with app.cursor() as cursor:
        cursor.execute(SLEEPING)
        return int(cursor.fetchone()[0])


def left() -> list[str]:
    """Return the lines that the command prints."""
    out = io.StringIO()
    call_command("leftovers", stdout=out)
    return out.getvalue().splitlines()


def test_no_leftovers() -> None:
    assert left() == ["nothing is left"]


@pytest.mark.postgres
@pytest.mark.usefixtures("_twins")
def test_running_migration(
    app: BaseDatabaseWrapper,
) -> None:
    """The statement waits for a lock, as one whose client was killed may do."""
    app.inc_thread_sharing()
    other = connection.copy()
    process, blocker = pid_of(app), pid_of(other)
    other.set_autocommit(autocommit=False)
    with other.cursor() as cursor:
        cursor.execute("LOCK TABLE twins IN SHARE UPDATE EXCLUSIVE MODE")
    statement = "ALTER TABLE twins ADD COLUMN two int"
    waits = threading.Thread(target=migrate, args=(app, statement))
    waits.start()
    try:
        wait_until(lambda: any("blocked by" in line for line in left()), "nothing is blocked")
        (line,) = [line for line in left() if line.startswith("a migration is still running: ")]
        assert re.fullmatch(
            rf"a migration is still running: process {process}, active for \d+ s, "
            rf"blocked by process {blocker}: {statement}: SELECT pg_cancel_backend\({process}\)",
            line,
        )
    finally:
        other.close()
        waits.join()
    assert left() == ["nothing is left"]


@pytest.mark.postgres
@pytest.mark.usefixtures("_twins")
def test_long_transaction(app: BaseDatabaseWrapper, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leftovers, "LONG", 0)
    app.set_autocommit(autocommit=False)
    with app.cursor() as cursor:
        cursor.execute("LOCK TABLE twins")
    (line,) = left()
    assert re.fullmatch(
        rf"a long transaction may hold the table: process {pid_of(app)}, idle in "
        rf"transaction for \d+ s: LOCK TABLE twins: SELECT pg_terminate_backend\({pid_of(app)}\)",
        line,
    )


@pytest.mark.postgres
@pytest.mark.usefixtures("_twins")
def test_index_and_constraint_are_left() -> None:
    broken_index()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE twins ADD CONSTRAINT few CHECK (one < 9) NOT VALID")
    assert left() == [
        'the index "Twins_one" of twins is invalid: DROP INDEX CONCURRENTLY "Twins_one"',
        "few of twins is not validated: ALTER TABLE twins VALIDATE CONSTRAINT few",
    ]


def pid_of(database: BaseDatabaseWrapper) -> int:
    """Return the server process of a connection."""
    with database.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def migrate(database: BaseDatabaseWrapper, statement: str) -> None:
    """Run a statement while holding the lock of migrations."""
    with database.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        cursor.execute(statement)
        cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])
