"""All that the flight check has found."""

from dataclasses import dataclass, field

from pipeline.errors import NotJudgedError
from pipeline.gates.flight.records import Record
from pipeline.gates.flight.verdicts import Fault


@dataclass
class Findings:
    """What is wrong, and what was seen of the new migrations."""

    faults: list[Fault]
    records: list[Record] = field(default_factory=list)
    waits: dict[str, float] = field(default_factory=dict)
    """By migration, the longest that somebody had to wait, in seconds."""
    not_judged: NotJudgedError | None = None
    unseen: str = ""
    """Of migrations that were read and not run: what only running them would show."""
