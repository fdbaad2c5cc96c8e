"""Results of other migration checks for a case; each gets the input that it needs.

Squawk reads what `sqlmigrate` prints, the linter the project, and zero-downtime migrates a database
with rows. The last one also *makes* migrations safe: what its SQL does CONCURRENTLY or NOT VALID,
and Django's does not, counts as caught.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from benchmarks.warm import Warm, warm
from pipeline.checks.migrations.databases import PostgresServer
from pipeline.checks.migrations.sample_data import fill_tables
from pipeline.process import CommandResult, capture
from tests.integration.migrations.cases.lists import LEFT_OUT, SQUAWK
from tests.support.django_project import Project

SETTINGS = {
    "linter": """
        from config.settings.test import *
        INSTALLED_APPS = [*INSTALLED_APPS, "django_migration_linter"]
    """,
    "zero_downtime": """
        from config.settings.test import *
        DATABASES["default"]["ENGINE"] = "django_zero_downtime_migrations.backends.postgres"
        ZERO_DOWNTIME_MIGRATIONS_LOCK_TIMEOUT = "2s"
        ZERO_DOWNTIME_MIGRATIONS_STATEMENT_TIMEOUT = "2s"
        ZERO_DOWNTIME_MIGRATIONS_FLEXIBLE_STATEMENT_TIMEOUT = True
        ZERO_DOWNTIME_MIGRATIONS_RAISE_FOR_UNSAFE = True
    """,
}
ROWS = 200  # of the database that zero-downtime migrates
SAFER = "CONCURRENTLY", "NOT VALID", "USING INDEX"
REFUSES = "UnsafeOperationException"
EVALUATES = (
    "squawk",
    f"--config={os.devnull}",
    "--pg-version=18.0",
    "--stdin-filepath=migrations.sql",
)
# A rule without an unsafe case could only be wrong here.
EXCLUDED = f"--exclude={','.join(LEFT_OUT[SQUAWK])}"


@dataclass(frozen=True)
class Answer:
    """The result of a tool for a case."""

    stops: bool
    broken: bool = False
    """Whether it broke off for another reason than what it looks for."""


@dataclass(frozen=True)
class Peers:
    """The other checks, with the project that they look at."""

    server: PostgresServer
    linter: Warm
    zero_downtime: Warm

    def answers(self, names: Sequence[str]) -> Mapping[str, Answer]:
        """Return the result of each tool for new migrations.

        Args:
            names: Their names.
        """
        sql, safer = (self._sql(django, names) for django in (self.linter, self.zero_downtime))
        lints = [self._manage("base", self.linter, "lintmigrations", name) for name in names]
        message = "".join(each.stderr for each in lints)
        return {
            "Squawk": _squawk(sql, EXCLUDED),
            "Squawk, all rules": _squawk(sql),
            "linter": _linter(lints, warnings=False, message=message),
            "linter, warnings too": _linter(lints, warnings=True, message=message),
            "zero-downtime": self._zero_downtime(sql, safer),
        }

    def _zero_downtime(self, sql: CommandResult, safer: CommandResult) -> Answer:
        url = self.server.create_database("peer", like="rows")
        output = self.zero_downtime.manage(url, "migrate", "shop", "--no-input")
        if output.returncode:
            return Answer(stops=True, broken=REFUSES not in output.stderr)
        return Answer(stops=any(word in safer.stderr and word not in sql.stderr for word in SAFER))

    def _sql(self, django: Warm, names: Sequence[str]) -> CommandResult:
        outputs = [self._manage("base", django, "sqlmigrate", name) for name in names]
        code = max(output.returncode for output in outputs)
        return CommandResult(
            [], code, stdout="", stderr="".join(output.stderr for output in outputs)
        )

    def _manage(self, database: str, django: Warm, command: str, name: str) -> CommandResult:
        options = ["--no-cache"] if command == "lintmigrations" else []
        return django.manage(self.server.database_url(database), command, *options, "shop", name)


@contextmanager
def started(server: PostgresServer, project: Project) -> Iterator[Peers]:
    """Start the peers on a project whose database is the template `base`.

    Args:
        server: Where it is.
        project: The project, which gets settings for each of them.
    """
    fill_tables(server.create_database("rows", like="base"), None, ROWS, {})
    for name, text in SETTINGS.items():
        project.write(f"backend/config/settings/{name}.py", text)
    with ExitStack() as stack:
        djangos = {
            name: stack.enter_context(warm(project.root / "backend", f"config.settings.{name}"))
            for name in SETTINGS
        }
        yield Peers(server, **djangos)


def _squawk(sql: CommandResult, *options: str) -> Answer:
    if sql.returncode:
        return Answer(stops=True, broken=True)
    output = capture([*EVALUATES, *options], stdin=sql.stderr)
    return Answer(stops=output.returncode != 0, broken=output.returncode not in {0, 1})


def _linter(lints: Sequence[CommandResult], message: str, *, warnings: bool) -> Answer:
    broken = "Traceback" in message
    warned = warnings and "WARNING" in message
    return Answer(stops=warned or any(each.returncode for each in lints), broken=broken)
