"""Fly the new migrations before anybody has to: every fault at once, exit 1 if there is any.

python -m pipeline.services --postgres -- python -m pipeline.gates.flight
"""

import os
from pathlib import Path
from tempfile import TemporaryDirectory

from pipeline.config import load
from pipeline.errors import CheckFailedError, judged, reported
from pipeline.gates.flight import released, report
from pipeline.gates.flight.code import Code, forget
from pipeline.gates.flight.databases import Server
from pipeline.gates.flight.findings import Findings
from pipeline.gates.flight.journey import Journey
from pipeline.gates.flight.verdicts import Limits


def main() -> None:
    """Run the command line, on the server that DATABASE_URL names and that is thrown away.

    Raises:
        CheckFailedError: A migration is not safe.
        NotJudgedError: There is nothing here to compare with.
    """
    settings = load().migrations
    limits = Limits(settings.rows, settings.lock_seconds)
    server, code = Server(os.environ["DATABASE_URL"]), Code(Path("backend").resolve())
    journey = Journey(server, code, limits, settings.values)
    with TemporaryDirectory(prefix="flight-") as folder:
        try:
            findings = journey.fly(Path(folder))
        finally:
            forget(Path(folder))
    conclude(findings)


def conclude(findings: Findings) -> None:
    """Show what was found, and end accordingly.

    Raises:
        CheckFailedError: A migration is not safe.
        NotJudgedError: There was nothing to compare with.
    """
    report.keep(findings)
    print(report.text(findings))
    if findings.faults:
        if findings.not_judged:
            findings.not_judged.report()  # what was not compared is listed beside what is wrong
        raise CheckFailedError(
            f"faults found in the migrations: {len(findings.faults)}",
            hint="CI_CD.md, Migrations, shows how each kind is written",
        )
    if findings.not_judged:
        raise findings.not_judged
    judged(released.CHECK)


if __name__ == "__main__":
    with reported():
        main()
