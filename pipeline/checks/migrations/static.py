"""Static check of new migrations: evaluate their SQL in seconds, without PostgreSQL."""

from collections.abc import Collection

from pipeline import git
from pipeline.checks.baseline import previous_release_commit
from pipeline.checks.migrations.app_version import CHECK, AppVersion
from pipeline.checks.migrations.evaluation import expected_problems
from pipeline.checks.migrations.findings import MigrationReport
from pipeline.config import load

_UNSEEN = """\
Only `nox -s migration-safety`, which runs the migrations on PostgreSQL, checks:
  Python code, DO blocks, and types of columns that only SQL defines{places}
  whether PostgreSQL accepts the migrations, and whether they work on rows, backwards and twice
  whether a view with the name of a table accepts writes
  reads of rows and builds of indexes that no statement names
  how long a lock lasts, and which queries it blocks
  whether the tests of the previous release pass on the new schema"""


def static(new: AppVersion) -> MigrationReport:
    """Check the migrations that the previous release does not have, by the SQL of each.

    Raises:
        CheckFailedError: A migration cannot be read.
        InconclusiveError: The commit of the previous release is not available.
    """
    commit = previous_release_commit(CHECK)
    if commit is None:
        return MigrationReport([], not_checked=_UNSEEN.format(places=""))
    command = ("ls-tree", "-r", "-z", "--name-only", "--full-tree", commit)
    listed = git.split_names(*command, load().layout.backend)
    return of(new, [path for path in listed if "/migrations/" in path])


def of(new: AppVersion, released: Collection[str]) -> MigrationReport:
    """Check all migrations except the released files."""
    found = new.static(released)
    faults = list(dict.fromkeys(expected_problems(found)))
    places = [place for record in found for place in record.unseen]
    unseen = _UNSEEN.format(places=f": {', '.join(places)}" if places else "")
    return MigrationReport(faults, found, not_checked=unseen)
