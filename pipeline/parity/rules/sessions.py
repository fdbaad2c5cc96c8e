"""Rules for sessions: one job is one session, and one line."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping

from pipeline.errors import InputError
from pipeline.github.loader import GATE_JOB
from pipeline.github.model import Job, job_sessions
from pipeline.github.schema import as_mapping, line_of
from pipeline.parity.repository import Repository
from pipeline.parity.rule import Violation, rule

_MAX_HELP_LENGTH = 72


@rule(hint="leave one step with one line: run: nox -s JOB")
def job_has_one_run_step(tree: Repository) -> Iterator[Violation]:
    """A job has exactly one `run`, of one line."""
    for job in tree.jobs_with_steps:
        runs = [step["run"].strip() for step in job.run_steps]
        if len(runs) != 1:
            yield Violation(
                job.path, job.line_of_key("steps"), f"job `{job.id}` has {len(runs)} runs, not one"
            )
        elif "\n" in runs[0]:
            yield Violation(
                job.path, job.line_of_key("steps"), f"job `{job.id}` runs more than one line"
            )


@rule(hint='run: nox -s JOB, or run: nox -s "$SESSION" with a row of the matrix in env')
def run_matches_job_id(tree: Repository) -> Iterator[Violation]:
    """A job runs the session of its own name, or rows of it."""
    for job in tree.jobs_with_steps:
        if len(job.run_steps) == 1 and not _runs_its_own(job):
            line = job.run_steps[0]["run"].strip()
            yield Violation(job.path, job.line_of_key("steps"), f"job `{job.id}` runs `{line}`")


@rule(hint="set the shell, container or folder in the session")
def no_shell_overrides(tree: Repository) -> Iterator[Violation]:
    """Only the session decides how and where its command runs."""
    for workflow in tree.workflows.values():
        if "defaults" in workflow.content:
            yield Violation(workflow.path, workflow.at("defaults"), "the file sets defaults")
    for job in tree.jobs:
        for key in ("defaults", "container"):
            if key in job.content:
                yield Violation(job.path, job.line_of_key(key), f"job `{job.id}` sets {key}")
        for key in ("shell", "working-directory"):
            if any(key in step for step in job.steps):
                yield Violation(
                    job.path, job.line_of_key("steps"), f"a step of job `{job.id}` sets {key}"
                )


@rule(hint="set it in the session: a laptop does not read this file")
def no_extra_variables(tree: Repository) -> Iterator[Violation]:
    """A session gets no environment variables but its row; gates have a rule of their own."""
    for job in tree.jobs_with_steps:
        variables = {name for step in job.run_steps for name in as_mapping(step.get("env"))}
        others = variables - {name for step in job.run_steps for name in _named(step["run"])}
        others |= {name for name, value in _env(job).items() if "secrets." not in str(value)}
        if others and job.id != GATE_JOB:
            names = ", ".join(sorted(others))
            yield Violation(
                job.path,
                job.line_of_key("env"),
                f"the session of job `{job.id}` gets the variables {names}",
            )


@rule(hint="move it into a session, or list it as parity.setup_commands in pipeline.toml")
def setup_action_is_restricted(tree: Repository) -> Iterator[Violation]:
    """An action runs only commands that pipeline.toml lists."""
    for action in tree.actions:
        for index, step in enumerate(action.steps):
            if "run" in step and step["run"].strip() not in tree.settings.parity.setup_commands:
                line = line_of(action.steps, index)
                yield Violation(action.path, line, f"the action runs `{step['run'].strip()}`")


@rule(hint="write the rows as literals")
def matrix_is_literal(tree: Repository) -> Iterator[Violation]:
    """The rows of every matrix are literal."""
    for job in tree.jobs:
        try:
            _ = job.rows
        except InputError as error:
            line = job.line_of_key("strategy", "matrix")
            yield Violation(job.path, line, f"the matrix of job `{job.id}`: {error}")


@rule(hint="nox -l lists every session; correct the row, or write the session")
def session_exists(tree: Repository) -> Iterator[Violation]:
    """Every row of every job is a session of noxfile.py."""
    known = {session.session for session in tree.sessions}
    for job in tree.jobs_with_steps:
        for session in job_sessions(job) or []:
            if session not in known:
                line = job.line_of_key("strategy", "matrix")
                yield Violation(
                    job.path, line, f"job `{job.id}` runs no known session: `{session}`"
                )


@rule(hint="remove one of the two")
def session_is_unique(tree: Repository) -> Iterator[Violation]:
    """No session is run by two jobs or two rows, except the gate, once in each workflow."""
    runs = [(session, job) for job in _counted(tree) for session in job_sessions(job) or []]
    counts = Counter(session for session, _ in runs)
    for session, job in runs:
        if counts[session] > 1:
            yield Violation(job.path, job.line, f"`{session}` is run {counts[session]} times")


@rule(hint="add a job or a row for it, or name it in pipeline.toml, [parity.local_sessions]")
def session_is_covered(tree: Repository) -> Iterator[Violation]:
    """Every session is run by a job, row by row, or is listed as local with a reason."""
    run = {session for job in tree.jobs_with_steps for session in job_sessions(job) or []}
    local = tree.settings.parity.local_sessions
    for session in tree.sessions:
        if session.session not in run and session.name not in local:
            yield Violation("noxfile.py", 1, f"no job runs the session `{session.session}`")
    known = {session.name for session in tree.sessions}
    for name in local:
        if name not in known:
            yield Violation("pipeline.toml", 1, f"the local session `{name}` does not exist")
        elif any(session.name == name and session.session in run for session in tree.sessions):
            yield Violation("pipeline.toml", 1, f"the local session `{name}` is run by a job")


@rule(hint=f"write a first line of fewer than {_MAX_HELP_LENGTH} characters")
def help_is_one_line(tree: Repository) -> Iterator[Violation]:
    """Every session and every task has a help text of one short line."""
    for session in tree.sessions:
        if not 0 < len(session.description) < _MAX_HELP_LENGTH:
            yield Violation(
                "noxfile.py", 1, f"the help of session `{session.session}` is not one short line"
            )
    for task in tree.tasks:
        if not 0 < len(task.help) < _MAX_HELP_LENGTH:
            yield Violation("tasks.py", 1, f"the help of task `{task.name}` is not one short line")


def _runs_its_own(job: Job) -> bool:
    """Return whether each row is the job's session: the name, then a Python and parameters."""
    own = re.compile(rf"{re.escape(job.id)}(-\d+\.\d+)?(\(.+\))?")
    ran = job_sessions(job)
    return ran is not None and all(own.fullmatch(session) for session in ran)


def _named(line: str) -> list[str]:
    return re.findall(r"\$(\w+)", line)


def _env(job: Job) -> Mapping[str, object]:
    return as_mapping(job.content.get("env"))


def _counted(tree: Repository) -> list[Job]:
    return [job for job in tree.jobs_with_steps if job.id != GATE_JOB]
