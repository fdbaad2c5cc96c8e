"""What an advisory service says of locked packages."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.errors import InconclusiveError

REPORTS_DIR = Path("reports")


@dataclass(frozen=True)
class Advisory:
    """A vulnerability that a locked package is known to have."""

    ids: frozenset[str]
    package: str
    text: str

    def __str__(self) -> str:
        return self.text


def save_report(name: str, text: str) -> None:
    """Keep a tool's report for the upload."""
    REPORTS_DIR.mkdir(exist_ok=True)
    (REPORTS_DIR / f"{name}.json").write_text(text)


def parse_report(check: str, text: str) -> dict[str, Any]:
    """Read a tool's report.

    Raises:
        NotJudgedError: It is no report: the service did not answer, or not in its format.
    """
    try:
        content = json.loads(text)
    except json.JSONDecodeError:
        content = None
    if not isinstance(content, dict):
        raise unavailable_error(check, "it answers in no format")
    return content


def unavailable_error(check: str, detail: str = "") -> InconclusiveError:
    """Return the fault of a service that does not answer, or not all that it was asked.

    Args:
        check: Who asked.
        detail: What is said besides, such as what it does not know.
    """
    reason = "the advisory service is out of reach, or leaves something unanswered"
    return InconclusiveError(check, reason, detail=detail)


def empty_database_error(check: str, package: str) -> InconclusiveError:
    """Return the fault of a service that finds nothing where there is something to be found."""
    return unavailable_error(
        check, f"it knows nothing of {package}, which is known to be vulnerable"
    )
