"""The gate on what is known against locked packages.

python -m pipeline.checks.dependency_audit.cli pypi|npm

A service that did not answer, or knows nothing, is "inconclusive", never a pass.
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

AUDITS = {"pypi": pypi, "npm": npm}


def main(arguments: Sequence[str]) -> None:
    """Run the command line.

    Args:
        arguments: `pypi` or `npm`.

    Raises:
        InputError: There is no such audit, or security/exceptions.toml is wrong.
    """
    if len(arguments) != 1 or arguments[0] not in AUDITS:
        raise InputError("name one audit: pypi or npm", hint="nox -s security")
    check(arguments[0])


def check(place: str) -> None:
    """Ask the service, and judge what it says.

    Args:
        place: A key of `AUDITS`.

    Raises:
        CheckFailedError: Names all that is known, even if the service then fell silent.
        InputError: security/exceptions.toml is wrong.
        NotJudgedError: The service did not answer, or knows nothing.
    """
    today = datetime.now(UTC).date()
    found, silent = collect(AUDITS[place].audit())
    excepted = waivers_for([place], today)
    if silent:  # an exception may be needed for what was not heard
        excepted = [entry for entry in excepted if any(entry.covers(each) for each in found)]
    faults = [*unwaived(found, excepted, today)]
    if silent and not faults:
        raise silent
    clear_inconclusive(AUDITS[place].CHECK)
    if faults:
        raise CheckFailedError(
            "known vulnerabilities:\n" + "\n".join(faults),
            hint="nox -s lock -- --upgrade; if no version mends it: CI_CD.md, exceptions",
        )


def collect(answers: Iterator[Advisory]) -> tuple[list[Advisory], InconclusiveError | None]:
    """Return what a service said, and why it then said no more, if it fell silent."""
    found: list[Advisory] = []
    try:
        found.extend(answers)
    except InconclusiveError as error:
        return found, error
    return found, None


if __name__ == "__main__":
    with handle_errors():
        main(sys.argv[1:])
