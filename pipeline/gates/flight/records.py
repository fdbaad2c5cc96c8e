"""What is written down of a migration, and handed from Django's process to ours."""

import json
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple, Self

from pipeline.gates.flight.databases import Schema


class Lock(NamedTuple):
    """A lock on a table that was there before, and how long it was held."""

    table: str
    mode: str
    seconds: float


class Repeat(NamedTuple):
    """A data operation that was run twice."""

    operation: str
    changed: bool
    fault: str


class Retyped(NamedTuple):
    """A column whose type was changed."""

    column: str
    before: str
    after: str


@dataclass(frozen=True)
class Record:
    """All that was seen of a migration."""

    name: str
    sql: str
    failure: str = ""
    """Why it could not be applied; then nothing after it was."""
    contract: str | None = None
    irreversible: tuple[str, ...] = ()
    repeats: tuple[Repeat, ...] = ()
    locks: tuple[Lock, ...] = ()
    rewritten: tuple[str, ...] = ()
    retyped: tuple[Retyped, ...] = ()
    span: tuple[float, float] = field(default=(0, 0))
    """When it began and when it ended, in seconds of the machine's monotonic clock."""

    @property
    def touched(self) -> set[str]:
        """The tables that it did more with than read them."""
        locked = {lock.table for lock in self.locks if lock.mode != "AccessShareLock"}
        return {*locked, *self.rewritten}


@dataclass(frozen=True)
class RoundTrip:
    """The schemas on the way of migrations that were applied, taken back, and applied again."""

    there: Schema
    back: Schema = frozenset()
    again: Schema = frozenset()
    failure: str = ""
    """Why it ended: on the way back or, if there is a schema of `back`, on the way there again."""

    def written(self) -> str:
        """Return it as text."""
        schemas = map(sorted, (self.there, self.back, self.again))
        return json.dumps([*schemas, self.failure])

    @classmethod
    def read(cls, text: str) -> Self:
        """Read what was written."""
        there, back, again, failure = json.loads(text)
        return cls(frozenset(there), frozenset(back), frozenset(again), failure)


def written(records: list[Record]) -> str:
    """Return records as text."""
    return json.dumps([asdict(record) for record in records])


def read(text: str) -> list[Record]:
    """Read records that were written."""
    return [_record(entry) for entry in json.loads(text)]


def _record(entry: dict[str, Any]) -> Record:
    entry["irreversible"] = tuple(entry["irreversible"])
    entry["repeats"] = tuple(Repeat(*repeat) for repeat in entry["repeats"])
    entry["locks"] = tuple(Lock(*lock) for lock in entry["locks"])
    entry["rewritten"] = tuple(entry["rewritten"])
    entry["retyped"] = tuple(Retyped(*retyped) for retyped in entry["retyped"])
    entry["span"] = tuple(entry["span"])
    return Record(**entry)
