"""Record locks, scans and rewrites of existing tables for each statement of a migration."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import psycopg
from django.db.utils import DatabaseError

from pipeline.checks.migrations.django_runner import pg_catalog
from pipeline.checks.migrations.django_runner.changes import author, changes, differing
from pipeline.checks.migrations.django_runner.pg_catalog import File, Snapshot, fetch_all
from pipeline.checks.migrations.django_runner.source_locations import OperationLocator
from pipeline.checks.migrations.django_runner.statements import (
    first,
    is_ddl,
    parts,
    text_of,
    with_values,
)
from pipeline.checks.migrations.django_runner.transactions import (
    controls_transaction,
    is_aborted,
    is_open,
    run_in_transaction,
)
from pipeline.checks.migrations.records import (
    BLOCKING_LOCKS,
    Change,
    Emptied,
    LockRecord,
    Rebuilt,
    Scan,
    Sent,
)

_FEW_ROWS = 100  # a statement that reads or changes more rows probably grows with the table
# PostgreSQL refuses these in a transaction: CREATE INDEX CONCURRENTLY, VACUUM, a COMMIT in a block
_ALONE = (psycopg.errors.ActiveSqlTransaction, psycopg.errors.InvalidTransactionTermination)
_Execute = Callable[[], Any]


class LockRecorder:
    """Wraps the execution of statements; see `connection.execute_wrapper`.

    A transaction keeps its locks until its end, so the locks after a statement include all locks
    that the statement took. See https://www.postgresql.org/docs/current/explicit-locking.html
    A statement outside of a transaction is wrapped in one, as PostgreSQL does implicitly.
    """

    def __init__(self, released: Snapshot, places: OperationLocator) -> None:
        self.released, self.known, self.places = released, released.relations, places
        self.times: dict[tuple[str, bool], int] = {}
        self.held: dict[tuple[int, str], float] = {}
        self.transaction, self.began = 0, ""
        self.failing: tuple[str, Any, int, str] | None = None
        self.rows: dict[int, int] = {}
        self.schema = self.start = pg_catalog.snapshot(self.known)
        self.filled = {oid for oid in self.schema.relations if pg_catalog.is_filled(oid)}
        self.authors: dict[tuple[str, str], tuple[str, str]] = {}
        self.emptied_by: dict[int, tuple[str, str]] = {}
        self.locks: list[LockRecord] = []
        self.sent: list[Sent] = []
        self.changes: list[Change] = []

    def __call__(self, execute: Callable[..., Any], statement: Any, *rest: Any) -> Any:  # noqa: ANN401
        """Run a statement, and record its effects."""
        *earlier, last = parts(statement) if rest[0] is None and is_open() else [statement]
        for part in earlier:
            self._run(partial(execute, part, *rest), part, rest[0])
        return self._run(partial(execute, last, *rest), last, rest[0])

    def finish(self) -> tuple[Emptied, ...]:
        """Close the last transaction, and return the tables that lost all rows."""
        self.schema = pg_catalog.snapshot(self.known)
        self._close()
        return tuple(
            Emptied(self.known[oid], *self.emptied_by.get(oid, ("", self.places.file)))
            for oid in self.filled & self.schema.relations.keys()
            if not pg_catalog.is_filled(oid)
        )

    def record_failed_statement(self) -> None:
        """Record the failed statement; `empty` keeps the linter's findings about it."""
        if self.failing and is_ddl(self.failing[0]):
            text, params, transaction, about = self.failing
            about = "empty" if about == "old" else about
            self.sent.append(
                Sent(with_values(text, params), self.places.failed, transaction, about)
            )

    def _run(self, execute: _Execute, statement: Any, params: Any) -> Any:  # noqa: ANN401
        text = text_of(statement)
        kind = text, bool(self._blocked())
        times = self.times[kind] = self.times.get(kind, 0) + 1
        # A loop may send a statement for each row: record its 1st, 2nd, 4th, 8th … run only. In an
        # aborted transaction PostgreSQL refuses the queries of the recorder.
        if times & (times - 1) or is_aborted():
            return execute()
        if is_open():
            self._enter()
            return self._look(execute, text, params, self.transaction)
        self._close()
        if first(text) == "SELECT":
            return execute()
        result = self._by_itself(execute, text, params)
        self._close()
        return result

    def _by_itself(self, execute: _Execute, text: str, params: Any) -> Any:  # noqa: ANN401
        try:
            with run_in_transaction(text):
                return self._look(execute, text, params, 0)
        except DatabaseError as error:
            if not isinstance(error.__cause__, _ALONE):
                raise
        return self._look(execute, text, params, 0, alone=True)

    def _enter(self) -> None:
        """Detect the start of another transaction: `now()` is constant within a transaction."""
        ((began,),) = fetch_all("SELECT now()::text")
        if began != self.began:
            self._close()
            self.transaction, self.began = self.transaction + 1, began

    def _look(
        self,
        execute: _Execute,
        text: str,
        params: Any,  # noqa: ANN401
        transaction: int,
        *,
        alone: bool = False,
    ) -> Any:  # noqa: ANN401
        about, files = pg_catalog.about(text, self.known), pg_catalog.files(self.known)
        if not self._blocked():
            self.rows = pg_catalog.touched(self.known)
        self.failing = text, params, transaction, about
        started = time.monotonic()
        result = execute()
        seconds, self.failing = round(time.monotonic() - started, 3), None
        where = self.places.of(text)
        self._hold(started)
        moved = self._rebuilt(files, text, alone=alone)
        scans = () if alone else self._scans()
        self._notice(text, where)
        if scans or moved or is_ddl(text):
            sql = with_values(text, params)
            self.sent.append(Sent(sql, where, transaction, about, seconds, scans, moved))
        return result

    def _notice(self, text: str, where: str) -> None:
        """Cache the statement that changed the schema or deleted the last row of a table."""
        if controls_transaction(text):
            self.changes.append(Change("transaction-nesting", first(text), text, where))
        schema = pg_catalog.snapshot(self.known)
        for change in changes(self.schema, schema, self.released):
            self.authors[change.rule, change.what] = text, where
        for name in differing(self.schema, schema):
            self.authors.setdefault(("", name), (text, where))
        self.schema = schema
        if first(text) != "SELECT":
            for oid in self.filled - self.emptied_by.keys():
                if not pg_catalog.is_filled(oid):
                    self.emptied_by[oid] = text, where

    def _close(self) -> None:
        """Record the net changes of the finished transaction, and the end of its locks."""
        if self.schema != self.start:
            self.schema = pg_catalog.snapshot(self.known)  # it may have been rolled back
        for change in changes(self.start, self.schema, self.released):
            by = author(self.authors, change)
            sql, where = by or ("", self.places.file)
            self.changes.append(change._replace(sql=sql, where=where))
        self.start = self.schema
        self._release(set())

    def _hold(self, started: float) -> None:
        held = {(oid, mode) for oid, mode in fetch_all(pg_catalog.LOCKS) if oid in self.known}
        self._release(held)
        for key in held - self.held.keys():
            self.held[key] = started

    def _release(self, held: set[tuple[int, str]]) -> None:
        for key in self.held.keys() - held:
            seconds = time.monotonic() - self.held.pop(key)
            self.locks.append(LockRecord(self.known[key[0]], key[1], round(seconds, 3)))

    def _blocked(self) -> dict[int, str]:
        """Return the tables with a lock that blocks reads or writes, and the mode of that lock."""
        return {
            oid: mode for oid, mode in sorted(self.held, reverse=True) if mode in BLOCKING_LOCKS
        }

    def _scans(self) -> tuple[Scan, ...]:
        """Return the tables of which many rows were read or changed under a blocking lock."""
        now, blocked = pg_catalog.touched(self.known), self._blocked()
        counts = {oid: count - self.rows.get(oid, 0) for oid, count in now.items()}
        found = []
        for oid, count in counts.items():
            if count > _FEW_ROWS and blocked:
                self.rows[oid] = now[oid]
                locked = oid if oid in blocked else next(iter(blocked))
                found.append(Scan(self.known[oid], count, self.known[locked], blocked[locked]))
        return tuple(found)

    def _rebuilt(self, before: dict[int, File], text: str, *, alone: bool) -> tuple[Rebuilt, ...]:
        """Return the tables and indexes that got a new file under a blocking lock."""
        blocked = self._blocked()
        full = {file.table for file in before.values() if file.filled}
        kept = {file.number for file in before.values()}  # an index may also move
        found = []
        for oid, file in pg_catalog.files(self.known).items():
            if file.table not in full or file.number in kept:
                continue
            # Outside of a transaction no lock is left to see: only CONCURRENTLY on an index is safe.
            quiet = alone and file.table != oid and "CONCURRENTLY" in text.upper()
            mode = blocked.get(file.table, "AccessExclusiveLock" if alone and not quiet else "")
            if mode and file.filled:  # TRUNCATE also gives a new file
                found.append(Rebuilt(file.name, self.known[file.table], mode))
        return tuple(found)
