"""The smaller check of new migrations: what can be seen without PostgreSQL, in seconds."""

from collections.abc import Collection

from pipeline import git
from pipeline.checks.baseline import previous_release_commit
from pipeline.checks.migrations.app_version import CHECK, AppVersion
from pipeline.checks.migrations.evaluation import expected_problems
from pipeline.checks.migrations.findings import MigrationReport

UNSEEN = """\
What only `nox -s migration-safety` sees, as it runs migrations on PostgreSQL:
  what Python or a DO block does in them, and what type a column had that only SQL names{places}
  whether PostgreSQL takes them, they fit the rows, go back, and can be run a second time
  whether a view that has the name of a table takes the rows that are written into it
  rows that are read, and indexes that are built, for a reason that no statement shows
  how long a lock lasts, and who waits for it
  whether the tests of the release before pass on the new schema"""


def static(new: AppVersion) -> MigrationReport:
    """Judge the migrations that the release before has not, by what they would send.

    Args:
        new: The code.

    Raises:
        CheckFailedError: A migration cannot even be read.
        NotJudgedError: There is nothing here to compare with.
    """
    commit = previous_release_commit(CHECK)
    if commit is None:
        return MigrationReport([], not_checked=UNSEEN.format(places=""))
    listed = git.split_names("ls-tree", "-r", "-z", "--name-only", "--full-tree", commit, "backend")
    return of(new, [path for path in listed if "/migrations/" in path])


def of(new: AppVersion, released: Collection[str]) -> MigrationReport:
    """Judge the migrations of all files but those that are released."""
    found = new.static(released)
    faults = list(dict.fromkeys(expected_problems(found)))
    places = [place for record in found for place in record.unseen]
    unseen = UNSEEN.format(places=f": {', '.join(places)}" if places else "")
    return MigrationReport(faults, found, not_checked=unseen)
