"""The migration safety check on public projects.

Do rows fit all of their tables, and what does it find?

python -m pipeline.services --postgres -- python -m benchmarks.projects [--rows 20000] [NAME ...]

Each project comes from PyPI into an environment of its own. Its release before is the schema that
its main app had ten migrations ago; these are checked as those of a change, without its tests.
What it prints is docs/public-projects.md.
"""

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import dedent

from benchmarks.sites import SITES, Site
from pipeline.checks.migrations import report
from pipeline.checks.migrations.app_version import ROOT, SETTINGS, AppVersion
from pipeline.checks.migrations.databases import PostgresServer
from pipeline.checks.migrations.evaluation import Limits
from pipeline.checks.migrations.findings import MigrationReport
from pipeline.checks.migrations.runner import MigrationCheck
from pipeline.checks.migrations.sample_data import FillResult, fill_tables
from pipeline.errors import PipelineError
from pipeline.home import UV
from pipeline.process import capture
from tests.support.django_project import FILES

NEW = 10  # migrations of the main app
SOME = 1000  # rows of each table
DRIVERS = "django==5.2.*", "dj-database-url", "psycopg[binary]"
CONFIG = """\
import dj_database_url
DATABASES = {{"default": dj_database_url.config()}}
INSTALLED_APPS = {apps!r}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
SECRET_KEY = "protects nothing"
SITE_ID = 1
STATIC_URL = "/static/"
USE_TZ = True
{settings}
"""


def laid_out(site: Site, folder: Path) -> AppVersion:
    """Make a project that has the site's apps, with an environment of its own.

    Args:
        site: What it is of.
        folder: An empty one.
    """
    python, backend = folder / "venv/bin/python", folder / "backend"
    install = ("uv", "pip", "install", "--quiet", f"--python={python}", *DRIVERS, *site.packages)
    for command in (("uv", "venv", "--quiet", str(folder / "venv")), install):
        if (output := capture(command, env=UV)).returncode:
            sys.exit(output.stderr)
    config = CONFIG.format(apps=site.apps, settings=dedent(site.settings))
    for name, text in (
        ("manage.py", FILES["backend/manage.py"]),
        ("config/settings/test.py", config),
    ):
        path = backend / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text))
    return AppVersion(backend, str(python))


def release_before(code: AppVersion, site: Site, url: str) -> list[str]:
    """Migrate a database to the release before, and return what is new since then.

    Raises:
        SystemExit: The project does not start.
    """
    env = {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": SETTINGS, "PYTHONPATH": f"{ROOT}:."}
    command = [code.python, "-m", "benchmarks.before", site.app, str(NEW)]
    output = capture(command, cwd=code.folder, env=env)
    if output.returncode:
        sys.exit(output.stderr)
    return output.stdout.splitlines()


def part(server: PostgresServer, name: str, rows: int) -> Iterator[str]:
    """Yield the lines of the page about a project."""
    site = SITES[name]
    with TemporaryDirectory() as folder:
        code = laid_out(site, Path(folder))
        new = release_before(code, site, server.create_database("base"))
        yield f"## {name}: {', '.join(site.packages)}\n"
        yield f"New: {', '.join(f'`{each}`' for each in new)}.\n"
        yield from _seeds(
            fill_tables(server.create_database("filled", like="base"), None, SOME, {})
        )
        yield from (
            f"Configured: `{column}` is `{value}`.\n" for column, value in site.values.items()
        )
        findings = MigrationReport([])
        try:
            MigrationCheck(server, code, Limits(rows, 2), site.values).apply(findings)
        except PipelineError as error:
            yield f"It stopped: {error}\n"
        yield f"```text\n{report.format_report(findings)}\n```\n"


def _seeds(seeded: FillResult) -> Iterator[str]:
    whole = len(seeded.filled) + len(seeded.skipped)
    yield f"{len(seeded.filled)} of {whole} tables get rows.\n"
    yield from (f"- `{table}` gets none: {cause}" for table, cause in seeded.skipped.items())
    yield from (f"- {note}" for note in seeded.notes)
    yield ""


def main(arguments: Sequence[str]) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser("python -m benchmarks.projects", description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("names", nargs="*", choices=[*SITES, []], metavar="NAME")
    options = parser.parse_args(arguments)
    day = datetime.now(UTC).date()
    print(f"# Public projects\n\n{day}, {options.rows:,} rows of each table.\n")
    for name in options.names or SITES:
        for line in part(PostgresServer(os.environ["DATABASE_URL"]), name, options.rows):
            print(line, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
