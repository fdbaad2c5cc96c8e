"""Run the checks in order: the whole history, then the new migrations on the previous release."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from pipeline.checks.baseline import previous_release_commit
from pipeline.checks.migrations import dynamic_checks, evaluation, previous_release
from pipeline.checks.migrations.app_version import AppVersion
from pipeline.checks.migrations.databases import PostgresServer, Schema, schema
from pipeline.checks.migrations.evaluation import Limits
from pipeline.checks.migrations.findings import MigrationReport
from pipeline.checks.migrations.load import background_load, longest_wait
from pipeline.checks.migrations.report import log
from pipeline.checks.migrations.sample_data import fill_tables
from pipeline.checks.migrations.worker import Tests
from pipeline.errors import InconclusiveError

_SAMPLE_ROWS = 1000  # rows in each table where correctness is checked, not speed


class _Before(NamedTuple):
    """The previous release."""

    code: AppVersion
    tests: Tests | None
    """Its tests, which are being collected in the background, if there are new migration files."""


@dataclass(frozen=True)
class MigrationCheck:
    """Checks the migrations of the new code on a temporary server."""

    server: PostgresServer
    new: AppVersion
    limits: Limits
    values: Mapping[str, str]

    def run(self, folder: Path) -> MigrationReport:
        """Check the whole history, then the new migrations on the previous release's schema.

        Args:
            folder: An empty folder, for the code of the previous release.
        """
        log("apply, reverse and reapply every migration on an empty database")
        with self.new.start_worker(self.server.url) as new:
            findings = replace(self, new=new).run_with_started_app(folder)
        findings.faults = list(dict.fromkeys(findings.faults))  # a statement that was sent twice
        return findings

    def run_with_started_app(self, folder: Path) -> MigrationReport:
        """Check the history while another thread checks out and starts the previous release."""
        with ExitStack() as stack, ThreadPoolExecutor() as pool:
            history = pool.submit(dynamic_checks.check_round_trip, self.server, self.new)
            before = pool.submit(self._previous_version, folder, stack)
            fresh, faults = history.result()
            findings = MigrationReport(faults)
            try:
                self._from(before.result(), fresh, findings)
            except InconclusiveError as error:
                findings.inconclusive = error
        return findings

    def _previous_version(self, folder: Path, stack: ExitStack) -> _Before | None:
        """Start the previous release and migrate its database `base`; None if there is none."""
        commit = previous_release_commit(previous_release.CHECK)
        code = previous_release.checkout_release(commit, folder) if commit else None
        if code is None:
            return None
        code = stack.enter_context(code.start_worker(self.server.url))
        code.migrate(self.server.create_database("base"))
        expected = self.new.migrations() - code.migrations()
        return _Before(code, dynamic_checks.collect(self.server, code) if expected else None)

    def _from(self, before: _Before | None, fresh: Schema, findings: MigrationReport) -> None:
        if before is None:
            log("no previous release to compare with")
            return
        upgraded = self.apply(findings, before.tests)
        if upgraded:
            added = "applied to the previous release"
            findings.faults += dynamic_checks.schema_differences("history", added, fresh, upgraded)
        if not upgraded or not findings.records:
            return
        log("run the tests of the previous release on the new schema")
        tests = before.tests or dynamic_checks.collect(self.server, before.code)
        findings.faults += dynamic_checks.check_previous_release(
            self.server, before.code, self.new, tests
        )
        if any(record.contract for record in findings.records):
            log("run the new tests on the schema without the contract migrations")
            findings.faults += dynamic_checks.check_before_contract(self.server, self.new)

    def apply(self, findings: MigrationReport, tests: Tests | None = None) -> Schema:
        """Apply the new migrations to two copies of `base` with rows, and add the faults.

        Args:
            findings: The report to fill.
            tests: Tests that are being collected; locks are timed after the collection has ended.

        Returns:
            The upgraded schema; empty if a migration failed.
        """
        log("apply the new migrations to a few rows, data operations twice, then reverse them")
        url = self.server.create_database("some_rows", like="base")
        before = schema(url)
        for line in fill_tables(url, None, _SAMPLE_ROWS, self.values).notes_as_sentences():
            log(line)
        findings.records = records = self.new.apply_pending(url, "--twice")
        findings.faults += evaluation.lint_problems(records)
        findings.faults += evaluation.idempotency_problems(records)
        if not records or records[-1].failure:
            return schema(url) if not records else frozenset()
        upgraded = schema(url)
        findings.faults += dynamic_checks.check_new_migrations_reversible(
            self.new, url, records, before
        )
        self._under_load(findings, tests)
        return upgraded

    def _under_load(self, findings: MigrationReport, tests: Tests | None) -> None:
        touched = sorted({table for record in findings.records for table in record.touched})
        names = ", ".join(touched) or "no table"
        log(f"apply the new migrations under load, with {self.limits.rows:,} rows in {names}")
        url = self.server.create_database("many_rows", like="base")
        seeded = fill_tables(url, touched, self.limits.rows, self.values)
        findings.inconclusive = seeded.inconclusive_error(previous_release.CHECK, touched)
        if tests:  # the collection uses a processor, which would distort the measured times
            tests.collected()
        with background_load(url, touched) as waits:
            findings.records = self.new.apply_pending(url)
        findings.faults += evaluation.failed_migration(findings.records)
        findings.waits = {each.name: longest_wait(waits, each.span) for each in findings.records}
        reported = {(each.migration, each.sql) for each in findings.faults if each.locks}
        findings.faults += evaluation.locking_problems(
            findings.records, findings.waits, self.limits, reported
        )
