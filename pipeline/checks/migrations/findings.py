"""All that the flight check has found."""

from dataclasses import dataclass, field
from typing import NamedTuple

from pipeline.checks.migrations.records import MigrationRecord
from pipeline.errors import InconclusiveError


class Fault(NamedTuple):
    """What is wrong with a migration, and what to do instead."""

    migration: str
    message: str
    hint: str
    where: str = ""
    """Path and line of the operation."""
    sql: str = ""
    locks: bool = False
    """Whether the statement is at fault for a lock."""
    type: str = ""
    """That of the column that it takes away."""


@dataclass
class MigrationReport:
    """What is wrong, and what was seen of the new migrations."""

    faults: list[Fault]
    records: list[MigrationRecord] = field(default_factory=list)
    waits: dict[str, float] = field(default_factory=dict)
    """By migration, the longest that somebody had to wait, in seconds."""
    not_judged: InconclusiveError | None = None
    not_checked: str = ""
    """Of migrations that were read and not run: what only running them would show."""
