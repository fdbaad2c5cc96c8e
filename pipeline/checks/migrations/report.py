"""Print the report of the migration safety check, and write it as JSON."""

import json
import sys
from dataclasses import asdict
from pathlib import Path

from pipeline.checks.migrations.findings import Fault, MigrationReport
from pipeline.checks.migrations.records import BLOCKING_LOCKS, MigrationRecord
from pipeline.checks.migrations.safe_steps import safe_steps

_REPORT = Path("reports", "migration-safety.json")


def log(line: str) -> None:
    """Print a progress line on stderr."""
    print(f"migration-safety: {line}", file=sys.stderr, flush=True)


def format_report(findings: MigrationReport) -> str:
    """Return a table of locks and waits by migration, followed by the faults."""
    if findings.not_checked:
        names = ", ".join(record.name for record in findings.records)
        read = f"read without running: {names}" if names else "no new migrations"
        return "\n".join([read, *map(_shown, findings.faults), findings.not_checked])
    lines = [("migration", "longest wait", "longest lock", "contract")]
    lines += [_line(record, findings.waits.get(record.name)) for record in findings.records]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    padded = ["  ".join(map(str.ljust, line, widths)).rstrip() for line in lines]
    seen = padded if findings.records else ["no new migrations"]
    return "\n".join([*seen, *map(_shown, findings.faults)])


def _shown(fault: Fault) -> str:
    where = f"  at: {fault.where}\n" if fault.where else ""
    steps = [
        f"\n    {number}. {each}"
        for number, each in enumerate(safe_steps(fault.sql, fault.type), 1)
    ]
    way = f"\n  as SQL, each step in a separate migration:{''.join(steps)}" if steps else ""
    return f"{fault.migration} {fault.message}\n{where}  hint: {fault.hint}{way}"


def save_report(findings: MigrationReport) -> None:
    """Write the report as JSON; the workflow uploads the file."""
    content = {
        "faults": [fault._asdict() for fault in findings.faults],
        "migrations": [asdict(record) for record in findings.records],
        "waits": findings.waits,
    }
    _REPORT.parent.mkdir(exist_ok=True)
    _REPORT.write_text(json.dumps(content, indent=2))


def _line(record: MigrationRecord, waited: float | None) -> tuple[str, str, str, str]:
    locks = [lock for lock in record.locks if lock.mode in BLOCKING_LOCKS]
    held = max(locks, key=lambda lock: lock.seconds, default=None)
    lock = f"{held.seconds:.2f} s, {held.table}, {held.mode}" if held else "none"
    wait = "not measured" if waited is None else f"{waited:.2f} s"
    return record.name, wait, lock, record.contract or ""
