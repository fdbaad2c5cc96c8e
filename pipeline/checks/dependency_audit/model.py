"""Advisories about locked packages."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.errors import InconclusiveError

_REPORTS_DIR = Path("reports")


@dataclass(frozen=True)
class Advisory:
    """A known vulnerability of a locked package."""

    ids: frozenset[str]
    package: str
    text: str

    def __str__(self) -> str:
        return self.text


def save_report(name: str, text: str) -> None:
    """Save a tool's report for the upload."""
    _REPORTS_DIR.mkdir(exist_ok=True)
    (_REPORTS_DIR / f"{name}.json").write_text(text)


def parse_report(check: str, text: str) -> dict[str, Any]:
    """Parse a tool's report.

    Raises:
        InconclusiveError: It is not a report: the service did not answer, or not in its format.
    """
    try:
        content = json.loads(text)
    except json.JSONDecodeError:
        content = None
    if not isinstance(content, dict):
        raise unavailable_error(check, "the answer is not JSON")
    return content


def unavailable_error(check: str, detail: str = "") -> InconclusiveError:
    """Return the error if a service does not answer, or not completely.

    Args:
        check: The name of the check.
        detail: An additional explanation, such as what the service does not know.
    """
    reason = "the advisory service is out of reach, or its answer is incomplete"
    return InconclusiveError(check, reason, detail=detail)


def empty_database_error(check: str, package: str) -> InconclusiveError:
    """Return the error if a service does not report a vulnerable package."""
    return unavailable_error(check, f"it does not report {package}, which is vulnerable")
