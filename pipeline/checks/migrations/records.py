"""What is written down of a migration, and handed from Django's process to ours."""

import json
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple, Self

from pipeline.checks.migrations.databases import Schema

# A reader or a writer of the table waits for these.
# https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-TABLES
BLOCKING_LOCKS = frozenset({
    "AccessExclusiveLock", "ExclusiveLock", "ShareLock", "ShareRowExclusiveLock",
})  # fmt: skip


class LockRecord(NamedTuple):
    """A lock on a table that was there before, and how long it was held."""

    table: str
    mode: str
    seconds: float


class Scan(NamedTuple):
    """Rows of a table that one statement read or changed, and the lock that was held meanwhile."""

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
    """A statement as it was sent, and what PostgreSQL did for it."""

    sql: str
    where: str = ""
    """Path and line of the operation."""
    transaction: int = 0
    """Which one of the migration's; 0 for a statement outside of any."""
    about: str = "old"
    """The table: old and filled, `empty`, `new` in this release, or `nothing` that there is."""
    seconds: float = 0
    scans: tuple[Scan, ...] = ()
    rebuilt: tuple[Rebuilt, ...] = ()


class Change(NamedTuple):
    """What a transaction did to the schema that the release before uses, and by which statement."""

    rule: str
    what: str
    sql: str = ""
    where: str = ""
    lossy: bool = False
    """Whether values or rows are lost with it that a table or column of its name had."""
    replaced: bool = False
    """Whether a view of the old name stands in."""
    type: str = ""
    """That of a column before it."""


class Emptied(NamedTuple):
    """A table that lost all of its rows, and by which statement."""

    table: str
    sql: str
    where: str


class RepeatResult(NamedTuple):
    """A data operation that was run twice."""

    operation: str
    changed: bool
    fault: str


@dataclass(frozen=True)
class MigrationRecord:
    """All that was seen of a migration."""

    name: str
    where: str = ""
    """The path of its file."""
    sent: tuple[Sent, ...] = ()
    failure: str = ""
    """Why it could not be applied; then nothing after it was."""
    contract: str | None = None
    deletes_rows: str | None = None
    irreversible: tuple[str, ...] = ()
    repeats: tuple[RepeatResult, ...] = ()
    locks: tuple[LockRecord, ...] = ()
    changes: tuple[Change, ...] = ()
    emptied: tuple[Emptied, ...] = ()
    unfilled: tuple[str, ...] = ()
    """Columns that its models lost, which are NOT NULL and have no default."""
    unseen: tuple[str, ...] = ()
    """Path and line of operations that were not run, as they need a database."""
    span: tuple[float, float] = field(default=(0, 0))
    """When it began and when it ended, in seconds of the machine's monotonic clock."""

    @property
    def touched(self) -> set[str]:
        """The tables that it did more with than read them."""
        locked = {lock.table for lock in self.locks if lock.mode != "AccessShareLock"}
        read = {scan.table for sent in self.sent for scan in sent.scans}
        return locked | read | {each.table for sent in self.sent for each in sent.rebuilt}


@dataclass(frozen=True)
class RoundTrip:
    """The schemas on the way of migrations that were applied, taken back, and applied again."""

    there: Schema = frozenset()
    back: Schema = frozenset()
    again: Schema = frozenset()
    failure: str = ""
    """Why it ended: on the way back or, if there is a schema of `back`, on the way there again."""

    def to_json(self) -> str:
        """Return it as text."""
        schemas = map(sorted, (self.there, self.back, self.again))
        return json.dumps([*schemas, self.failure])

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what was written."""
        there, back, again, failure = json.loads(text)
        return cls(frozenset(there), frozenset(back), frozenset(again), failure)


def records_to_json(records: list[MigrationRecord]) -> str:
    """Return records as text."""
    return json.dumps([asdict(record) for record in records])


def records_from_json(text: str) -> list[MigrationRecord]:
    """Read records that were written."""
    return [_record(entry) for entry in json.loads(text)]


PARTS = {"changes": Change, "emptied": Emptied, "locks": LockRecord, "repeats": RepeatResult}


def _record(entry: dict[str, Any]) -> MigrationRecord:
    for name, kind in PARTS.items():
        entry[name] = tuple(kind(*part) for part in entry[name])
    for name in ("irreversible", "span", "unfilled", "unseen"):
        entry[name] = tuple(entry[name])
    entry["sent"] = tuple(_sent(*part) for part in entry["sent"])
    return MigrationRecord(**entry)


def _sent(*part: Any) -> Sent:  # noqa: ANN401
    sent = Sent(*part)
    scans = tuple(Scan(*each) for each in sent.scans)
    return sent._replace(scans=scans, rebuilt=tuple(Rebuilt(*each) for each in sent.rebuilt))
