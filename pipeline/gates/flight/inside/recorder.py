"""What a migration's statements do to the tables that were there before."""

import time
from collections.abc import Callable, Collection
from typing import Any

from django.db import connection
from psycopg.pq import TransactionStatus

from pipeline.gates.flight.records import Lock, Retyped

TABLES = """
    SELECT oid, relname FROM pg_class
    WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace
"""
LOCKS = "SELECT DISTINCT relation, mode FROM pg_locks WHERE pid = pg_backend_pid() AND granted"
FILES = """
    SELECT oid, pg_relation_filenode(oid) FROM pg_class
    WHERE relkind = 'r' AND oid = ANY(%s) AND pg_relation_size(oid) > 0
"""
TYPES = """
    SELECT attrelid, attnum, attname, format_type(atttypid, atttypmod)
    FROM pg_attribute WHERE attnum > 0 AND NOT attisdropped AND attrelid = ANY(%s)
"""


class Recorder:
    """Looks after each new kind of statement; see `connection.execute_wrapper`.

    A transaction keeps its locks until its end, so what it holds after a statement is all that the
    statement took. See https://www.postgresql.org/docs/current/explicit-locking.html
    """

    def __init__(self, known: Collection[str]) -> None:
        self.names = {oid: name for oid, name in rows(TABLES) if name in known}
        self.types = self._types()
        self.seen: set[str] = set()
        self.held: dict[tuple[int, str], float] = {}
        self.locks: list[Lock] = []
        self.rewritten: set[str] = set()

    def __call__(
        self,
        execute: Callable[..., Any],
        statement: str,
        *rest: Any,  # noqa: ANN401 - Django's
    ) -> Any:  # noqa: ANN401
        """Run a statement and look at what it has done."""
        if statement in self.seen or is_aborted():
            return execute(statement, *rest)
        self.seen.add(statement)
        started, files = time.monotonic(), self._files()
        result = execute(statement, *rest)
        self._look(started)
        now = self._files()
        moved = {oid for oid, file in files.items() if now.get(oid, file) != file}
        self.rewritten |= {self.names[oid] for oid in moved}
        return result

    def finish(self) -> None:
        """Note that the transaction is over, and what has become of the columns."""
        self._release(set())
        now = self._types()
        self.retyped = [
            Retyped(f"{self.names[key[0]]}.{name}", before, now[key][1])
            for key, (name, before) in self.types.items()
            if key in now and now[key][1] != before
        ]

    def _look(self, started: float) -> None:
        held = {(oid, mode) for oid, mode in rows(LOCKS) if oid in self.names}
        self._release(held)
        for key in held - self.held.keys():
            self.held[key] = started

    def _release(self, held: set[tuple[int, str]]) -> None:
        for key in self.held.keys() - held:
            seconds = time.monotonic() - self.held.pop(key)
            self.locks.append(Lock(self.names[key[0]], key[1], round(seconds, 3)))

    def _files(self) -> dict[int, int]:
        return dict(rows(FILES, list(self.names)))

    def _types(self) -> dict[tuple[int, int], tuple[str, str]]:
        found = rows(TYPES, list(self.names))
        return {(table, number): (name, kind) for table, number, name, kind in found}


def is_aborted() -> bool:
    """Tell whether the transaction failed, so that it only takes its own rollback."""
    return bool(connection.connection.info.transaction_status == TransactionStatus.INERROR)


def rows(query: str, *parameters: object) -> list[tuple[Any, ...]]:
    """Ask the database past Django, which would call the recorder again."""
    found: list[tuple[Any, ...]] = connection.connection.execute(query, parameters).fetchall()
    return found
