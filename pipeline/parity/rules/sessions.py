"""One job is one session, and one line."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping

from pipeline.errors import InputError
from pipeline.github.loader import GATE
from pipeline.github.model import Job, sessions_of
from pipeline.github.schema import line_of, mapping
from pipeline.parity.repository import Tree
from pipeline.parity.rule import Fault, rule

HELP_LIMIT = 72


@rule(hint="leave one step with one line: run: nox -s JOB")
def one_run(tree: Tree) -> Iterator[Fault]:
    """A job has exactly one `run`, and that is one line."""
    for job in tree.working:
        runs = [step["run"].strip() for step in job.run_steps]
        if len(runs) != 1:
            yield Fault(job.path, job.at("steps"), f"job `{job.id}` has {len(runs)} runs, not one")
        elif "\n" in runs[0]:
            yield Fault(job.path, job.at("steps"), f"job `{job.id}` runs more than one line")


@rule(hint='run: nox -s JOB, or run: nox -s "$SESSION" with a row of the matrix in env')
def run_names_its_job(tree: Tree) -> Iterator[Fault]:
    """A job runs the session of its own name, or rows of it."""
    for job in tree.working:
        if len(job.run_steps) == 1 and not _runs_its_own(job):
            line = job.run_steps[0]["run"].strip()
            yield Fault(job.path, job.at("steps"), f"job `{job.id}` runs `{line}`")


@rule(hint="shells, containers and working folders are the session's matter: move it there")
def no_other_shell(tree: Tree) -> Iterator[Fault]:
    """Nothing but the session decides how and where its line runs."""
    for workflow in tree.workflows.values():
        if "defaults" in workflow.content:
            yield Fault(workflow.path, workflow.at("defaults"), "the file sets defaults")
    for job in tree.jobs:
        for key in ("defaults", "container"):
            if key in job.content:
                yield Fault(job.path, job.at(key), f"job `{job.id}` sets {key}")
        for key in ("shell", "working-directory"):
            if any(key in step for step in job.steps):
                yield Fault(job.path, job.at("steps"), f"a step of job `{job.id}` sets {key}")


@rule(hint="set it in the session: a laptop does not read this file")
def no_other_variables(tree: Tree) -> Iterator[Fault]:
    """A session is told nothing by variables but its row; gates have a rule of their own."""
    for job in tree.working:
        variables = {name for step in job.run_steps for name in mapping(step.get("env"))}
        others = variables - {name for step in job.run_steps for name in _named(step["run"])}
        others |= {name for name, value in _env(job).items() if "secrets." not in str(value)}
        if others and job.id != GATE:
            told = ", ".join(sorted(others))
            yield Fault(job.path, job.at("env"), f"the session of job `{job.id}` is told {told}")


@rule(hint="move it into a session, or list it as parity.set_up_runs in pipeline.toml")
def action_only_sets_up(tree: Tree) -> Iterator[Fault]:
    """An action runs only what pipeline.toml allows it to."""
    for action in tree.actions:
        for index, step in enumerate(action.steps):
            if "run" in step and step["run"].strip() not in tree.settings.parity.set_up_runs:
                line = line_of(action.steps, index)
                yield Fault(action.path, line, f"the action runs `{step['run'].strip()}`")


@rule(hint="write the rows out: then they can be read here, and typed")
def matrix_is_written_out(tree: Tree) -> Iterator[Fault]:
    """The rows of every matrix stand in the file."""
    for job in tree.jobs:
        try:
            _ = job.rows
        except InputError as error:
            line = job.at("strategy", "matrix")
            yield Fault(job.path, line, f"the matrix of job `{job.id}`: {error}")


@rule(hint="nox -l lists every session; correct the row, or write the session")
def session_exists(tree: Tree) -> Iterator[Fault]:
    """Every row of every job is a session of noxfile.py."""
    known = {session.session for session in tree.sessions}
    for job in tree.working:
        for session in sessions_of(job) or []:
            if session not in known:
                line = job.at("strategy", "matrix")
                yield Fault(job.path, line, f"job `{job.id}` runs no known session: `{session}`")


@rule(hint="take one of the two away")
def session_once(tree: Tree) -> Iterator[Fault]:
    """No session is run by two jobs or two rows; only the gate stands once in each file."""
    runs = [(session, job) for job in _counted(tree) for session in sessions_of(job) or []]
    counts = Counter(session for session, _ in runs)
    for session, job in runs:
        if counts[session] > 1:
            yield Fault(job.path, job.line, f"`{session}` is run {counts[session]} times")


@rule(hint="add a job or a row for it, or give it a reason under [parity.local] in pipeline.toml")
def session_in_ci(tree: Tree) -> Iterator[Fault]:
    """Every session is run by a job, row by row, or is local for a reason that is written down."""
    run = {session for job in tree.working for session in sessions_of(job) or []}
    local = tree.settings.parity.local
    for session in tree.sessions:
        if session.session not in run and session.name not in local:
            yield Fault("noxfile.py", 1, f"no job runs the session `{session.session}`")
    known = {session.name for session in tree.sessions}
    for name in local:
        if name not in known:
            yield Fault("pipeline.toml", 1, f"the local session `{name}` does not exist")
        elif any(session.name == name and session.session in run for session in tree.sessions):
            yield Fault("pipeline.toml", 1, f"the local session `{name}` is run by a job")


@rule(hint=f"write a first line of fewer than {HELP_LIMIT} characters")
def one_line_of_help(tree: Tree) -> Iterator[Fault]:
    """Every session and every task says in one short line what it does."""
    for session in tree.sessions:
        if not 0 < len(session.description) < HELP_LIMIT:
            yield Fault("noxfile.py", 1, f"the help of session `{session.session}` does not fit")
    for task in tree.tasks:
        if not 0 < len(task.help) < HELP_LIMIT:
            yield Fault("tasks.py", 1, f"the help of task `{task.name}` does not fit")


def _runs_its_own(job: Job) -> bool:
    """Whether each row is the job's session: the name, then perhaps a Python and parameters."""
    own = re.compile(rf"{re.escape(job.id)}(-\d+\.\d+)?(\(.+\))?")
    ran = sessions_of(job)
    return ran is not None and all(own.fullmatch(session) for session in ran)


def _named(line: str) -> list[str]:
    return re.findall(r"\$(\w+)", line)


def _env(job: Job) -> Mapping[str, object]:
    return mapping(job.content.get("env"))


def _counted(tree: Tree) -> list[Job]:
    return [job for job in tree.working if job.id != GATE]
