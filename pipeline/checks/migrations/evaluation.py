"""What is wrong with migrations, by what was seen of them."""

import re
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from pipeline.checks.migrations.findings import Fault
from pipeline.checks.migrations.records import BLOCKING_LOCKS, Change, MigrationRecord, Scan, Sent
from pipeline.checks.migrations.squawk import lint
from pipeline.checks.migrations.squawk_filter import filter_findings, safe_alternative
from pipeline.checks.migrations.squawk_rules import (
    BATCHES,
    CONTRACT_EXAMPLE,
    FAILS,
    LOCKS,
    LOSSES,
    NEVER_HINTS,
    ORDER,
    REVERSE,
    ROWS_MARK,
    UNFILLED,
    WAITED,
)

CONTRACT_PATTERN = re.compile(r"[^\s:]+: \S.*", re.DOTALL)
MILLION = 1_000_000


class Limits(NamedTuple):
    """What a migration may do to those who read and write meanwhile."""

    rows: int
    seconds: float


def lint_problems(records: Sequence[MigrationRecord]) -> Iterator[Fault]:
    """Yield what shows in the statements of migrations, in what they change, and in their marks.

    Args:
        records: All new migrations, in their order.
    """
    opinions = list(filter_findings(lint(records)))
    for record in records:
        for opinion in opinions:
            if opinion.migration == record.name:
                yield _of_statement(record.name, *LOCKS[opinion.rule], opinion.sent)
        yield from _of_losses(record)
        yield from _of_rows(record)
        yield from _of_marks(record)
        yield from _of_the_rest(record)


def failed_migration(records: Sequence[MigrationRecord]) -> Iterator[Fault]:
    """Yield the migration that could not be applied, if there is one."""
    for each in records:
        if each.failure:
            waits = (meant for words, meant in WAITED.items() if words in each.failure)
            message, hint = next(waits, FAILS)
            yield Fault(each.name, f"{message}: {each.failure}", hint, each.where)


def idempotency_problems(records: Sequence[MigrationRecord]) -> Iterator[Fault]:
    """Yield the data operations that may not be run again after they were cut off."""
    for record in records:
        for repeat in record.repeats:
            if repeat.fault:
                yield Fault(
                    record.name,
                    f"is not idempotent: run a second time, `{repeat.operation}` {repeat.fault}",
                    "only touch rows that are not yet as they shall be: filter(…__isnull=True)",
                    record.where,
                )


def expected_problems(records: Sequence[MigrationRecord]) -> Iterator[Fault]:
    """Yield what is expected to grow with a table while a lock is held, and is not said already.

    Args:
        records: All new migrations, as they were read and not run.
    """
    faults = list(lint_problems(records))
    said = {(each.migration, each.sql) for each in faults if each.locks}
    yield from faults
    for record in records:
        for sent in record.sent:
            if (record.name, sent.sql) not in said:
                yield from _of_work(record, sent, 0)


def locking_problems(
    records: Sequence[MigrationRecord],
    waits: dict[str, float],
    limits: Limits,
    said: Collection[tuple[str, str]] = (),
) -> Iterator[Fault]:
    """Yield the migrations that others have to wait for.

    Args:
        records: All new migrations, as they went on tables full of rows.
        waits: The longest that another connection had to wait for each of them, in seconds.
        limits: How many rows there were, and how long is too long.
        said: The migrations and statements whose locks are named already.
    """
    for record in records:
        for sent in record.sent:
            if (record.name, sent.sql) not in said:
                yield from _of_work(record, sent, limits.rows)
        yield from _of_time(record, waits.get(record.name, 0), limits)


def _of_work(record: MigrationRecord, sent: Sent, rows: int) -> Iterator[Fault]:
    """Yield what grows with the table while a lock is held, however fast it was here."""
    anew = {each.name: each for each in sent.rebuilt}
    heaps = {each.table for each in sent.rebuilt if each.name == each.table}
    for each in anew.values():
        if each.name == each.table or each.table not in heaps:
            kind = "" if each.name == each.table else f"the index {each.name} of "
            message = f"writes {kind}{each.table} anew under {each.mode}"
            yield _at_scale(record, message, sent, rows)
    for scan in sent.scans:
        if scan.table not in {each.table for each in sent.rebuilt}:
            yield _at_scale(record, _read(scan), sent, rows)


def _read(scan: Scan) -> str:
    other = "" if scan.locked == scan.table else f" on {scan.locked}"
    rows = f"{scan.rows:,}" if scan.rows else "all"
    return f"reads or writes {rows} rows of {scan.table} under {scan.mode}{other}"


def _at_scale(record: MigrationRecord, message: str, sent: Sent, rows: int) -> Fault:
    """Return the fault of work that grows with its table; 0 rows mean that it was not measured."""
    time = f", for about {sent.seconds * MILLION / rows:.1f} s with a million rows" if rows else ""
    what = f"{message}{time}: {_line(sent.sql)}"
    return Fault(record.name, what, safe_alternative(sent.sql), sent.where, sent.sql)


def _of_time(record: MigrationRecord, waited: float, limits: Limits) -> Iterator[Fault]:
    allowed = f"with {limits.rows:,} rows; {limits.seconds:g} are allowed"
    for lock in record.locks:
        if lock.mode in BLOCKING_LOCKS and lock.seconds > limits.seconds:
            yield Fault(
                record.name,
                f"keeps {lock.table} locked ({lock.mode}) for {lock.seconds:.1f} seconds {allowed}",
                BATCHES,
                record.where,
            )
    if waited > limits.seconds:
        message = f"lets those who read and write wait for {waited:.1f} seconds {allowed}"
        yield Fault(record.name, message, BATCHES, record.where)


def _of_statement(migration: str, message: str, hint: str, sent: Sent) -> Fault:
    return Fault(migration, f"{message}: {_line(sent.sql)}", hint, sent.where, sent.sql, locks=True)


def _of_losses(record: MigrationRecord) -> Iterator[Fault]:
    for change in record.changes:
        if change.rule in LOSSES and not change.replaced and record.contract is None:
            yield _of_change(record, *LOSSES[change.rule], change)
        if change.lossy and record.deletes_rows is None:
            loses = "loses values" if change.rule == "changing-column-type" else "loses all rows"
            yield _of_change(record, loses, f"mark the migration: {ROWS_MARK}", change)
        if change.rule in NEVER_HINTS:
            hint = ORDER if change.what.endswith("._order") else NEVER_HINTS[change.rule].hint
            yield _of_change(record, NEVER_HINTS[change.rule].message, hint, change)


def _of_change(record: MigrationRecord, message: str, hint: str, change: Change) -> Fault:
    what = f"{message} ({change.what}): {_line(change.sql)}".removesuffix(": ")
    return Fault(record.name, what, hint, change.where, change.sql, type=change.type)


def _of_rows(record: MigrationRecord) -> Iterator[Fault]:
    for each in record.emptied:
        if record.deletes_rows is None:
            change = Change("", each.table, each.sql, each.where)
            yield _of_change(record, "loses all rows", f"mark the migration: {ROWS_MARK}", change)


def _of_marks(record: MigrationRecord) -> Iterator[Fault]:
    taken = [change for change in record.changes if change.rule in LOSSES]
    lost = [*record.emptied, *(change for change in record.changes if change.lossy)]
    for name, mark, form, used in (
        ("contract", record.contract, CONTRACT_EXAMPLE, taken),
        ("deletes_rows", record.deletes_rows, ROWS_MARK, lost),
    ):
        if mark is not None and not CONTRACT_PATTERN.fullmatch(mark):
            message = "does not say who stopped needing what it takes away"
            yield Fault(record.name, message, form, record.where)
        if mark is not None and not used and not record.unseen and not record.failure:
            yield Fault(
                record.name,
                f"is marked as {name}, but takes nothing away",
                "take the mark away: a release cannot be rolled back behind it",
                record.where,
            )


def _of_the_rest(record: MigrationRecord) -> Iterator[Fault]:
    for column in record.unfilled:
        what = f"takes {column} from its model, but new rows need a value for it"
        yield Fault(record.name, what, UNFILLED, record.where)
    yield from failed_migration([record])
    for operation in record.irreversible:
        yield Fault(record.name, f"cannot be taken back: {operation}", REVERSE, record.where)


def _line(sql: str) -> str:
    return " ".join(sql.split()).rstrip(";")
