"""The order in which migrations are tried, and what is found on the way."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from pipeline.checks.baseline import release_before
from pipeline.checks.migrations import checks, evaluation, previous_release
from pipeline.checks.migrations.app_version import Code
from pipeline.checks.migrations.databases import Schema, Server, schema
from pipeline.checks.migrations.evaluation import Limits
from pipeline.checks.migrations.findings import Findings
from pipeline.checks.migrations.load import longest, visiting
from pipeline.checks.migrations.report import say
from pipeline.checks.migrations.sample_data import seed
from pipeline.checks.migrations.worker import Tests
from pipeline.errors import NotJudgedError

SOME = 1000  # rows that are enough to see what happens to them


class Before(NamedTuple):
    """The release before."""

    code: Code
    tests: Tests | None
    """Its tests, as they are being collected, if any migration seems to be new."""


@dataclass(frozen=True)
class Journey:
    """The new code, on a server of its own."""

    server: Server
    new: Code
    limits: Limits
    values: Mapping[str, str]

    def fly(self, folder: Path) -> Findings:
        """Try the whole history, and then the new migrations on what the release before has.

        Args:
            folder: An empty one, for the code of the release before.
        """
        say("every migration forwards and backwards, on an empty database")
        with self.new.started(self.server.url) as new:
            findings = replace(self, new=new).flown(folder)
        findings.faults = list(dict.fromkeys(findings.faults))  # of what was sent twice
        return findings

    def flown(self, folder: Path) -> Findings:
        """Do so with an app that is started, while the release before is made ready beside it."""
        with ExitStack() as stack, ThreadPoolExecutor() as pool:
            history = pool.submit(checks.there_and_back, self.server, self.new)
            before = pool.submit(self._before, folder, stack)
            fresh, faults = history.result()
            findings = Findings(faults)
            try:
                self._from(before.result(), fresh, findings)
            except NotJudgedError as error:
                findings.not_judged = error
        return findings

    def _before(self, folder: Path, stack: ExitStack) -> Before | None:
        """Return the release before, if there is one, started, with its database `base`."""
        commit = release_before(previous_release.CHECK)
        code = previous_release.code(commit, folder) if commit else None
        if code is None:
            return None
        code = stack.enter_context(code.started(self.server.url))
        code.migrate(self.server.create("base"))
        expected = self.new.migrations() - code.migrations()
        return Before(code, checks.collect(self.server, code) if expected else None)

    def _from(self, before: Before | None, fresh: Schema, findings: Findings) -> None:
        if before is None:
            say("there is no release before this one, so nothing to compare with")
            return
        upgraded = self.apply(findings, before.tests)
        if upgraded:
            added = "added to the release before"
            findings.faults += checks.differences("history", added, fresh, upgraded)
        if not upgraded or not findings.records:
            return
        say("the tests of the release before, on the new schema")
        tests = before.tests or checks.collect(self.server, before.code)
        findings.faults += checks.release_before(self.server, before.code, self.new, tests)
        if any(record.contract for record in findings.records):
            say("the new tests, on the schema before anything is taken away")
            findings.faults += checks.contract_pending(self.server, self.new)

    def apply(self, findings: Findings, tests: Tests | None = None) -> Schema:
        """Apply the new migrations to copies of `base` that have rows, and judge them.

        Args:
            findings: What gets the verdicts.
            tests: Those that are collected beside it, but not while locks are timed.

        Returns:
            The schema that they end with; an empty one, if there is none or they failed.
        """
        say("new migrations on some rows, each data operation twice, and back")
        url = self.server.create("some_rows", like="base")
        before = schema(url)
        for line in seed(url, None, SOME, self.values).lines():
            say(line)
        findings.records = records = self.new.forward(url, "--twice")
        findings.faults += evaluation.of_what_they_say(records)
        findings.faults += evaluation.of_what_they_do_twice(records)
        if not records or records[-1].failure:
            return schema(url) if not records else frozenset()
        upgraded = schema(url)
        findings.faults += checks.new_ones_back(self.new, url, records, before)
        self._under_load(findings, tests)
        return upgraded

    def _under_load(self, findings: Findings, tests: Tests | None) -> None:
        touched = sorted({table for record in findings.records for table in record.touched})
        say(f"readers, writers and {self.limits.rows:,} rows in {', '.join(touched) or 'no table'}")
        url = self.server.create("many_rows", like="base")
        seeded = seed(url, touched, self.limits.rows, self.values)
        findings.not_judged = seeded.not_judged(previous_release.CHECK, touched)
        if tests:
            tests.collected()
        with visiting(url, touched) as waits:
            findings.records = self.new.forward(url)
        findings.faults += evaluation.of_failures(findings.records)
        findings.waits = {each.name: longest(waits, each.span) for each in findings.records}
        said = {(each.migration, each.sql) for each in findings.faults if each.locks}
        findings.faults += evaluation.of_what_they_lock(
            findings.records, findings.waits, self.limits, said
        )
