"""What this machine has and lacks for each session and task: `invoke doctor`."""

import json
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.config import load
from pipeline.doctor.programs import EVERYTHING, Program, programs
from pipeline.doctor.systems import system
from pipeline.errors import MissingToolError
from pipeline.nox_sessions import list_selected

OK, OTHER, OLD, MISSING = "ok", "another", "too old", "not here"
USELESS = {OLD, MISSING}


@dataclass(frozen=True)
class Found:
    """What came of a look.

    Attributes:
        program: What was looked for.
        state: `ok`, `another` than CI has, `too old` or `not here`.
        here: Its version.
        needed: Whether plain `nox` needs it.
    """

    program: Program
    state: str
    here: str
    needed: bool

    @property
    def lacks(self) -> bool:
        """Whether something cannot run for want of it."""
        return self.state in USELESS and not self.program.without


def examine(wanted: Sequence[Program], default: Collection[str]) -> list[Found]:
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
    default = {session.name for session in list_selected()}
    found = examine(list(programs(load())), default)
    print("\n".join([as_data(found)] if as_json else table(found)))
    if lacking := [each for each in found if each.needed and each.lacks]:
        raise MissingToolError(
            f"plain `nox` needs {', '.join(each.program.name for each in lacking)}",
            hint="; ".join(dict.fromkeys(each.program.install[system()] for each in lacking)),
        )


def table(found: Sequence[Found]) -> Iterator[str]:
    """Yield the lines of a table: what is here, and below it what does not run for want of what."""
    for each in found:
        program = each.program
        wanted = f"at least {program.least}" if program.least else program.same
        line = f"{program.name:14} {each.state:9} {each.here:24} {wanted:14} "
        yield line + ", ".join(program.serves)
        if each.state in USELESS:
            yield f"{'':14} hint: {program.install[system()]}"
            yield from [f"{'':14} without it: {program.without}"] if program.without else []
    lost = sorted({name for each in found if each.lacks for name in each.program.serves})
    yield f"\nnot here: {', '.join(lost)}" if lost else "\nevery session and task runs here"


def as_data(found: Sequence[Found]) -> str:
    """Return what was found as JSON."""
    rows: list[dict[str, Any]] = [
        {
            "name": each.program.name,
            "state": each.state,
            "here": each.here,
            "least": each.program.least,
            "ci": each.program.same,
            "serves": each.program.serves,
            "needed": each.needed,
            "without": each.program.without,
            "install": each.program.install[system()],
        }
        for each in found
    ]
    return json.dumps({"system": system(), "programs": rows}, indent=2)


def _looked_for(program: Program, default: Collection[str]) -> Found:
    needed = bool({*program.serves} & {EVERYTHING, *default})
    try:
        here = program.look()
    except MissingToolError:
        return Found(program, MISSING, "", needed)
    return Found(program, _judged(here, program), here, needed)


def _judged(here: str, program: Program) -> str:
    if program.least and _numbers(here) < _numbers(program.least):
        return OLD
    return OTHER if program.same and here != program.same else OK


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version)))
