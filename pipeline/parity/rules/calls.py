"""Calls: every file is reached, and gets the plan."""

import json
from collections.abc import Iterator
from pathlib import PurePosixPath

from pipeline.github.loader import GATE, MAIN, SUFFIXES
from pipeline.github.model import FOLDER, Job
from pipeline.github.schema import mapping
from pipeline.parity.repository import Tree
from pipeline.parity.rule import Fault, rule
from pipeline.parity.rules.gates import (
    OUTER_JOBS,
    PLAN,
    condition,
    expression,
    is_delivery,
    links,
)

FILTERS = ("paths", "paths-ignore")
GOES_ON = "!failure() && !cancelled()"
ON_PUSH = "github.event_name == 'push'"


@rule(hint="correct the name, or add the file")
def call_names_a_file(tree: Tree) -> Iterator[Fault]:
    """A call names a workflow of this repository that can be called."""
    for job in tree.jobs:
        if not job.is_call:
            continue
        workflow = tree.workflows.get(job.called or "")
        if workflow is None or "workflow_call" not in workflow.triggers:
            uses = job.content["uses"]
            yield Fault(job.path, job.at("uses"), f"`{uses}` is no workflow to call here")


@rule(hint="call it from ci.yml, give it a trigger, or delete it")
def file_is_reached(tree: Tree) -> Iterator[Fault]:
    """Every workflow file is started by something, or called by one that is."""
    reached = [*tree.entries, *tree.called]
    for workflow in tree.workflows.values():
        if workflow not in reached:
            yield Fault(workflow.path, workflow.at("on"), "nothing starts or calls this file")


@rule(hint=f"git mv it to {FOLDER}/NAME.yml, in small letters")
def file_is_where_workflows_are(tree: Tree) -> Iterator[Fault]:
    """A workflow file lies where GitHub reads it, under a name that GitHub and every rule read."""
    for path in map(PurePosixPath, tree.files):
        meant = f"{path}".lower().startswith(f"{FOLDER}/") and path.suffix.lower() in SUFFIXES
        if meant and not (f"{path.parent}" == FOLDER and path.suffix in SUFFIXES):
            yield Fault(f"{path}", 1, "the file lies where no workflow is read")


@rule(hint=f"with: jobs: ${{{{ {OUTER_JOBS} }}}}, or a list of the file's jobs in a fixed run")
def call_hands_over_jobs(tree: Tree) -> Iterator[Fault]:
    """A call hands over the plan; what is no part of it, a list of jobs that exist."""
    for job in tree.jobs:
        called = tree.workflows.get(job.called or "")
        if called is None:
            continue
        jobs = expression(mapping(job.content.get("with")).get("jobs", ""))
        planned = job.workflow == MAIN and jobs == OUTER_JOBS and PLAN in job.needs
        unplanned = job.workflow != MAIN or is_delivery(tree, job)
        fixed = unplanned and _are_jobs(jobs, {*called.jobs} - {GATE})
        if not planned and not fixed:
            yield Fault(job.path, job.at("with", "jobs"), f"call `{job.id}` hands over no plan")


@rule(hint=f"no `if`, or: if: ${{{{ {GOES_ON} }}}}, with `&&` and a push to main if need be")
def call_is_not_skipped(tree: Tree) -> Iterator[Fault]:
    """A call is not skipped with what it waits for, nor on a condition but a push to main."""
    on_main = f"github.ref == 'refs/heads/{tree.settings.ci.main}'"
    for job in tree.jobs:
        if not job.is_call:
            continue
        found, wanted = {*links(condition(job))} - {""}, {*links(GOES_ON)}
        waits = {*job.needs} - {PLAN}
        if waits and not wanted <= found:
            yield Fault(job.path, job.at("if"), f"call `{job.id}` is skipped with what it needs")
        allowed = {*wanted, ON_PUSH, on_main} if waits else wanted
        if not found <= allowed and not is_delivery(tree, job):
            yield Fault(job.path, job.at("if"), f"call `{job.id}` runs on a condition of its own")


@rule(hint="filter in the plan: a required check behind a path filter stays pending for ever")
def no_path_filter(tree: Tree) -> Iterator[Fault]:
    """No workflow is started by path: the plan selects, so that the required check always comes."""
    for workflow in tree.workflows.values():
        for name, settings in workflow.triggers.items():
            for key in FILTERS:
                if isinstance(settings, dict) and key in settings:
                    yield Fault(workflow.path, workflow.at("on"), f"{name} is filtered by {key}")


@rule(hint="start it by pull_request, schedule, push, merge_group, workflow_dispatch or a call")
def trigger_is_safe(tree: Tree) -> Iterator[Fault]:
    """Nothing runs a stranger's code with this repository's rights."""
    for workflow in tree.workflows.values():
        for name in ("pull_request_target", "workflow_run", "issue_comment"):
            if name in workflow.triggers:
                yield Fault(workflow.path, workflow.at("on"), f"the file is started by {name}")


@rule(hint="group it; cancel only older runs of the same pull request")
def concurrency_is_grouped(tree: Tree) -> Iterator[Fault]:
    """What is started is grouped; a called file is not, since its group would be its caller's."""
    for workflow in tree.workflows.values():
        group = workflow.content.get("concurrency")
        if workflow in tree.called:
            if group is not None:
                line = workflow.at("concurrency")
                yield Fault(workflow.path, line, "a called file has a concurrency group of its own")
            jobs = workflow.jobs.values() if workflow in tree.entries else ()
            for job in jobs:
                if not isinstance(job.content.get("concurrency"), dict):
                    yield Fault(job.path, job.line, f"job `{job.id}` has no concurrency group")
        elif workflow in tree.entries and not isinstance(group, dict):
            yield Fault(workflow.path, 1, "the file has no concurrency group")


@rule(hint="cancel-in-progress: false, unless the group is that of a pull request")
def only_checks_are_cancelled(tree: Tree) -> Iterator[Fault]:
    """Only a run of a pull request is cancelled by a newer one; a deploy never is."""
    for workflow in tree.workflows.values():
        group = workflow.content.get("concurrency")
        if isinstance(group, dict) and group.get("cancel-in-progress") and not _by_request(group):
            yield Fault(workflow.path, workflow.at("concurrency"), "a run of main can be cancelled")
    for job in tree.jobs:
        group = job.content.get("concurrency")
        if isinstance(group, dict) and group.get("cancel-in-progress") is not False:
            yield Fault(job.path, job.at("concurrency"), f"job `{job.id}` can be cancelled")


def reached_by_request(tree: Tree, job: Job) -> bool:
    """Say whether a pull request can reach a job: by a trigger, or through a call."""
    if ON_PUSH in links(condition(job)):
        return False
    triggers = tree.workflows[job.workflow].triggers
    callers = tree.calls_of(job.workflow)
    return "pull_request" in triggers or any(reached_by_request(tree, call) for call in callers)


def _are_jobs(text: str, known: set[str]) -> bool:
    try:
        jobs = json.loads(text)
    except json.JSONDecodeError:
        return False
    return isinstance(jobs, list) and bool(jobs) and {*map(str, jobs)} <= known


def _by_request(group: dict[str, object]) -> bool:
    """Whether the group is one of a pull request, and otherwise of one run alone."""
    wanted = "github.event_name == 'pull_request' && github.ref || github.run_id"
    return wanted in expression(group.get("group", ""))
