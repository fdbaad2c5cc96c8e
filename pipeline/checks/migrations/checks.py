"""What is asked of migrations, one question after the other."""

import re
from collections.abc import Iterator, Sequence

from pipeline.checks.migrations.app_version import AppVersion
from pipeline.checks.migrations.databases import PostgresServer, Schema, drop_foreign_keys, tables
from pipeline.checks.migrations.findings import Fault
from pipeline.checks.migrations.previous_release import CHECK
from pipeline.checks.migrations.records import MigrationRecord, RoundTrip
from pipeline.checks.migrations.worker import Tests
from pipeline.errors import InconclusiveError
from pipeline.process import CommandResult

REVERSE_HINT = "give each operation a reverse that fits the rows that there are then"
INDEX_NAME = re.compile(r'INDEX (?:"(?:[^"]|"")+"|\S+) ON')
MAX_FAILURES_SHOWN = 5  # failing tests; the rest is the same, mostly


def check_round_trip(server: PostgresServer, code: AppVersion) -> tuple[Schema, list[Fault]]:
    """Apply all migrations to an empty database, take ours back, and apply them again.

    Returns:
        The schema of a new database, and what went wrong.
    """
    trip = code.round_trip(server.create_database("history"))
    return trip.there, list(_of_trip("history", trip))


def check_new_migrations_reversible(
    code: AppVersion, url: str, records: Sequence[MigrationRecord], before: Schema
) -> list[Fault]:
    """Take the new migrations back, with rows in the tables, and apply them again.

    Args:
        code: That of the new migrations.
        url: A database that they were applied to.
        records: The new migrations.
        before: The schema that there was before them.
    """
    if not records or any(record.irreversible for record in records):
        return []  # which is a fault that is named already
    name = records[-1].name
    trip = code.round_trip(url, [record.name for record in records])
    nameless = _without_names(before), _without_names(trip.back)
    left = schema_differences(name, "taken back", *nameless) if trip.back else ()
    return [*_of_trip(name, trip), *left]


def _without_names(found: Schema) -> Schema:
    """Leave out how indexes are called, and what is NOT VALID: Django itself gives neither back."""
    return frozenset(INDEX_NAME.sub("INDEX ON", line.removesuffix(" NOT VALID")) for line in found)


def _of_trip(name: str, trip: RoundTrip) -> Iterator[Fault]:
    if trip.failure:
        what = "applied again after it was taken back" if trip.back else "taken back"
        yield Fault(name, f"cannot be {what}: {trip.failure}", REVERSE_HINT)
    else:
        yield from schema_differences(name, "forwards and backwards", trip.there, trip.again)


def schema_differences(migration: str, what: str, wanted: Schema, found: Schema) -> Iterator[Fault]:
    """Yield a fault if two schemas are not the same.

    Args:
        migration: Who is to blame.
        what: What was done to get to the second one.
        wanted: The schema that it should be.
        found: The schema that it is.
    """
    lines = [f"without {line}" for line in sorted(wanted - found)]
    lines += [f"with {line}" for line in sorted(found - wanted)]
    if lines:
        yield Fault(
            migration,
            f"{what}, leaves another schema: {'; '.join(lines)}",
            "a migration that is applied somewhere is never edited, and its reverse undoes it all",
        )


def collect(server: PostgresServer, code: AppVersion) -> Tests:
    """Have the tests of an app that is started collected, beside what is done meanwhile."""
    return code.running.collect(server.database_url("copy"), "second")


def check_previous_release(
    server: PostgresServer, released: AppVersion, new: AppVersion, tests: Tests
) -> list[Fault]:
    """Run the tests of the release before on the new schema.

    Args:
        server: Where `base` is, the database of the release before.
        released: The release before.
        new: The new code.
        tests: Those of the release before, as `collect` has returned them.

    Raises:
        NotJudgedError: They fail on their own schema too.
    """
    url = server.create_database("upgraded", like="base")
    known = tables(url)
    new.migrate(url)
    drop_foreign_keys(url, known)
    if _tests_pass(server, tests, "upgraded"):
        return []
    output = _tests(server, released, "upgraded")
    if output.returncode == 0:
        return []
    if _tests(server, released, "base").returncode:
        raise InconclusiveError(
            CHECK,
            "the tests of the release before fail on its own schema too",
            hint="mend main first",
        )
    return [
        Fault(
            "new schema",
            f"does not fit the release before, which still serves: {summarize_failures(output)}",
            "expand, migrate, contract: the schema of a release fits the release before as well",
        )
    ]


def check_before_contract(server: PostgresServer, new: AppVersion) -> list[Fault]:
    """Run the new tests on a schema that was expanded, and from which nothing was taken yet."""
    new.apply_pending(server.create_database("expanded", like="base"), "--expand-only")
    if _tests_pass(server, collect(server, new), "expanded"):
        return []
    output = _tests(server, new, "expanded")
    if output.returncode == 0:
        return []
    return [
        Fault(
            "new code",
            f"needs what a contract migration takes away to be gone: {summarize_failures(output)}",
            "stop using it in one release, take it away in the next one",
        )
    ]


def _tests_pass(server: PostgresServer, tests: Tests, template: str) -> bool:
    """Tell whether tests pass that reach the database, on copies of one; all judge what does not.

    Args:
        server: Where it is.
        tests: Those that are asked.
        template: The name of the database.
    """
    for name in ("test_copy", "test_second"):
        server.create_database(name, like=template)
    return tests.green()


def _tests(server: PostgresServer, code: AppVersion, template: str) -> CommandResult:
    """Run all tests on a copy of a database."""
    server.create_database("test_copy", like=template)
    return code.run_tests(server.database_url("copy"))


def summarize_failures(output: CommandResult) -> str:
    """Return which tests failed, and why, in the words of pytest's summary."""
    lines = output.stdout.splitlines()
    failed = [line for line in lines if line.startswith(("FAILED ", "ERROR "))]
    shown = (
        "; ".join(failed[:MAX_FAILURES_SHOWN])
        or (lines or output.stderr.splitlines() or ["silence"])[-1]
    )
    return (
        f"{shown} and {len(failed) - MAX_FAILURES_SHOWN} more"
        if len(failed) > MAX_FAILURES_SHOWN
        else shown
    )
