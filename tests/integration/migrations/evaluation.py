"""Evaluate a case: write its migrations into the app, apply them, and remove them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.checks.migrations import report
from pipeline.checks.migrations.app_version import AppVersion
from pipeline.checks.migrations.databases import PostgresServer, connect
from pipeline.checks.migrations.evaluation import Limits
from pipeline.checks.migrations.findings import MigrationReport
from pipeline.checks.migrations.runner import MigrationCheck
from pipeline.errors import PipelineError
from tests.integration.migrations.cases import APP, Case
from tests.support.django_project import Project, create_project

LIMITS = Limits(rows=2_000, seconds=5)
# A second place for tables, which a case moves one to; '' is a folder of the server's own.
TABLESPACE = "SET allow_in_place_tablespaces = on", "CREATE TABLESPACE slow LOCATION ''"


def released(server: str, folder: Path) -> Project:
    """Return the app as it was released, its database being the template `base`."""
    with connect(server) as connection:
        for statement in TABLESPACE:
            connection.execute(statement)
    project = create_project(folder / "project", migrations__0001_initial=APP)
    AppVersion(project.root / "backend").migrate(PostgresServer(server).create_database("base"))
    return project


@contextmanager
def written(project: Project, case: Case) -> Iterator[list[str]]:
    """Put a case's migrations into the app, hand out their names, and remove them afterwards."""
    paths = [
        project.migration(f"{number:04}_{case.name}", body)
        for number, body in enumerate(case.migrations, start=2)
    ]
    try:
        yield [path.stem for path in paths]
    finally:
        for path in paths:
            path.unlink()


def evaluated(server: str, project: Project, code: AppVersion, case: Case) -> str:
    """Return what is found in a case's migrations, without the tests of the release before."""
    findings = MigrationReport([])
    with written(project, case):
        try:
            MigrationCheck(PostgresServer(server), code, LIMITS, {}).apply(findings)
        except PipelineError as error:
            return f"error: {error}"
    return report.format_report(findings)
