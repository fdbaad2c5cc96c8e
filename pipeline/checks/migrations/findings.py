"""Results of the migration safety check."""

from dataclasses import dataclass, field
from typing import NamedTuple

from pipeline.checks.migrations.records import MigrationRecord
from pipeline.errors import InconclusiveError


class Fault(NamedTuple):
    """A fault of a migration, with a hint for a safe alternative."""

    migration: str
    message: str
    hint: str
    where: str = ""
    """Path and line of the operation."""
    sql: str = ""
    locks: bool = False
    """Whether the cause is the lock that the statement takes."""
    type: str = ""
    """The type of the column that the statement removes."""


@dataclass
class MigrationReport:
    faults: list[Fault]
    records: list[MigrationRecord] = field(default_factory=list)
    waits: dict[str, float] = field(default_factory=dict)
    """The longest wait of a background query, in seconds, by migration."""
    inconclusive: InconclusiveError | None = None
    not_checked: str = ""
    """After a static check: the kinds of fault that only a run on PostgreSQL finds."""
