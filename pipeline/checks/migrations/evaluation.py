"""Derive the faults of migrations from their records, Squawk's findings and measured times."""

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

_CONTRACT_PATTERN = re.compile(r"[^\s:]+: \S.*", re.DOTALL)
_MILLION = 1_000_000


class Limits(NamedTuple):
    """Limits for a migration under concurrent reads and writes."""

    rows: int
    """Rows in each table that the migration touches."""
    seconds: float
    """The longest time that it may hold a lock or block a query."""


def lint_problems(records: Sequence[MigrationRecord]) -> Iterator[Fault]:
    """Yield the faults in statements, schema changes, deleted rows and marks.

    Args:
        records: All new migrations, in order.
    """
    findings = list(filter_findings(lint(records)))
    for record in records:
        for finding in findings:
            if finding.migration == record.name:
                yield _of_statement(record.name, *LOCKS[finding.rule], finding.sent)
        yield from _of_losses(record)
        yield from _of_rows(record)
        yield from _of_marks(record)
        yield from _of_the_rest(record)


def failed_migration(records: Sequence[MigrationRecord]) -> Iterator[Fault]:
    """Yield a fault for a migration that could not be applied."""
    for each in records:
        if each.failure:
            rules = (rule for words, rule in WAITED.items() if words in each.failure)
            message, hint = next(rules, FAILS)
            yield Fault(each.name, f"{message}: {each.failure}", hint, each.where)


def idempotency_problems(records: Sequence[MigrationRecord]) -> Iterator[Fault]:
    """Yield the data operations that cannot be repeated after an interruption."""
    for record in records:
        for repeat in record.repeats:
            if repeat.fault:
                yield Fault(
                    record.name,
                    f"is not idempotent: run a second time, `{repeat.operation}` {repeat.fault}",
                    "only change rows that still need the change: filter(…__isnull=True)",
                    record.where,
                )


def expected_problems(records: Sequence[MigrationRecord]) -> Iterator[Fault]:
    """Yield the faults of a static check: lint faults, and expected work under a lock.

    Args:
        records: All new migrations, read without running them.
    """
    faults = list(lint_problems(records))
    reported = {(each.migration, each.sql) for each in faults if each.locks}
    yield from faults
    for record in records:
        for sent in record.sent:
            if (record.name, sent.sql) not in reported:
                yield from _of_work(record, sent, 0)


def locking_problems(
    records: Sequence[MigrationRecord],
    waits: dict[str, float],
    limits: Limits,
    reported: Collection[tuple[str, str]] = (),
) -> Iterator[Fault]:
    """Yield the migrations that block other connections.

    Args:
        records: All new migrations, applied to tables full of rows.
        waits: The longest wait of a background query by migration, in seconds.
        limits: The rows in each table, and the longest allowed time.
        reported: The migrations and statements whose locks already have a fault.
    """
    for record in records:
        for sent in record.sent:
            if (record.name, sent.sql) not in reported:
                yield from _of_work(record, sent, limits.rows)
        yield from _of_time(record, waits.get(record.name, 0), limits)


def _of_work(record: MigrationRecord, sent: Sent, rows: int) -> Iterator[Fault]:
    """Yield the work under a lock that grows with the table.

    The time is no criterion: 2,000 rows are fast on any machine, a million rows are not.
    """
    rebuilt = {each.name: each for each in sent.rebuilt}
    heaps = {each.table for each in sent.rebuilt if each.name == each.table}
    for each in rebuilt.values():
        # A rewrite of a table also rebuilds its indexes: one fault is enough.
        if each.name == each.table or each.table not in heaps:
            index = f"builds the index {each.name} of {each.table}"
            work = f"rewrites {each.table}" if each.name == each.table else index
            yield _at_scale(record, f"{work} under {each.mode}", sent, rows)
    for scan in sent.scans:
        if scan.table not in {each.table for each in sent.rebuilt}:
            yield _at_scale(record, _read(scan), sent, rows)


def _read(scan: Scan) -> str:
    other = "" if scan.locked == scan.table else f" on {scan.locked}"
    rows = f"{scan.rows:,}" if scan.rows else "all"
    return f"reads or writes {rows} rows of {scan.table} under {scan.mode}{other}"


def _at_scale(record: MigrationRecord, message: str, sent: Sent, rows: int) -> Fault:
    """Return a fault with the time for a million rows; 0 rows mean that no time was measured."""
    time = f", for about {sent.seconds * _MILLION / rows:.1f} s with a million rows" if rows else ""
    what = f"{message}{time}: {_line(sent.sql)}"
    return Fault(record.name, what, safe_alternative(sent.sql), sent.where, sent.sql)


def _of_time(record: MigrationRecord, waited: float, limits: Limits) -> Iterator[Fault]:
    suffix = f"with {limits.rows:,} rows (limit {limits.seconds:g} s)"
    for lock in record.locks:
        if lock.mode in BLOCKING_LOCKS and lock.seconds > limits.seconds:
            yield Fault(
                record.name,
                f"keeps {lock.table} locked ({lock.mode}) for {lock.seconds:.1f} s {suffix}",
                BATCHES,
                record.where,
            )
    if waited > limits.seconds:
        message = f"blocks reads or writes for {waited:.1f} s {suffix}"
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
    removed = [change for change in record.changes if change.rule in LOSSES]
    lost = [*record.emptied, *(change for change in record.changes if change.lossy)]
    for name, mark, form, used in (
        ("contract", record.contract, CONTRACT_EXAMPLE, removed),
        ("deletes_rows", record.deletes_rows, ROWS_MARK, lost),
    ):
        if mark is not None and not _CONTRACT_PATTERN.fullmatch(mark):
            message = f"is marked as {name} without a release and a reason"
            yield Fault(record.name, message, form, record.where)
        if mark is not None and not used and not record.unseen and not record.failure:
            yield Fault(
                record.name,
                f"is marked as {name}, but removes nothing",
                "remove the mark: it prevents a rollback to an earlier release",
                record.where,
            )


def _of_the_rest(record: MigrationRecord) -> Iterator[Fault]:
    for column in record.unfilled:
        what = f"removes {column} from its model, but new rows need a value for it"
        yield Fault(record.name, what, UNFILLED, record.where)
    yield from failed_migration([record])
    for operation in record.irreversible:
        yield Fault(record.name, f"cannot be reversed: {operation}", REVERSE, record.where)


def _line(sql: str) -> str:
    return " ".join(sql.split()).rstrip(";")
