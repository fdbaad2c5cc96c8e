"""Select the faults to inject for each session."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from pipeline import config
from pipeline.errors import InputError
from pipeline.fault_injection.catalog import Fault, Gate
from pipeline.github import loader
from pipeline.github.model import job_sessions

_SessionsByJob = Mapping[str, Sequence[str]]
"""The sessions that each job runs, one for each row of its matrix."""
ENGINE = "docker"


@dataclass(frozen=True)
class GateRun:
    """A session, and the faults to inject for it."""

    job: str
    session: str
    gate: Gate
    faults: Mapping[str, Fault]

    @property
    def exclusive_group(self) -> str:
        """Runs of one group must not run at the same time: they share an engine or environment."""
        return ENGINE if ENGINE in self.gate.needs else self.session

    @property
    def slug(self) -> str:
        """The name of the session as a folder name."""
        return re.sub(r"[^\w.-]+", "-", self.session).strip("-")


def gate_jobs() -> _SessionsByJob:
    """Return every job that runs a session; jobs of the same id in several workflows count once."""
    working = [
        job
        for workflow in loader.load_workflows().values()
        for job in workflow.jobs.values()
        if not job.is_call
    ]
    return {job.id: job_sessions(job) or [] for job in working}


def local_sessions() -> _SessionsByJob:
    """Return every session that no job runs, as a job of its own."""
    return {name: [name] for name in config.load().parity.local_sessions}


def missing_coverage(known: _SessionsByJob, gates: Mapping[str, Gate]) -> list[str]:
    """Return a sentence for each gate without a fault, and for each entry that names no gate."""
    uncovered = [job for job in known if not gates.get(job, Gate()).is_tested]
    found = [f"gate `{job}` has no fault" for job in uncovered]
    found += [f"there is no job `{job}`" for job in gates if job not in known]
    for job, gate in gates.items():
        rows = [gate.row, *(fault.row for fault in gate.faults.values())]
        found += [
            f"`{row}` is not a row of job `{job}`"
            for row in dict.fromkeys(filter(None, rows))
            if row not in known.get(job, [])
        ]
        if not gate.row and len(known.get(job, [])) > 1 and not all(rows[1:]):
            found.append(f"job `{job}` has a matrix: set `row` for the quick set")
    return found


def select(
    known: _SessionsByJob,
    gates: Mapping[str, Gate],
    names: Collection[str],
    *,
    full: bool,
    inject: bool = True,
) -> list[GateRun]:
    """Return the sessions to run, with the faults for each.

    Args:
        known: The sessions of each job.
        gates: The catalogue of faults.
        names: Only these jobs, sessions or faults are run, the slow ones included; all, if empty.
        full: Whether to take every row and every slow fault, instead of the quick set.
        inject: Whether faults are injected; if not, jobs without faults are taken too.

    Raises:
        InputError: There is no gate or fault of such a name.
    """
    _refuse_unknown(known, gates, names)
    rows = [
        GateRun(job, session, gate, _faults(gate, (job, session), names, full=full))
        for job, sessions in known.items()
        for gate in [gates.get(job, Gate())]
        for session in sessions
        if full or session in names or session == (gate.row or sessions[0]) or not gate.row
    ]
    if not inject:
        return [row for row in rows if not names or {row.job, row.session} & {*names}]
    return [row for row in rows if row.faults]


def _faults(
    gate: Gate, own: tuple[str, str], names: Collection[str], *, full: bool
) -> dict[str, Fault]:
    job, session = own
    return {
        name: fault
        for name, fault in gate.faults.items()
        if fault.row in {"", session}
        and ({job, session, name} & {*names} if names else full or not (gate.slow or fault.slow))
    }


def _refuse_unknown(
    known: _SessionsByJob, gates: Mapping[str, Gate], names: Collection[str]
) -> None:
    there = {*known, *(name for gate in gates.values() for name in gate.faults)}
    there |= {session for sessions in known.values() for session in sessions}
    if unknown := [name for name in names if name not in there]:
        raise InputError(
            f"no such gate or fault: {', '.join(unknown)}",
            hint="gates and faults are defined in faults/*.toml",
        )
