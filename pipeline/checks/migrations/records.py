"""Records of migrations: written as JSON by the Django process, read by the engine."""

import json
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple, Self

from pipeline.checks.migrations.databases import Schema

# Lock modes that block a read or a write of the table.
# https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-TABLES
BLOCKING_LOCKS = frozenset({
    "AccessExclusiveLock", "ExclusiveLock", "ShareLock", "ShareRowExclusiveLock",
})  # fmt: skip


class LockRecord(NamedTuple):
    """A lock on a table of the previous release, and how long the migration held it."""

    table: str
    mode: str
    seconds: float


class Scan(NamedTuple):
    """Rows that one statement read or changed, and the lock that was held at that time."""

    table: str
    rows: int
    locked: str
    mode: str


class Rebuilt(NamedTuple):
    """A table or an index that one statement gave a new file, and the lock on the table."""

    name: str
    table: str
    mode: str


class Sent(NamedTuple):
    """A statement, and the work that it caused in PostgreSQL."""

    sql: str
    where: str = ""
    """Path and line of the operation."""
    transaction: int = 0
    """The number of the migration's transaction; 0 outside of a transaction."""
    about: str = "old"
    """The table: `old` with rows, old but `empty`, `new` in this release, or `nothing`: no table."""
    seconds: float = 0
    scans: tuple[Scan, ...] = ()
    rebuilt: tuple[Rebuilt, ...] = ()


class Change(NamedTuple):
    """A change of the previous release's schema by a transaction, and the statement that made it."""

    rule: str
    what: str
    sql: str = ""
    where: str = ""
    lossy: bool = False
    """Whether values or rows are lost."""
    replaced: bool = False
    """Whether a view has the old name of the table."""
    type: str = ""
    """The type of the column before the change."""


class Emptied(NamedTuple):
    """A table that lost all rows, and the statement that deleted the last row."""

    table: str
    sql: str
    where: str


class RepeatResult(NamedTuple):
    """The result of running a data operation twice."""

    operation: str
    changed: bool
    fault: str


@dataclass(frozen=True)
class MigrationRecord:
    """All observations of one migration."""

    name: str
    where: str = ""
    """The path of its file."""
    sent: tuple[Sent, ...] = ()
    failure: str = ""
    """Why the migration could not be applied; it is the last record then."""
    contract: str | None = None
    deletes_rows: str | None = None
    irreversible: tuple[str, ...] = ()
    repeats: tuple[RepeatResult, ...] = ()
    locks: tuple[LockRecord, ...] = ()
    changes: tuple[Change, ...] = ()
    emptied: tuple[Emptied, ...] = ()
    unfilled: tuple[str, ...] = ()
    """Columns without a field in the models that are NOT NULL and have no default."""
    unseen: tuple[str, ...] = ()
    """After a static check: path and line of operations that need a database."""
    span: tuple[float, float] = field(default=(0, 0))
    """Start and end, in seconds of the monotonic clock."""

    @property
    def touched(self) -> set[str]:
        """Return the tables that the migration locks, scans or rewrites; plain reads do not count."""
        locked = {lock.table for lock in self.locks if lock.mode != "AccessShareLock"}
        read = {scan.table for sent in self.sent for scan in sent.scans}
        return locked | read | {each.table for sent in self.sent for each in sent.rebuilt}


@dataclass(frozen=True)
class RoundTrip:
    """The schemas after applying, reversing and reapplying migrations."""

    there: Schema = frozenset()
    back: Schema = frozenset()
    again: Schema = frozenset()
    failure: str = ""
    """The error while reversing or, if `back` is set, while applying again."""

    def to_json(self) -> str:
        schemas = map(sorted, (self.there, self.back, self.again))
        return json.dumps([*schemas, self.failure])

    @classmethod
    def from_json(cls, text: str) -> Self:
        there, back, again, failure = json.loads(text)
        return cls(frozenset(there), frozenset(back), frozenset(again), failure)


def records_to_json(records: list[MigrationRecord]) -> str:
    return json.dumps([asdict(record) for record in records])


def records_from_json(text: str) -> list[MigrationRecord]:
    return [_record(entry) for entry in json.loads(text)]


_PARTS = {"changes": Change, "emptied": Emptied, "locks": LockRecord, "repeats": RepeatResult}


def _record(entry: dict[str, Any]) -> MigrationRecord:
    for name, kind in _PARTS.items():
        entry[name] = tuple(kind(*part) for part in entry[name])
    for name in ("irreversible", "span", "unfilled", "unseen"):
        entry[name] = tuple(entry[name])
    entry["sent"] = tuple(_sent(*part) for part in entry["sent"])
    return MigrationRecord(**entry)


def _sent(*part: Any) -> Sent:  # noqa: ANN401
    sent = Sent(*part)
    scans = tuple(Scan(*each) for each in sent.scans)
    return sent._replace(scans=scans, rebuilt=tuple(Rebuilt(*each) for each in sent.rebuilt))
