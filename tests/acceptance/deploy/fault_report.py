"""Runs a fault under traffic, checks the result, and adds a row to the catalogue.

The rows are written to reports/catalogue.json. `nox -s docs` generates the table of CI_CD.md from
docs/catalogue.json, a copy of that file.
"""

import json
import re
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest

from pipeline.process import CommandResult
from tests.acceptance.deploy.live_site import CLIENTS, LiveSite, all_ask_once_more

REPORT = Path("reports", "catalogue.json")
QUICK = {
    *("A1", "A4", "A5", "A6", "A6b", "A8", "A10", "A14", "A17"),
    *("B1", "B13", "C1", "C5", "C12", "C13", "D4", "F10"),
}
"""Faults of every step that take less than a minute each."""


@dataclass(frozen=True)
class FaultResult:
    """A row of the catalogue.

    Attributes:
        id: Of the fault.
        injected: The fault in a few words.
        caught: The message that reported it.
        code: Exit code of the deployer.
        seconds: From the first step to the end, with rollback and verification.
        requests: Number of requests of users in that time.
        failed: Number of failed requests.
    """

    id: str
    injected: str
    caught: str
    code: int
    seconds: float
    requests: int
    failed: int

    def save(self) -> None:
        """Add the row to the report; it replaces an earlier row of the same id."""
        REPORT.parent.mkdir(exist_ok=True)
        known = json.loads(REPORT.read_text()) if REPORT.exists() else {}
        known[self.id] = asdict(self)
        rows = dict(sorted(known.items(), key=lambda row: sort_key(row[0])))
        REPORT.write_text(json.dumps(rows, indent=2) + "\n")


@dataclass(frozen=True)
class FaultCase:
    """A fault of the catalogue, on a site."""

    site: LiveSite
    id: str
    injected: str

    def assert_caught(
        self,
        act: Callable[[], CommandResult],
        *,
        code: int,
        at: str,
        clients: Mapping[str, int] = CLIENTS,
        failures: int = 0,
    ) -> str:
        """Run a deploy under traffic; it must fail as expected, without failed requests.

        Args:
            act: Runs the deployer.
            code: Expected exit code.
            at: Expected text on stderr: the failed step, or the reason of the refusal.
            clients: Number of clients by kind of request.
            failures: Allowed number of failed requests, for faults that only users can find.

        Returns:
            The stderr of the deployer.
        """
        before, notifications = self.site.history(), len(self.site.notifications)
        output = self._done(act, {code}, at, clients, failures)
        after = self.site.history()
        assert [row for row in after if is_successful(row)] == [
            row for row in before if is_successful(row)
        ]
        assert len(self.site.notifications) - notifications == len(after) - len(before), (
            "each deployment is announced"
        )
        return output.stderr

    def assert_served(
        self,
        act: Callable[[], CommandResult],
        message: str,
        *,
        codes: Collection[int] = (0,),
        clients: Mapping[str, int] = CLIENTS,
        failures: int = 0,
    ) -> str:
        """Run an action under traffic; the site must serve at the end.

        Args:
            act: Runs the deployer, and repairs by hand if the fault needs it.
            message: Expected text on stderr of the deployer.
            codes: Allowed exit codes.
            clients: Number of clients by kind of request.
            failures: Allowed number of failed requests, for faults that no deployer can hide.
        """
        return self._done(act, codes, message, clients, failures).stderr

    def _done(
        self,
        act: Callable[[], CommandResult],
        codes: Collection[int],
        at: str,
        clients: Mapping[str, int],
        failures: int,
    ) -> CommandResult:
        with self.site.under_traffic(clients) as samples:
            started = time.monotonic()
            output = act()
            seconds = time.monotonic() - started
            all_ask_once_more(samples, clients)
        failed = [sample for sample in samples if sample.failed]
        assert output.returncode in codes, output.stderr
        assert at in output.stderr, output.stderr
        assert len(failed) <= failures, failed
        assert {sample.kind for sample in samples} == set(clients)
        self.site.assert_only_live_release_runs()
        numbers = round(seconds, 1), len(samples), len(failed)
        FaultResult(self.id, self.injected, at, output.returncode, *numbers).save()
        return output


def fault_params(faults: Mapping[str, tuple[str, str]]) -> list[pytest.ParameterSet]:
    """Return the parameters of a test of several faults.

    Args:
        faults: By id, the description and the argument of the test.
    """
    return [
        pytest.param(how, id=number, marks=pytest.mark.fault(number, what))
        for number, (what, how) in faults.items()
    ]


def sort_key(fault: str) -> tuple[str, int, str]:
    """Return the sort key of a fault id: A2 sorts before A10, and A4 before A4b."""
    letter, number, rest = re.split(r"(\d+)", fault, maxsplit=1)
    return letter, int(number), rest


def is_successful(row: Sequence[str]) -> bool:
    """Return whether a row of the journal is a successful deployment."""
    return row[4].startswith("succeeded")
