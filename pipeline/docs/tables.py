"""Tables of the documents, generated from the code."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from pipeline import config
from pipeline.errors import PipelineError
from pipeline.escaping import markdown_table
from pipeline.files import read_json
from pipeline.github.loader import GATE_JOB, MAIN_WORKFLOW, jobs_by_call
from pipeline.github.model import Job, Workflow, job_sessions
from pipeline.invoke_tasks import Task
from pipeline.nox_sessions import Session

_JOBS_HEADER = ("workflow", "job = session", "what it does", "limit, minutes")
_FAULTS_HEADER = (
    "fault",
    "what was injected",
    "how it ended",
    "code",
    "seconds",
    "requests",
    "failed",
)
_DEPLOY_FAULTS_FILE = Path("docs", "catalogue.json")
TIMINGS_FILE = Path("docs", "times.json")
_PERMISSIONS_HEADER = ("workflow", "job", "may write")


def workflow_tables(files: Mapping[str, Workflow], known: Iterable[Session]) -> dict[str, str]:
    """Return the tables of jobs and of permissions, generated from the workflows.

    Args:
        files: The workflows by their names.
        known: All sessions.
    """
    main = files[MAIN_WORKFLOW].jobs.values() if MAIN_WORKFLOW in files else ()
    reached = {MAIN_WORKFLOW, *(call.called_workflow for call in main)}
    found = [job for file in files if file in reached for job in files[file].jobs.values()]
    jobs = sorted(
        (
            job
            for job in found
            if not job.is_call and (job.workflow == MAIN_WORKFLOW or job.id != GATE_JOB)
        ),
        key=lambda job: (job.workflow != MAIN_WORKFLOW, job.workflow, job.id),
    )
    described = {row.name.split("-3.")[0]: row.description for row in known}
    return {
        "jobs": markdown_table(
            _JOBS_HEADER, [_row(job, described.get(job.id, "")) for job in jobs]
        ),
        "permissions": markdown_table(
            _PERMISSIONS_HEADER, [_rights(job) for job in jobs if _writes(job)]
        ),
    }


def local_sessions_table(known: Iterable[Session]) -> str:
    """Return a table of the sessions that no job runs, and why.

    Args:
        known: All sessions.
    """
    reasons = config.load().parity.local_sessions
    rows = [
        (f"`{each.name}`", each.description, reasons[each.name])
        for each in known
        if each.name in reasons
    ]
    return markdown_table(("session", "what it does", "why no job runs it"), rows)


def local_commands_table(files: Mapping[str, Workflow]) -> str:
    """Return a table of the local command for each workflow that ci.yml calls.

    Args:
        files: The workflows by their names.
    """
    called = [
        call.called_workflow
        for call in files[MAIN_WORKFLOW].jobs.values()
        if call.called_workflow in files
    ]
    rows = [(file, f"`nox -s {' '.join(_sessions(files[file]))}`") for file in called if file]
    return markdown_table(("workflow", "here"), rows)


def timings_table() -> str:
    """Return a table of the time limit and the measured time of each job.

    docs/times.json is a copy of reports/changes.json, which `nox -s benchmark-changes` writes.
    """
    limits = config.load().budgets
    measured: dict[str, float] = read_json(TIMINGS_FILE)["jobs"]
    job_ids = {job.id for jobs in jobs_by_call().values() for job in jobs}
    rows = [
        (f"`{job}`", f"{limits.get(job, '')}", f"{measured.get(job, '')}")
        for job in sorted({*limits, *measured} & job_ids)
    ]
    return markdown_table(("job", "limit, minutes", "measured, seconds"), rows)


def change_timings_table() -> str:
    """Return a table of the time of `invoke ci` after a change of one line, of the same run."""
    measured: dict[str, float] = read_json(TIMINGS_FILE)["changes"]
    shares = {name: seconds / measured["everything"] for name, seconds in measured.items()}
    rows = [(name, f"{seconds}", f"{shares[name]:.0%}") for name, seconds in measured.items()]
    return markdown_table(("what changed", "seconds to green", "share of everything"), rows)


def exit_codes_table() -> str:
    """Return a table of the exit codes: one class of errors for each."""
    classes = [each for each in _below(PipelineError) if "exit_code" in vars(each)]
    found = {each.exit_code: (each.__doc__ or "").splitlines()[0] for each in classes}
    return markdown_table(("code", "meaning"), [(f"{code}", found[code]) for code in sorted(found)])


def tasks_table(known: Iterable[Task]) -> str:
    """Return a table of the invoke tasks.

    Args:
        known: All tasks.
    """
    return markdown_table(
        ("task", "what it does"), [(f"`{each.name}`", each.help) for each in known]
    )


def secrets_table() -> str:
    """Return a table of the secrets.

    The jobs that read them, and the environments that need them.
    """
    settings = config.load()
    readers, environments = settings.job_secrets, settings.environments
    needed = {name: each.secrets for name, each in environments.items()}
    optional = {
        name: {*each.optional_secrets} - {*each.secrets} for name, each in environments.items()
    }
    every = (*readers.values(), *needed.values(), *optional.values())
    rows = [
        (f"`{name}`", *(_having(name, some) for some in (readers, needed, optional)))
        for name in sorted({name for some in every for name in some})
    ]
    return markdown_table(("secret", "jobs that read it", "must be set in", "may be set in"), rows)


def deploy_faults_table() -> str:
    """Return a table of the injected deploy faults, and how each deployment ended.

    docs/catalogue.json is a copy of reports/catalogue.json, which `nox -s deploy-faults` writes.
    """
    kept: dict[str, dict[str, str | float]] = read_json(_DEPLOY_FAULTS_FILE)
    rows = [[f"{value}" for value in row.values()] for row in kept.values()]
    return markdown_table(_FAULTS_HEADER, rows)


def _sessions(workflow: Workflow) -> list[str]:
    names = [name for job in workflow.jobs.values() for name in job_sessions(job) or ()]
    return list(dict.fromkeys(name.split("(")[0] for name in names if name != GATE_JOB))


def _below(base: type[PipelineError]) -> Iterator[type[PipelineError]]:
    for each in base.__subclasses__():
        yield each
        yield from _below(each)


def _having(name: str, given: Mapping[str, Iterable[str]]) -> str:
    return ", ".join(f"`{each}`" for each, names in given.items() if name in names)


def support_table() -> str:
    """Return a table of the tested versions, with the end of their upstream support."""
    settings = config.load()
    tested = {"Python": settings.python, "Django": settings.django, "Node": settings.node}
    rows = [
        (tool, version, f"{each.end_of_life}", ", ".join(getattr(each, "python", ())))
        for tool, versions in tested.items()
        for version, each in versions.items()
    ]
    return markdown_table(("", "version", "supported upstream until", "on Python"), rows)


def _row(job: Job, description: str) -> tuple[str, ...]:
    limit = job.content.get("timeout-minutes", "")
    return job.workflow, f"`{job.id}`", description, f"{limit}"


def _rights(job: Job) -> tuple[str, ...]:
    return job.workflow, f"`{job.id}`", ", ".join(_writes(job))


def _writes(job: Job) -> list[str]:
    granted = job.content.get("permissions")
    granted = granted if isinstance(granted, dict) else {}
    return [scope for scope, level in granted.items() if level == "write"]
