"""Fly the new migrations before anybody has to: every fault at once, exit 1 if there is any.

python -m pipeline.gates.flight [--static]

The PostgreSQL that it needs is its own. With `--static`, or if none can be started, migrations are
read and not run: then the check finds less, and says what only the whole one can find.
"""

import argparse
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from pipeline import services
from pipeline.config import load
from pipeline.errors import CheckFailedError, MissingToolError, NotJudgedError, judged, reported
from pipeline.gates.flight import released, report
from pipeline.gates.flight.code import Code, forget
from pipeline.gates.flight.databases import Server
from pipeline.gates.flight.findings import Findings
from pipeline.gates.flight.journey import Journey
from pipeline.gates.flight.static import static
from pipeline.gates.flight.verdicts import Limits


def main(arguments: Sequence[str]) -> None:
    """Run the command line.

    Raises:
        CheckFailedError: A migration is not safe.
        NotJudgedError: There is no PostgreSQL, or nothing here to compare with.
    """
    parser = argparse.ArgumentParser("python -m pipeline.gates.flight", description=__doc__)
    parser.add_argument("--static", action="store_true", help="read migrations, run none")
    if parser.parse_args(arguments).static:
        show(static(_code()))
        return
    services.leave_in_order()
    with ExitStack() as stack:
        try:
            url = stack.enter_context(services.postgres())
        except (CheckFailedError, MissingToolError) as error:
            findings = static(_code())
            findings.not_judged = NotJudgedError(
                released.CHECK, "no PostgreSQL can be started", detail=str(error), hint=error.hint
            )
        else:
            findings = fly(url)
    conclude(findings)


def fly(url: str) -> Findings:
    """Try the new migrations.

    Args:
        url: Of a PostgreSQL that is thrown away.
    """
    settings = load().migrations
    limits = Limits(settings.rows, settings.lock_seconds)
    journey = Journey(Server(url), _code(), limits, settings.values)
    with TemporaryDirectory(prefix="flight-") as folder:
        try:
            return journey.fly(Path(folder))
        finally:
            forget(Path(folder))


def _code() -> Code:
    return Code(Path("backend").resolve())


def conclude(findings: Findings) -> None:
    """Show what was found, and end accordingly.

    Raises:
        CheckFailedError: A migration is not safe.
        NotJudgedError: There was nothing to compare with.
    """
    report.keep(findings)
    show(findings)
    if findings.not_judged:
        raise findings.not_judged
    judged(released.CHECK)


def show(findings: Findings) -> None:
    """Show what was found.

    Raises:
        CheckFailedError: A migration is not safe.
    """
    print(report.text(findings))
    if findings.faults:
        if findings.not_judged:
            findings.not_judged.report()  # what was not compared is listed beside what is wrong
        raise CheckFailedError(
            f"faults found in the migrations: {len(findings.faults)}",
            hint="CI_CD.md, Migrations, shows how each kind is written",
        )


if __name__ == "__main__":
    with reported():
        main(sys.argv[1:])
