"""What this machine has and lacks for each session and task: `invoke doctor`."""

import json
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.config import load
from pipeline.doctor.programs import EVERYTHING, Program, required_programs
from pipeline.doctor.systems import detect_system
from pipeline.errors import MissingToolError
from pipeline.nox_sessions import list_selected_sessions

OK, DIFFERENT, TOO_OLD, MISSING = "ok", "another", "too old", "not here"
UNUSABLE = {TOO_OLD, MISSING}


@dataclass(frozen=True)
class ProgramStatus:
    """What came of a look.

    Attributes:
        program: What was looked for.
        state: `ok`, `another` than CI has, `too old` or `not here`.
        here: Its version.
        needed: Whether plain `nox` needs it.
    """

    program: Program
    state: str
    installed: str
    needed: bool

    @property
    def is_blocking(self) -> bool:
        """Whether something cannot run for want of it."""
        return self.state in UNUSABLE and not self.program.fallback


def check_programs(wanted: Sequence[Program], default: Collection[str]) -> list[ProgramStatus]:
    """Look for programs.

    Args:
        wanted: Which.
        default: The sessions of plain `nox`.
    """
    return [_looked_for(program, default) for program in wanted]


def doctor(*, as_json: bool = False) -> None:
    """Print what is here, what is not, and how to get it.

    Args:
        as_json: Whether a program is to read it.

    Raises:
        MissingToolError: Something is not here that plain `nox` needs.
    """
    default = {session.name for session in list_selected_sessions()}
    found = check_programs(list(required_programs(load())), default)
    print("\n".join([to_json(found)] if as_json else table(found)))
    if lacking := [each for each in found if each.needed and each.is_blocking]:
        raise MissingToolError(
            f"plain `nox` needs {', '.join(each.program.name for each in lacking)}",
            hint="; ".join(
                dict.fromkeys(each.program.install[detect_system()] for each in lacking)
            ),
        )


def table(found: Sequence[ProgramStatus]) -> Iterator[str]:
    """Yield the lines of a table: what is here, and below it what does not run for want of what."""
    for each in found:
        program = each.program
        wanted = f"at least {program.minimum}" if program.minimum else program.ci_version
        line = f"{program.name:14} {each.state:9} {each.installed:24} {wanted:14} "
        yield line + ", ".join(program.needed_by)
        if each.state in UNUSABLE:
            yield f"{'':14} hint: {program.install[detect_system()]}"
            yield from [f"{'':14} without it: {program.fallback}"] if program.fallback else []
    lost = sorted({name for each in found if each.is_blocking for name in each.program.needed_by})
    yield f"\nnot here: {', '.join(lost)}" if lost else "\nevery session and task runs here"


def to_json(found: Sequence[ProgramStatus]) -> str:
    """Return what was found as JSON."""
    rows: list[dict[str, Any]] = [
        {
            "name": each.program.name,
            "state": each.state,
            "here": each.installed,
            "least": each.program.minimum,
            "ci": each.program.ci_version,
            "serves": each.program.needed_by,
            "needed": each.needed,
            "without": each.program.fallback,
            "install": each.program.install[detect_system()],
        }
        for each in found
    ]
    return json.dumps({"system": detect_system(), "programs": rows}, indent=2)


def _looked_for(program: Program, default: Collection[str]) -> ProgramStatus:
    needed = bool({*program.needed_by} & {EVERYTHING, *default})
    try:
        here = program.get_version()
    except MissingToolError:
        return ProgramStatus(program, MISSING, "", needed)
    return ProgramStatus(program, _judged(here, program), here, needed)


def _judged(here: str, program: Program) -> str:
    if program.minimum and _numbers(here) < _numbers(program.minimum):
        return TOO_OLD
    return DIFFERENT if program.ci_version and here != program.ci_version else OK


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version)))
