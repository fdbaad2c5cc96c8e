"""Rules that keep each fact in one file."""

import re
from collections.abc import Iterator

from pipeline import config
from pipeline.ci.areas import glob_to_regex
from pipeline.docs.tables import workflow_tables
from pipeline.github.loader import GATE_JOB
from pipeline.github.schema import as_mapping
from pipeline.parity.repository import DOCUMENT, Repository
from pipeline.parity.rule import Violation, rule
from pipeline.parity.rules.gates import strip_expression
from pipeline.toml import format_place
from pipeline.toml_checker import unknown_name_faults

_VERSIONS = ("python-version", "node-version", "go-version", "java-version", "version")
_TOOLS = ("version", "cosign-release")
_CONFIG_FILE = "pipeline.toml"
_ENV = {"CI": True, "PIPELINE_STRICT": 1}
_SESSIONS_WITHOUT_AREAS = {GATE_JOB, "plan"}


@rule(hint="versions are in .python-version, pipeline.toml and the locks; name a file")
def no_version_in_steps(tree: Repository) -> Iterator[Violation]:
    """No step sets a version; a tool without a lock has that of pipeline.toml."""
    listed = tree.settings.parity.action_tool_versions
    for step in tree.steps:
        tool = str(step.content.get("uses", "")).partition("@")[0]
        given = as_mapping(step.content.get("with"))
        if tool in listed and listed[tool] not in [given.get(key) for key in _TOOLS]:
            yield Violation(
                step.path, step.line, f"`{tool}` does not use the version of pipeline.toml"
            )
        for key in _VERSIONS:
            if key in given and tool not in listed:
                yield Violation(step.path, step.line, f"a step sets {key}")


@rule(hint="make .python-version and pipeline.toml equal")
def versions_agree(tree: Repository) -> Iterator[Violation]:
    """.python-version and pipeline.toml have the same versions of Python."""
    for python in sorted({*tree.pythons} ^ {*tree.settings.python}):
        yield Violation(_CONFIG_FILE, 1, f"Python {python} is in one of the two files only")


@rule(hint="env: {CI: true, PIPELINE_STRICT: 1}, in the file: a caller's env does not reach it")
def workflow_is_strict(tree: Repository) -> Iterator[Violation]:
    """Every workflow whose jobs have steps sets CI and PIPELINE_STRICT."""
    for workflow in tree.workflows.values():
        works = any(not job.is_call for job in workflow.jobs.values())
        if works and dict(as_mapping(workflow.content.get("env"))) != _ENV:
            yield Violation(
                workflow.path, workflow.at("env"), "the env of the workflow is not that of CI"
            )


@rule(hint="name: the job's id, or ${{ matrix.… }} that holds the session")
def job_name_matches_id(tree: Repository) -> Iterator[Violation]:
    """A check has the name of its session: the job's id, or the row of the matrix."""
    for job in tree.jobs:
        name, rows = job.content.get("name", job.id), "strategy" in job.content
        if name != job.id and not (rows and strip_expression(name).startswith("matrix.")):
            yield Violation(
                job.path, job.line_of_key("name"), f"job `{job.id}` is shown as `{name}`"
            )


@rule(hint="tags=[…], of the areas in pipeline.toml")
def session_has_areas(tree: Repository) -> Iterator[Violation]:
    """Every session that checks is tagged with areas of pipeline.toml; no other session is."""
    areas, others = (
        {*tree.settings.areas},
        _SESSIONS_WITHOUT_AREAS | {*tree.settings.parity.local_sessions},
    )
    others |= {job.id for job in tree.jobs_with_steps if "environment" in job.content}
    for session in tree.sessions:
        tags = {*session.tags}
        wanted = session.name not in others
        if not tags <= areas or wanted != bool(tags):
            yield Violation(
                "noxfile.py", 1, f"the tags of session `{session.session}` are not its areas"
            )


@rule(hint="correct it, or give it a reason under [parity.awaited] in pipeline.toml")
def glob_has_files(tree: Repository) -> Iterator[Violation]:
    """Every glob of an area matches a file, or is listed as awaited with a reason."""
    globs = {glob for globs in tree.settings.areas.values() for glob in globs}
    awaited = tree.settings.parity.awaited
    for glob in sorted({*globs, *awaited}):
        empty = not any(map(re.compile(glob_to_regex(glob)).fullmatch, tree.files))
        if glob in globs and empty != (glob in awaited):
            has = "no file, and is not awaited" if empty else "a file, and is awaiting one"
            yield Violation(_CONFIG_FILE, 1, f"the glob `{glob}` has {has}")
        elif glob not in globs:
            yield Violation(
                _CONFIG_FILE, 1, f"no area has the glob `{glob}`, which is awaiting a file"
            )


@rule(hint="correct the name in pipeline.toml, or remove it")
def named_jobs_exist(tree: Repository) -> Iterator[Violation]:
    """Every job that pipeline.toml names exists; under [ci], every job that checks."""
    checks = {job.id for each in tree.gated_workflows for job in each.jobs.values()} - {GATE_JOB}
    faults = [*tree.settings.ci.unknown_jobs(checks)]
    every, parity = {job.id for job in tree.jobs_with_steps}, tree.settings.parity
    for key, jobs in (("secrets", parity.secrets), ("write_permissions", parity.write_permissions)):
        for job in jobs:
            faults += unknown_name_faults("job", job, every, ("parity", key, job))
    for fault in faults:
        yield Violation(
            _CONFIG_FILE, config.line(fault), f"{format_place(fault.place)}: {fault.message}"
        )


@rule(hint="correct one of the two: a limit is at least the budget")
def timeout_covers_budget(tree: Repository) -> Iterator[Violation]:
    """A job's limit is no shorter than its budget in pipeline.toml, and every budget has a job."""
    jobs = {job.id: job for job in tree.jobs_with_steps}
    for name, minutes in tree.settings.budgets.items():
        if name not in jobs:
            yield Violation(_CONFIG_FILE, 1, f"the budget `{name}` has no job")
            continue
        job = jobs[name]
        limit = job.content.get("timeout-minutes")
        if isinstance(limit, int) and limit < minutes:
            yield Violation(
                job.path,
                job.line_of_key("timeout-minutes"),
                f"job `{name}` has a limit below its budget",
            )


@rule(hint="nox -s docs -- --write")
def docs_are_current(tree: Repository) -> Iterator[Violation]:
    """The tables of CI_CD.md match the workflows."""
    for name, table in workflow_tables(tree.workflows, tree.sessions).items():
        if table not in tree.document:
            yield Violation(str(DOCUMENT), 1, f"the table of {name} is outdated")
