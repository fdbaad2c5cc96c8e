"""What came of a fault, and of the tree without it."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from pipeline.fault_injection.catalog import Fault
from pipeline.process import CommandResult

ANSI_ESCAPE = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
NOX_PREFIX = "nox > "  # what nox says itself shows which command ran, not what came of it


class Verdict(StrEnum):
    """What a run shows."""

    PROVED = "proved"
    CLEAN = "green where nothing is planted"
    GREEN = "green in spite of the fault"
    OTHERWISE = "red, but not for the stated reason"
    ALWAYS = "said without the fault too"
    UNPLANTED = "the fault could not be planted"
    RED = "red where nothing is planted"
    NOT_JUDGED = "inconclusive"
    REFUSED = "red, and says what to do"
    UNCLEAR = "red, and does not say what to do"
    KEPT = "shows no secret"
    SHOWN = "shows a secret"

    @property
    def is_ok(self) -> bool:
        """Whether it is as it should be."""
        return self in {Verdict.PROVED, Verdict.CLEAN, Verdict.REFUSED, Verdict.KEPT}


@dataclass(frozen=True)
class Outcome:
    """One run of one session."""

    job: str
    session: str
    fault: str
    """Nothing, for the clean tree."""
    verdict: Verdict
    said: str = ""
    """The line of the tool's that shows it, or the reason."""
    seconds: float = 0
    output: str = ""


def evaluate_fault(
    fault: Fault, clean: str, planted: CommandResult, not_judged: Collection[str]
) -> Verdict:
    """Say what a run with a fault shows.

    Args:
        fault: What was planted.
        clean: What the session said without it.
        planted: What came of it.
        not_judged: The checks that the session could not judge here.
    """
    said = planted.returncode and find_line(fault.expect, planted.stdout)
    if said and not find_line(fault.expect, clean):
        return Verdict.PROVED
    if fault.skip_if_inconclusive in not_judged:
        return Verdict.NOT_JUDGED
    if said:
        return Verdict.ALWAYS
    return Verdict.OTHERWISE if planted.returncode else Verdict.GREEN


def evaluate_offline(output: CommandResult, not_judged: Collection[str]) -> tuple[Verdict, str]:
    """Say what a session shows that has no network, and in which words.

    Args:
        output: What came of it.
        not_judged: What it could not judge, and why.
    """
    if not output.returncode:
        return (Verdict.NOT_JUDGED, "; ".join(not_judged)) if not_judged else (Verdict.CLEAN, "")
    before, hint, _ = output.stdout.partition("hint: ")
    cause = last_words(before)
    return (Verdict.REFUSED, cause) if hint and cause else (Verdict.UNCLEAR, "")


def evaluate_canaries(output: CommandResult, places: Collection[str]) -> tuple[Verdict, str]:
    """Say what a session shows that was told secrets, and where.

    Args:
        output: What came of it; it may well be red, since no service believes such secrets.
        places: Where one was found.
    """
    if places:
        return Verdict.SHOWN, "; ".join(places)
    return Verdict.KEPT, f"red: {last_words(output.stdout)}" if output.returncode else ""


def last_words(output: str) -> str:
    """Return the last line that says anything, a tool's before nox's; nothing, if none does."""
    lines = [line for line in output.splitlines() if line.strip()]
    of_tools = [line for line in lines if not line.startswith(NOX_PREFIX)]
    return (of_tools or lines or [""])[-1].removeprefix(NOX_PREFIX)


def find_line(text: str, output: str) -> str:
    """Return the first line of a tool's that holds a text; nothing, if none does."""
    lines = (ANSI_ESCAPE.sub("", line).strip() for line in output.splitlines())
    return next((line for line in lines if text in line and not line.startswith(NOX_PREFIX)), "")
