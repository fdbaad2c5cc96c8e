"""Check the locked packages for known vulnerabilities.

python -m pipeline.checks.dependency_audit.cli pypi|npm

If the service does not answer, or has no data, the check is inconclusive.
"""

import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from pipeline.checks.dependency_audit import npm, pypi
from pipeline.checks.dependency_audit.model import Advisory
from pipeline.errors import (
    CheckFailedError,
    InconclusiveError,
    InputError,
    clear_inconclusive,
    handle_errors,
)
from pipeline.waivers import unwaived, waivers_for

_AUDITS = {"pypi": pypi, "npm": npm}


def main(arguments: Sequence[str]) -> None:
    """Run the command line.

    Args:
        arguments: `pypi` or `npm`.

    Raises:
        InputError: There is no such audit, or security/exceptions.toml is invalid.
    """
    if len(arguments) != 1 or arguments[0] not in _AUDITS:
        raise InputError("expected one argument: pypi or npm", hint="nox -s security")
    check(arguments[0])


def check(ecosystem: str) -> None:
    """Run one audit, and apply the exceptions.

    Args:
        ecosystem: A key of `_AUDITS`.

    Raises:
        CheckFailedError: Names all findings, even if the service then stopped answering.
        InputError: security/exceptions.toml is invalid.
        InconclusiveError: The service did not answer, or has no data.
    """
    today = datetime.now(UTC).date()
    found, incomplete = _collect(_AUDITS[ecosystem].audit())
    waivers = waivers_for([ecosystem], today)
    if incomplete:  # an exception may belong to a finding that is missing
        waivers = [entry for entry in waivers if any(entry.covers(each) for each in found)]
    faults = [*unwaived(found, waivers, today)]
    if incomplete and not faults:
        raise incomplete
    clear_inconclusive(_AUDITS[ecosystem].CHECK)
    if faults:
        raise CheckFailedError(
            "known vulnerabilities:\n" + "\n".join(faults),
            hint="nox -s lock -- --upgrade; if no version fixes it, see exceptions in CI_CD.md",
        )


def _collect(answers: Iterator[Advisory]) -> tuple[list[Advisory], InconclusiveError | None]:
    """Return the findings, and the error if the service stopped answering."""
    found: list[Advisory] = []
    try:
        found.extend(answers)
    except InconclusiveError as error:
        return found, error
    return found, None


if __name__ == "__main__":
    with handle_errors():
        main(sys.argv[1:])
