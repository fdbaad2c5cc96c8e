"""The single checks: reversibility, and the tests of the previous and the new release."""

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

_REVERSE_HINT = "give each operation a reverse that works with the rows in the tables"
_INDEX_NAME = re.compile(r'INDEX (?:"(?:[^"]|"")+"|\S+) ON')
_MAX_FAILURES_SHOWN = 5  # failing tests; further failures mostly have the same cause


def check_round_trip(server: PostgresServer, code: AppVersion) -> tuple[Schema, list[Fault]]:
    """Apply all migrations to an empty database, reverse the app's own, and apply them again.

    Returns:
        The schema of a new database, and the faults.
    """
    trip = code.round_trip(server.create_database("history"))
    return trip.there, list(_of_trip("history", trip))


def check_new_migrations_reversible(
    code: AppVersion, url: str, records: Sequence[MigrationRecord], before: Schema
) -> list[Fault]:
    """Reverse the new migrations while the tables have rows, and apply them again.

    Args:
        code: The app with the new migrations.
        url: A database to which the new migrations are applied.
        records: The new migrations.
        before: The schema before the new migrations.
    """
    if not records or any(record.irreversible for record in records):
        return []  # `lint_problems` reports operations without a reverse
    name = records[-1].name
    trip = code.round_trip(url, [record.name for record in records])
    comparable = _without_names(before), _without_names(trip.back)
    left = schema_differences(name, "reversed", *comparable) if trip.back else ()
    return [*_of_trip(name, trip), *left]


def _without_names(found: Schema) -> Schema:
    """Remove index names and NOT VALID from a schema: Django's own reverses restore neither."""
    return frozenset(_INDEX_NAME.sub("INDEX ON", line.removesuffix(" NOT VALID")) for line in found)


def _of_trip(name: str, trip: RoundTrip) -> Iterator[Fault]:
    if trip.failure:
        what = "applied again after it was reversed" if trip.back else "reversed"
        yield Fault(name, f"cannot be {what}: {trip.failure}", _REVERSE_HINT)
    else:
        yield from schema_differences(name, "reversed and reapplied", trip.there, trip.again)


def schema_differences(migration: str, what: str, wanted: Schema, found: Schema) -> Iterator[Fault]:
    """Yield a fault if two schemas differ.

    Args:
        migration: The migration that the fault names.
        what: The action that led to the schema `found`, as a participle.
        wanted: The expected schema.
        found: The actual schema.
    """
    lines = [f"missing {line}" for line in sorted(wanted - found)]
    lines += [f"extra {line}" for line in sorted(found - wanted)]
    if lines:
        yield Fault(
            migration,
            f"{what}, leaves a different schema: {'; '.join(lines)}",
            "do not edit an applied migration, and let its reverse undo every change",
        )


def collect(server: PostgresServer, code: AppVersion) -> Tests:
    """Start to collect the tests of a started app, and return without waiting for the result."""
    return code.running.collect(server.database_url("copy"), "second")


def check_previous_release(
    server: PostgresServer, released: AppVersion, new: AppVersion, tests: Tests
) -> list[Fault]:
    """Run the tests of the previous release on the new schema.

    Args:
        server: The server with `base`, the database of the previous release.
        released: The previous release.
        new: The new code.
        tests: The tests of the previous release, as `collect` returns them.

    Raises:
        InconclusiveError: The tests also fail on the schema of the previous release.
    """
    url = server.create_database("upgraded", like="base")
    known = tables(url)
    new.migrate(url)
    drop_foreign_keys(url, known)
    if _tests_pass(server, tests, "upgraded"):
        return []
    # The fast run prints no failures and may fail for its own reasons: only a full run is a fault.
    output = _tests(server, released, "upgraded")
    if output.returncode == 0:
        return []
    if _tests(server, released, "base").returncode:
        raise InconclusiveError(
            CHECK,
            "the tests of the previous release also fail on its own schema",
            hint="fix main first",
        )
    return [
        Fault(
            "new schema",
            f"breaks the previous release, which is still running: {_summarize_failures(output)}",
            "expand, migrate, contract: each schema must also work with the previous release",
        )
    ]


def check_before_contract(server: PostgresServer, new: AppVersion) -> list[Fault]:
    """Run the new tests on the schema without the contract migrations."""
    new.apply_pending(server.create_database("expanded", like="base"), "--expand-only")
    if _tests_pass(server, collect(server, new), "expanded"):
        return []
    output = _tests(server, new, "expanded")
    if output.returncode == 0:
        return []
    return [
        Fault(
            "new code",
            f"fails before the contract migrations are applied: {_summarize_failures(output)}",
            "stop using a column or table in one release, remove it in the next one",
        )
    ]


def _tests_pass(server: PostgresServer, tests: Tests, template: str) -> bool:
    """Return whether the tests that use a database pass on two copies of a template.

    The tests run in two processes, and each process needs a database.
    """
    for name in ("test_copy", "test_second"):
        server.create_database(name, like=template)
    return tests.green()


def _tests(server: PostgresServer, code: AppVersion, template: str) -> CommandResult:
    """Run all tests on a copy of a database."""
    server.create_database("test_copy", like=template)
    return code.run_tests(server.database_url("copy"))


def _summarize_failures(output: CommandResult) -> str:
    """Return the first failed tests and their causes from the summary of pytest."""
    lines = output.stdout.splitlines()
    failed = [line for line in lines if line.startswith(("FAILED ", "ERROR "))]
    shown = (
        "; ".join(failed[:_MAX_FAILURES_SHOWN])
        or (lines or output.stderr.splitlines() or ["no output"])[-1]
    )
    return (
        f"{shown} and {len(failed) - _MAX_FAILURES_SHOWN} more"
        if len(failed) > _MAX_FAILURES_SHOWN
        else shown
    )
