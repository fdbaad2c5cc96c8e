"""Each fact stands in one file."""

import re
from collections.abc import Iterator

from pipeline import config
from pipeline.checker import unknown
from pipeline.ci.areas import glob_to_regex
from pipeline.docs.tables import of_workflows
from pipeline.github.loader import GATE
from pipeline.github.schema import mapping
from pipeline.parity.repository import DOCUMENT, Tree
from pipeline.parity.rule import Fault, rule
from pipeline.parity.rules.gates import expression
from pipeline.toml import dotted

VERSIONS = ("python-version", "node-version", "go-version", "java-version", "version")
TOOLS = ("version", "cosign-release")
SETTINGS = "pipeline.toml"
ENV = {"CI": True, "PIPELINE_STRICT": 1}
UNTAGGED = {GATE, "plan"}


@rule(hint="versions stand in .python-version, pipeline.toml and the locks; name a file, not one")
def no_version_in_steps(tree: Tree) -> Iterator[Fault]:
    """No step sets up a version of its own; a tool that no lock holds has that of pipeline.toml."""
    listed = tree.settings.parity.tools
    for step in tree.steps:
        tool = str(step.content.get("uses", "")).partition("@")[0]
        given = mapping(step.content.get("with"))
        if tool in listed and listed[tool] not in [given.get(key) for key in TOOLS]:
            yield Fault(step.path, step.line, f"`{tool}` does not take the version listed for it")
        for key in VERSIONS:
            if key in given and tool not in listed:
                yield Fault(step.path, step.line, f"a step sets {key}")


@rule(hint="make .python-version and pipeline.toml say the same")
def versions_agree(tree: Tree) -> Iterator[Fault]:
    """The Pythons of .python-version are those of pipeline.toml."""
    for python in sorted({*tree.pythons} ^ {*tree.settings.python}):
        yield Fault(SETTINGS, 1, f"Python {python} stands in one file of two")


@rule(hint="env: {CI: true, PIPELINE_STRICT: 1}, in the file: a caller's env does not reach it")
def file_is_strict(tree: Tree) -> Iterator[Fault]:
    """Every file whose jobs have steps says that this is CI, and that it is strict."""
    for workflow in tree.workflows.values():
        works = any(not job.is_call for job in workflow.jobs.values())
        if works and dict(mapping(workflow.content.get("env"))) != ENV:
            yield Fault(workflow.path, workflow.at("env"), "the file's env is not that of CI")


@rule(hint="name: the job's id, or ${{ matrix.… }} that holds the session")
def job_is_called_what_it_is(tree: Tree) -> Iterator[Fault]:
    """A check is named as what to type: the job's id, or the row's session."""
    for job in tree.jobs:
        name, rows = job.content.get("name", job.id), "strategy" in job.content
        if name != job.id and not (rows and expression(name).startswith("matrix.")):
            yield Fault(job.path, job.at("name"), f"job `{job.id}` is shown as `{name}`")


@rule(hint="tags=[…], of the areas in pipeline.toml")
def session_has_its_areas(tree: Tree) -> Iterator[Fault]:
    """Every session that checks something is tagged with areas of pipeline.toml, and no other."""
    areas, others = {*tree.settings.areas}, UNTAGGED | {*tree.settings.parity.local}
    others |= {job.id for job in tree.working if "environment" in job.content}
    for session in tree.sessions:
        tags = {*session.tags}
        wanted = session.name not in others
        if not tags <= areas or wanted != bool(tags):
            yield Fault("noxfile.py", 1, f"the tags of session `{session.session}` are no areas")


@rule(hint="correct it, or give it a reason under [parity.awaited] in pipeline.toml")
def glob_has_files(tree: Tree) -> Iterator[Fault]:
    """Every glob of an area has a file, or is awaiting one for a reason."""
    globs = {glob for globs in tree.settings.areas.values() for glob in globs}
    awaited = tree.settings.parity.awaited
    for glob in sorted({*globs, *awaited}):
        empty = not any(map(re.compile(glob_to_regex(glob)).fullmatch, tree.files))
        if glob in globs and empty != (glob in awaited):
            has = "no file and no reason" if empty else "a file, and is awaiting one"
            yield Fault(SETTINGS, 1, f"the glob `{glob}` has {has}")
        elif glob not in globs:
            yield Fault(SETTINGS, 1, f"no area has the glob `{glob}`, which is awaiting a file")


@rule(hint="correct the name in pipeline.toml, or take it out")
def named_jobs_exist(tree: Tree) -> Iterator[Fault]:
    """Every job that pipeline.toml names exists; under [ci], every job that checks."""
    checks = {job.id for each in tree.gated for job in each.jobs.values()} - {GATE}
    faults = [*tree.settings.ci.unknown_jobs(checks)]
    every, parity = {job.id for job in tree.working}, tree.settings.parity
    for key, jobs in (("secrets", parity.secrets), ("writes", parity.writes)):
        for job in jobs:
            faults += unknown("job", job, every, ("parity", key, job))
    for fault in faults:
        yield Fault(SETTINGS, config.line(fault), f"{dotted(fault.place)}: {fault.says}")


@rule(hint="correct one of the two: a limit is at least the budget")
def limit_covers_budget(tree: Tree) -> Iterator[Fault]:
    """A job's limit is no shorter than its budget in pipeline.toml, and every budget has a job."""
    jobs = {job.id: job for job in tree.working}
    for name, minutes in tree.settings.budgets.items():
        if name not in jobs:
            yield Fault(SETTINGS, 1, f"the budget `{name}` has no job")
            continue
        job = jobs[name]
        limit = job.content.get("timeout-minutes")
        if isinstance(limit, int) and limit < minutes:
            yield Fault(job.path, job.at("timeout-minutes"), f"job `{name}` ends within its budget")


@rule(hint="nox -s docs -- --write")
def document_is_fresh(tree: Tree) -> Iterator[Fault]:
    """The tables of CI_CD.md are those of the workflows."""
    for name, table in of_workflows(tree.workflows, tree.sessions).items():
        if table not in tree.document:
            yield Fault(str(DOCUMENT), 1, f"the table of {name} is stale")
