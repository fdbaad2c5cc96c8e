"""Fly the new migrations before anybody has to: every fault at once, exit 1 if there is any.

python -m pipeline.checks.migrations [--static]

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
from pipeline.checks.migrations import previous_release, report
from pipeline.checks.migrations.app_version import AppVersion, remove_bytecode
from pipeline.checks.migrations.databases import PostgresServer
from pipeline.checks.migrations.evaluation import Limits
from pipeline.checks.migrations.findings import MigrationReport
from pipeline.checks.migrations.runner import MigrationCheck
from pipeline.checks.migrations.static import static
from pipeline.config import load
from pipeline.errors import (
    CheckFailedError,
    InconclusiveError,
    MissingToolError,
    clear_inconclusive,
    handle_errors,
)


def main(arguments: Sequence[str]) -> None:
    """Run the command line.

    Raises:
        CheckFailedError: A migration is not safe.
        NotJudgedError: There is no PostgreSQL, or nothing here to compare with.
    """
    parser = argparse.ArgumentParser("python -m pipeline.checks.migrations", description=__doc__)
    parser.add_argument("--static", action="store_true", help="read migrations, run none")
    if parser.parse_args(arguments).static:
        print_report(static(_code()))
        return
    services.exit_on_sigterm()
    with ExitStack() as stack:
        try:
            url = stack.enter_context(services.postgres())
        except (CheckFailedError, MissingToolError) as error:
            findings = static(_code())
            findings.not_judged = InconclusiveError(
                previous_release.CHECK,
                "no PostgreSQL can be started",
                detail=str(error),
                hint=error.hint,
            )
        else:
            findings = check_migrations(url)
    report_and_raise(findings)


def check_migrations(url: str) -> MigrationReport:
    """Try the new migrations.

    Args:
        url: Of a PostgreSQL that is thrown away.
    """
    settings = load().migrations
    limits = Limits(settings.rows, settings.max_lock_seconds)
    journey = MigrationCheck(PostgresServer(url), _code(), limits, settings.values)
    with TemporaryDirectory(prefix="flight-") as folder:
        try:
            return journey.run(Path(folder))
        finally:
            remove_bytecode(Path(folder))


def _code() -> AppVersion:
    return AppVersion(Path("backend").resolve())


def report_and_raise(findings: MigrationReport) -> None:
    """Show what was found, and end accordingly.

    Raises:
        CheckFailedError: A migration is not safe.
        NotJudgedError: There was nothing to compare with.
    """
    report.save_report(findings)
    print_report(findings)
    if findings.not_judged:
        raise findings.not_judged
    clear_inconclusive(previous_release.CHECK)


def print_report(findings: MigrationReport) -> None:
    """Show what was found.

    Raises:
        CheckFailedError: A migration is not safe.
    """
    print(report.format_report(findings))
    if findings.faults:
        if findings.not_judged:
            findings.not_judged.report()  # what was not compared is listed beside what is wrong
        raise CheckFailedError(
            f"faults found in the migrations: {len(findings.faults)}",
            hint="CI_CD.md, Migrations, shows how each kind is written",
        )


if __name__ == "__main__":
    with handle_errors():
        main(sys.argv[1:])
