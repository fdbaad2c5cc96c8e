"""Workflow files as objects: jobs, their steps, and the rows of their matrices."""

import itertools
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pipeline.errors import InputError
from pipeline.github import matrix
from pipeline.github.schema import as_mapping, line_of

WORKFLOWS_DIR = ".github/workflows"
_NOX_COMMAND = re.compile(r'nox -s (?:"\$(?P<variable>\w+)"|(?P<session>[\w.-]+))')
_DELIVERY_COMMAND = re.compile(r'(?P<line>nox -s [\w.-]+) -- --yes(?: --[a-z]+ "\$\w+")+')
"""The command of a delivery, with its options; its confirmation was given on GitHub."""
_MATRIX_VALUE = re.compile(r"\$\{\{ *matrix\.([\w-]+) *\}\}")


@dataclass(frozen=True)
class Job:
    """One job of one workflow file."""

    workflow: str
    id: str
    content: Mapping[str, Any]
    line: int

    @property
    def path(self) -> str:
        """Path of the workflow file from the root of the repository."""
        return f"{WORKFLOWS_DIR}/{self.workflow}"

    @property
    def called_workflow(self) -> str | None:
        """The name of the workflow file that this job calls, if it is in this repository."""
        uses = self.content.get("uses", "")
        return Path(uses).name if uses.startswith(("./", "$/")) else None

    @property
    def is_call(self) -> bool:
        """Whether the job calls a workflow, and so has no steps."""
        return "uses" in self.content

    @property
    def needs(self) -> list[str]:
        """The ids of the jobs that this one waits for."""
        needs = self.content.get("needs", [])
        return [needs] if isinstance(needs, str) else list(needs)

    @property
    def steps(self) -> Sequence[Mapping[str, Any]]:
        """The job's steps; none in a call."""
        steps: Sequence[Mapping[str, Any]] = self.content.get("steps", [])
        return steps

    @property
    def run_steps(self) -> list[Mapping[str, Any]]:
        """The steps that run a shell."""
        return [step for step in self.steps if "run" in step]

    @property
    def run_ends(self) -> int:
        """The index after the last step that runs a shell; later steps only report."""
        runs = [index for index, step in enumerate(self.steps) if "run" in step]
        return runs[-1] + 1 if runs else len(self.steps)

    @cached_property
    def rows(self) -> list[matrix.Row]:
        """The rows of the job's matrix; one empty row if it has none."""
        strategy = as_mapping(self.content.get("strategy"))
        return matrix.expand(strategy["matrix"]) if "matrix" in strategy else [{}]

    def line_of_key(self, *keys: str) -> int:
        """Return the line of a key in this job, or of its nearest parent that exists."""
        value, line = self.content, self.line
        for key in keys:
            line = line_of(value, key, line)
            value = value.get(key, {}) if isinstance(value, dict) else {}
        return line

    def shell_commands(self) -> Iterator[str]:
        """Yield a shell command for each row: the step's variables, then its `run`."""
        for row, step in itertools.product(self.rows, self.run_steps):
            env = {
                key: substitute_matrix(value, row)
                for key, value in as_mapping(step.get("env")).items()
            }
            variables = [f"{key}={shlex.quote(value)}" for key, value in env.items()]
            yield f"export {' '.join(variables)}; {step['run']}" if env else step["run"]


@dataclass(frozen=True)
class Workflow:
    """One workflow file."""

    file: str
    content: Mapping[str, Any]
    text: str

    @property
    def path(self) -> str:
        """Path of the file from the root of the repository."""
        return f"{WORKFLOWS_DIR}/{self.file}"

    @cached_property
    def jobs(self) -> dict[str, Job]:
        """The file's jobs by their ids."""
        jobs = self.content["jobs"]
        return {name: Job(self.file, name, job, line_of(jobs, name)) for name, job in jobs.items()}

    @property
    def triggers(self) -> Mapping[str, Any]:
        """The events of `on` with their filters, in any of its forms."""
        on = self.content.get("on", {})
        if isinstance(on, dict):
            return on
        return dict.fromkeys([on] if isinstance(on, str) else on)

    def at(self, key: str) -> int:
        """Return the line of a key of the file."""
        return line_of(self.content, key)


def substitute_matrix(value: object, row: Mapping[str, object]) -> str:
    """Replace `${{ matrix.key }}` in a text by a row's values."""
    return _MATRIX_VALUE.sub(lambda match: str(row.get(match[1], "")), str(value))


def job_sessions(job: Job) -> list[str] | None:
    """Return the sessions that a job runs, one for each row; None if it is not `nox -s` of one."""
    step = job.run_steps[0] if len(job.run_steps) == 1 else {}
    line = str(step.get("run", "")).strip()
    delivery = _DELIVERY_COMMAND.fullmatch(line) if "environment" in job.content else None
    match = _NOX_COMMAND.fullmatch(delivery["line"] if delivery else line)
    if match is None or _matrix_rows_or_none(job) is None:
        return None
    if match["session"]:
        return [match["session"]] * len(job.rows)
    value = as_mapping(step.get("env")).get(match["variable"])
    return None if value is None else [substitute_matrix(value, row) for row in job.rows]


def _matrix_rows_or_none(job: Job) -> list[matrix.Row] | None:
    """Return the rows of a job's matrix; None if they depend on an expression."""
    try:
        return job.rows
    except InputError:
        return None
