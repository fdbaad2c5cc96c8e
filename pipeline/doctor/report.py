"""Check the programs of this machine for each session and task: `invoke doctor`."""

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

_OK, _DIFFERENT, _TOO_OLD, _MISSING = "ok", "different", "too old", "missing"
_UNUSABLE = {_TOO_OLD, _MISSING}


@dataclass(frozen=True)
class _ProgramStatus:
    """The result of the check of one program.

    Attributes:
        program: The program.
        state: `ok`, `different` from CI, `too old` or `missing`.
        installed: Its version.
        needed: Whether plain `nox` needs it.
    """

    program: Program
    state: str
    installed: str
    needed: bool

    @property
    def is_blocking(self) -> bool:
        """Whether a session or task cannot run without it."""
        return self.state in _UNUSABLE and not self.program.fallback


def check_programs(wanted: Sequence[Program], default: Collection[str]) -> list[_ProgramStatus]:
    """Check programs.

    Args:
        wanted: The programs.
        default: The sessions of plain `nox`.
    """
    return [_check(program, default) for program in wanted]


def doctor(*, as_json: bool = False) -> None:
    """Print the state of each program, and how to install the missing ones.

    Args:
        as_json: Whether to print JSON.

    Raises:
        MissingToolError: A program that plain `nox` needs is missing.
    """
    default = {session.name for session in list_selected_sessions()}
    found = check_programs(list(required_programs(load())), default)
    print("\n".join([_to_json(found)] if as_json else _table(found)))
    if missing := [each for each in found if each.needed and each.is_blocking]:
        raise MissingToolError(
            f"plain `nox` needs {', '.join(each.program.name for each in missing)}",
            hint="; ".join(
                dict.fromkeys(each.program.install[detect_system()] for each in missing)
            ),
        )


def _table(found: Sequence[_ProgramStatus]) -> Iterator[str]:
    """Yield the lines of a table, and the sessions and tasks that cannot run."""
    for each in found:
        program = each.program
        wanted = f"at least {program.minimum}" if program.minimum else program.ci_version
        line = f"{program.name:14} {each.state:9} {each.installed:24} {wanted:14} "
        yield line + ", ".join(program.needed_by)
        if each.state in _UNUSABLE:
            yield f"{'':14} hint: {program.install[detect_system()]}"
            yield from [f"{'':14} without it: {program.fallback}"] if program.fallback else []
    blocked = sorted(
        {name for each in found if each.is_blocking for name in each.program.needed_by}
    )
    yield (
        f"\ncannot run here: {', '.join(blocked)}"
        if blocked
        else "\nevery session and task can run"
    )


def _to_json(found: Sequence[_ProgramStatus]) -> str:
    """Return the states as JSON."""
    rows: list[dict[str, Any]] = [
        {
            "name": each.program.name,
            "state": each.state,
            "installed": each.installed,
            "minimum": each.program.minimum,
            "ci": each.program.ci_version,
            "needed_by": each.program.needed_by,
            "needed": each.needed,
            "fallback": each.program.fallback,
            "install": each.program.install[detect_system()],
        }
        for each in found
    ]
    return json.dumps({"system": detect_system(), "programs": rows}, indent=2)


def _check(program: Program, default: Collection[str]) -> _ProgramStatus:
    needed = bool({*program.needed_by} & {EVERYTHING, *default})
    try:
        installed = program.get_version()
    except MissingToolError:
        return _ProgramStatus(program, _MISSING, "", needed)
    return _ProgramStatus(program, _state(installed, program), installed, needed)


def _state(installed: str, program: Program) -> str:
    if program.minimum and _numbers(installed) < _numbers(program.minimum):
        return _TOO_OLD
    return _DIFFERENT if program.ci_version and installed != program.ci_version else _OK


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version)))
