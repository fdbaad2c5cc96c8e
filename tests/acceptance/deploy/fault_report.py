"""What was injected, and what came of it: a row of the catalogue for each fault.

The rows are left in reports/catalogue.json; `nox -s docs` makes the table of CI_CD.md of the copy
that is kept in docs/catalogue.json.
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
"""Faults of every step, found or undone within a minute each."""


@dataclass(frozen=True)
class FaultResult:
    """What came of a fault.

    Attributes:
        id: The fault's, of the catalogue.
        injected: What was wrong.
        caught: Where it was found.
        code: How the deployer ended.
        seconds: How long it took from the first step to the end, all put back and proved.
        requests: How many users sent meanwhile.
        failed: How many of them failed.
    """

    id: str
    injected: str
    caught: str
    code: int
    seconds: float
    requests: int
    failed: int

    def save(self) -> None:
        """Write it down, in the place of an older one."""
        REPORT.parent.mkdir(exist_ok=True)
        known = json.loads(REPORT.read_text()) if REPORT.exists() else {}
        known[self.id] = asdict(self)
        rows = dict(sorted(known.items(), key=lambda row: sort_key(row[0])))
        REPORT.write_text(json.dumps(rows, indent=2) + "\n")


@dataclass(frozen=True)
class FaultCase:
    """A fault of the catalogue, and where it is injected."""

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
        """Do it under traffic: it is found where it should be, and users notice nothing.

        Args:
            act: What the deployer does.
            code: How it has to end.
            at: What it says then: the step that failed, or why it refuses.
            clients: Which requests there are meanwhile.
            failures: How many may fail, of a fault that only users can find.

        Returns:
            What it said.
        """
        before, told = self.site.history(), len(self.site.told)
        output = self._done(act, {code}, at, clients, failures)
        after = self.site.history()
        assert [row for row in after if is_successful(row)] == [
            row for row in before if is_successful(row)
        ]
        assert len(self.site.told) - told == len(after) - len(before), "each one is announced"
        return output.stderr

    def assert_served(
        self,
        act: Callable[[], CommandResult],
        says: str,
        *,
        codes: Collection[int] = (0,),
        clients: Mapping[str, int] = CLIENTS,
        failures: int = 0,
    ) -> str:
        """Do what is none of a deployment's faults, or is mended by hand: users notice nothing.

        Args:
            act: What is done, all of it.
            says: What the deployer says.
            codes: How it may end; otherwise than well, where somebody has to mend something.
            clients: Which requests there are meanwhile.
            failures: How many may fail, of what nobody can shield them from.
        """
        return self._done(act, codes, says, clients, failures).stderr

    def _done(
        self,
        act: Callable[[], CommandResult],
        codes: Collection[int],
        at: str,
        clients: Mapping[str, int],
        failures: int,
    ) -> CommandResult:
        with self.site.under_traffic(clients) as samples:
            began = time.monotonic()
            output = act()
            seconds = time.monotonic() - began
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
    """Return the parameters of a test that injects several faults, one after the other.

    Args:
        faults: By id, what is wrong, and what makes it so.
    """
    return [
        pytest.param(how, id=number, marks=pytest.mark.fault(number, what))
        for number, (what, how) in faults.items()
    ]


def sort_key(fault: str) -> tuple[str, int, str]:
    """Return what sorts the ids of faults: A2 comes before A10, and A4 before A4b."""
    letter, number, rest = re.split(r"(\d+)", fault, maxsplit=1)
    return letter, int(number), rest


def is_successful(row: Sequence[str]) -> bool:
    """Say whether a row of the journal tells of a release that served."""
    return row[4].startswith("succeeded")
