"""What is wrong with migrations, by what was seen of them."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from pipeline.gates.flight.linter import Opinion, lint
from pipeline.gates.flight.records import Record
from pipeline.gates.flight.relevance import relevant
from pipeline.gates.flight.rules import MARK, RULES

WELL_MARKED = re.compile(r"[^\s:]+: \S.*", re.DOTALL)
# Those that somebody waits for who reads or writes.
# https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-TABLES
BLOCKING = {"AccessExclusiveLock", "ExclusiveLock", "ShareLock", "ShareRowExclusiveLock"}
ROWS = "let the migration fit what may be in the tables already"
BATCHES = "move few rows at a time, each time in a transaction of its own, with atomic = False"


class Fault(NamedTuple):
    """What is wrong with a migration, and what to do instead."""

    migration: str
    message: str
    hint: str


class Limits(NamedTuple):
    """What a migration may do to those who read and write meanwhile."""

    rows: int
    seconds: float


def of_what_they_say(records: Sequence[Record]) -> Iterator[Fault]:
    """Yield what shows in the SQL of migrations and in their marks.

    Args:
        records: All new migrations, in their order.
    """
    earlier: list[str] = []
    for record in records:
        opinions = list(relevant(record, lint(earlier, record.sql)))
        yield from (
            _of_opinion(record, opinion) for opinion in opinions if _counts(record, opinion)
        )
        yield from _of_mark(record, opinions)
        if record.failure:
            yield Fault(record.name, f"fails where there are rows: {record.failure}", ROWS)
        for operation in record.irreversible:
            yield Fault(
                record.name,
                f"cannot be taken back: {operation}",
                "give it reverse_code or reverse_sql: `noop`, if there is nothing to undo",
            )
        earlier.append(record.sql)


def of_what_they_do_twice(records: Sequence[Record]) -> Iterator[Fault]:
    """Yield the data operations that may not be run again after they were cut off."""
    for record in records:
        for repeat in record.repeats:
            if repeat.fault:
                yield Fault(
                    record.name,
                    f"is not idempotent: run a second time, `{repeat.operation}` {repeat.fault}",
                    "only touch rows that are not yet as they shall be: filter(…__isnull=True)",
                )


def of_what_they_lock(
    records: Sequence[Record], waits: dict[str, float], limits: Limits
) -> Iterator[Fault]:
    """Yield the migrations that others have to wait for.

    Args:
        records: All new migrations, as they went on tables full of rows.
        waits: The longest that somebody had to wait for each of them, in seconds.
        limits: How many rows there were, and how long is too long.
    """
    for record in records:
        for table in record.rewritten:
            yield Fault(
                record.name,
                f"writes {table} anew, row by row, while nobody can read it",
                "add a new column without a volatile default, and fill it in batches",
            )
        yield from _of_time(record, waits.get(record.name, 0), limits)


def _of_time(record: Record, waited: float, limits: Limits) -> Iterator[Fault]:
    for lock in record.locks:
        if lock.mode in BLOCKING and lock.seconds > limits.seconds:
            yield Fault(
                record.name,
                f"keeps {lock.table} locked ({lock.mode}) for {lock.seconds:.1f} seconds"
                f" with {limits.rows:,} rows; {limits.seconds:g} are allowed",
                BATCHES,
            )
    if waited > limits.seconds:
        yield Fault(
            record.name,
            f"lets those who read and write wait for {waited:.1f} seconds"
            f" with {limits.rows:,} rows; {limits.seconds:g} are allowed",
            BATCHES,
        )


def _counts(record: Record, opinion: Opinion) -> bool:
    return not (record.contract and RULES[opinion.rule].takes_away)


def _of_opinion(record: Record, opinion: Opinion) -> Fault:
    rule = RULES[opinion.rule]
    return Fault(record.name, f"{rule.message}: {opinion.statement.strip()}", rule.hint)


def _of_mark(record: Record, opinions: Sequence[Opinion]) -> Iterator[Fault]:
    if record.contract is None:
        return
    if not WELL_MARKED.fullmatch(record.contract):
        yield Fault(record.name, "does not say who stopped needing what it takes away", MARK)
    if not any(RULES[opinion.rule].takes_away for opinion in opinions):
        yield Fault(
            record.name,
            "is marked as a contract, but takes nothing away",
            "take the mark away: a release cannot be rolled back behind it",
        )
