"""The outcome of a session with a fault, and without one."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from pipeline.fault_injection.catalog import Fault
from pipeline.process import CommandResult

_ANSI_ESCAPE = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_NOX_PREFIX = "nox > "  # lines of nox itself name a command, not its result


class Verdict(StrEnum):
    """What a run shows."""

    DETECTED = "detected"
    BASELINE_PASSED = "passes without a fault"
    MISSED = "passes with the fault"
    WRONG_REASON = "fails, but without the expected text"
    ALSO_CLEAN = "the expected text appears without the fault too"
    STALE = "the fault does not apply"
    BASELINE_FAILED = "fails without a fault"
    INCONCLUSIVE = "inconclusive"
    FAILED_WITH_HINT = "fails with a hint"
    FAILED_WITHOUT_HINT = "fails without a hint"
    NO_LEAK = "shows no secret"
    LEAKED = "shows a secret"

    @property
    def is_ok(self) -> bool:
        """Whether it is as expected."""
        return self in {
            Verdict.DETECTED,
            Verdict.BASELINE_PASSED,
            Verdict.FAILED_WITH_HINT,
            Verdict.NO_LEAK,
        }


@dataclass(frozen=True)
class Outcome:
    """One run of one session."""

    job: str
    session: str
    fault: str
    """Empty for the run without a fault."""
    verdict: Verdict
    detail: str = ""
    """The line of the tool that shows it, or the reason."""
    seconds: float = 0
    output: str = ""


def evaluate_fault(
    fault: Fault, clean: str, injected: CommandResult, inconclusive: Collection[str]
) -> Verdict:
    """Return what a run with a fault shows.

    Args:
        fault: The fault that was injected.
        clean: The output of the session without it.
        injected: The result of the session with it.
        inconclusive: The checks that the session could not decide.
    """
    is_detected = injected.returncode and find_line(fault.expect, injected.stdout)
    if is_detected and not find_line(fault.expect, clean):
        return Verdict.DETECTED
    if fault.skip_if_inconclusive in inconclusive:
        return Verdict.INCONCLUSIVE
    if is_detected:
        return Verdict.ALSO_CLEAN
    return Verdict.WRONG_REASON if injected.returncode else Verdict.MISSED


def evaluate_offline(output: CommandResult, inconclusive: Collection[str]) -> tuple[Verdict, str]:
    """Return what the run of a session without a network shows, and the reason.

    Args:
        output: Its result.
        inconclusive: The checks that it could not decide, and why.
    """
    if not output.returncode:
        return (
            (Verdict.INCONCLUSIVE, "; ".join(inconclusive))
            if inconclusive
            else (Verdict.BASELINE_PASSED, "")
        )
    before, hint, _ = output.stdout.partition("hint: ")
    cause = _last_line(before)
    return (
        (Verdict.FAILED_WITH_HINT, cause) if hint and cause else (Verdict.FAILED_WITHOUT_HINT, "")
    )


def evaluate_canaries(output: CommandResult, places: Collection[str]) -> tuple[Verdict, str]:
    """Return what the run of a session with canary secrets shows, and where.

    Args:
        output: Its result; it may fail, as no service accepts such secrets.
        places: Where a secret was found.
    """
    if places:
        return Verdict.LEAKED, "; ".join(places)
    return Verdict.NO_LEAK, f"red: {_last_line(output.stdout)}" if output.returncode else ""


def _last_line(output: str) -> str:
    """Return the last line that is not empty, preferably of a tool, not of nox."""
    lines = [line for line in output.splitlines() if line.strip()]
    of_tools = [line for line in lines if not line.startswith(_NOX_PREFIX)]
    return (of_tools or lines or [""])[-1].removeprefix(_NOX_PREFIX)


def find_line(text: str, output: str) -> str:
    """Return the first line of a tool that contains a text; an empty text, if none does."""
    lines = (_ANSI_ESCAPE.sub("", line).strip() for line in output.splitlines())
    return next((line for line in lines if text in line and not line.startswith(_NOX_PREFIX)), "")
