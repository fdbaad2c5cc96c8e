"""Check new migrations under load and report every fault in one run; exit 1 if there is any.

python -m pipeline.checks.migrations [--static]

The check starts a temporary PostgreSQL. With `--static`, or if PostgreSQL cannot be started, the
migrations are only read. A static check finds less, and lists the kinds of fault that it misses.
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
        InconclusiveError: PostgreSQL cannot be started, or the previous release is not available.
    """
    parser = argparse.ArgumentParser("python -m pipeline.checks.migrations", description=__doc__)
    parser.add_argument(
        "--static", action="store_true", help="read the migrations without running them"
    )
    if parser.parse_args(arguments).static:
        _print_report(static(_code()))
        return
    # Without a handler SIGTERM would skip the `finally` blocks, and PostgreSQL would stay behind.
    services.exit_on_sigterm()
    with ExitStack() as stack:
        try:
            url = stack.enter_context(services.postgres())
        except (CheckFailedError, MissingToolError) as error:
            findings = static(_code())
            findings.inconclusive = InconclusiveError(
                previous_release.CHECK,
                "no PostgreSQL can be started",
                detail=str(error),
                hint=error.hint,
            )
        else:
            findings = check_migrations(url)
    report_and_raise(findings)


def check_migrations(url: str) -> MigrationReport:
    """Apply the new migrations to copies of the previous release's database.

    Args:
        url: A temporary PostgreSQL server; the check creates and drops databases on it.
    """
    settings = load().migrations
    limits = Limits(settings.rows, settings.max_lock_seconds)
    check = MigrationCheck(PostgresServer(url), _code(), limits, settings.values)
    with TemporaryDirectory(prefix="migration-safety-") as folder:
        try:
            return check.run(Path(folder))
        finally:
            remove_bytecode(Path(folder))


def _code() -> AppVersion:
    return AppVersion(Path(load().layout.backend).resolve())


def report_and_raise(findings: MigrationReport) -> None:
    """Write the report file, print the report, and raise the result of the check.

    Raises:
        CheckFailedError: A migration is not safe.
        InconclusiveError: The check could not run completely.
    """
    report.save_report(findings)
    _print_report(findings)
    if findings.inconclusive:
        raise findings.inconclusive
    clear_inconclusive(previous_release.CHECK)


def _print_report(findings: MigrationReport) -> None:
    """Print the report.

    Raises:
        CheckFailedError: A migration is not safe.
    """
    print(report.format_report(findings))
    if findings.faults:
        if findings.inconclusive:
            # Only one error can be raised, so the inconclusive part is listed before the faults.
            findings.inconclusive.report()
        raise CheckFailedError(
            f"faults found in the migrations: {len(findings.faults)}",
            hint="see CI_CD.md, Migrations, for the safe form of each change",
        )


if __name__ == "__main__":
    with handle_errors():
        main(sys.argv[1:])
