"""Rules for calls: every workflow is reachable, and gets the plan."""

import json
from collections.abc import Iterator
from pathlib import PurePosixPath

from pipeline.github.loader import GATE_JOB, MAIN_WORKFLOW, SUFFIXES
from pipeline.github.model import WORKFLOWS_DIR, Job
from pipeline.github.schema import as_mapping
from pipeline.parity.repository import Repository
from pipeline.parity.rule import Violation, rule
from pipeline.parity.rules.gates import (
    PLAN,
    PLAN_OUTPUT,
    calls_delivery,
    job_condition,
    split_conjuncts,
    strip_expression,
)

_FILTERS = ("paths", "paths-ignore")
NOT_FAILED = "!failure() && !cancelled()"
ON_PUSH = "github.event_name == 'push'"


@rule(hint="correct the name, or add the file")
def call_names_a_file(tree: Repository) -> Iterator[Violation]:
    """A call names a workflow of this repository that can be called."""
    for job in tree.jobs:
        if not job.is_call:
            continue
        workflow = tree.workflows.get(job.called_workflow or "")
        if workflow is None or "workflow_call" not in workflow.triggers:
            uses = job.content["uses"]
            yield Violation(
                job.path, job.line_of_key("uses"), f"`{uses}` is not a workflow of this repository"
            )


@rule(hint="call it from ci.yml, give it a trigger, or delete it")
def workflow_is_reachable(tree: Repository) -> Iterator[Violation]:
    """Every workflow has a trigger, or is called by one that has."""
    reached = [*tree.triggered_workflows, *tree.called_workflows]
    for workflow in tree.workflows.values():
        if workflow not in reached:
            yield Violation(workflow.path, workflow.at("on"), "nothing starts or calls this file")


@rule(hint=f"git mv it to {WORKFLOWS_DIR}/NAME.yml, in lower-case letters")
def file_is_where_workflows_are(tree: Repository) -> Iterator[Violation]:
    """A workflow file is in the folder that GitHub reads, with an extension that GitHub reads."""
    for path in map(PurePosixPath, tree.files):
        meant = (
            f"{path}".lower().startswith(f"{WORKFLOWS_DIR}/") and path.suffix.lower() in SUFFIXES
        )
        if meant and not (f"{path.parent}" == WORKFLOWS_DIR and path.suffix in SUFFIXES):
            yield Violation(f"{path}", 1, "GitHub reads no workflow at this path")


@rule(hint=f"with: jobs: ${{{{ {PLAN_OUTPUT} }}}}, or a list of the file's jobs in a fixed run")
def call_passes_plan(tree: Repository) -> Iterator[Violation]:
    """A call passes the plan; a call outside of the plan, a list of existing jobs."""
    for job in tree.jobs:
        called = tree.workflows.get(job.called_workflow or "")
        if called is None:
            continue
        jobs = strip_expression(as_mapping(job.content.get("with")).get("jobs", ""))
        planned = job.workflow == MAIN_WORKFLOW and jobs == PLAN_OUTPUT and PLAN in job.needs
        unplanned = job.workflow != MAIN_WORKFLOW or calls_delivery(tree, job)
        fixed = unplanned and _are_jobs(jobs, {*called.jobs} - {GATE_JOB})
        if not planned and not fixed:
            yield Violation(
                job.path, job.line_of_key("with", "jobs"), f"call `{job.id}` does not pass the plan"
            )


@rule(hint=f"no `if`, or: if: ${{{{ {NOT_FAILED} }}}}, with `&&` and a push to main if need be")
def call_is_not_skipped(tree: Repository) -> Iterator[Violation]:
    """A call is not skipped with its needs, nor on a condition other than a push to main."""
    on_main = f"github.ref == 'refs/heads/{tree.settings.ci.main_branch}'"
    for job in tree.jobs:
        if not job.is_call:
            continue
        found, wanted = (
            {*split_conjuncts(job_condition(job))} - {""},
            {*split_conjuncts(NOT_FAILED)},
        )
        waits = {*job.needs} - {PLAN}
        if waits and not wanted <= found:
            yield Violation(
                job.path, job.line_of_key("if"), f"call `{job.id}` is skipped with its needs"
            )
        allowed = {*wanted, ON_PUSH, on_main} if waits else wanted
        if not found <= allowed and not calls_delivery(tree, job):
            yield Violation(
                job.path, job.line_of_key("if"), f"call `{job.id}` has another condition"
            )


@rule(hint="filter in the plan: a required check behind a path filter stays pending")
def no_path_filter(tree: Repository) -> Iterator[Violation]:
    """No trigger filters by path: the plan selects, so that the required check always reports."""
    for workflow in tree.workflows.values():
        for name, settings in workflow.triggers.items():
            for key in _FILTERS:
                if isinstance(settings, dict) and key in settings:
                    yield Violation(
                        workflow.path, workflow.at("on"), f"{name} is filtered by {key}"
                    )


@rule(hint="start it by pull_request, schedule, push, merge_group, workflow_dispatch or a call")
def trigger_is_safe(tree: Repository) -> Iterator[Violation]:
    """No trigger runs code of a fork with this repository's permissions."""
    for workflow in tree.workflows.values():
        for name in ("pull_request_target", "workflow_run", "issue_comment"):
            if name in workflow.triggers:
                yield Violation(workflow.path, workflow.at("on"), f"the file is started by {name}")


@rule(hint="group it; cancel only older runs of the same pull request")
def concurrency_is_grouped(tree: Repository) -> Iterator[Violation]:
    """A triggered workflow has a concurrency group; a called one uses that of its caller."""
    for workflow in tree.workflows.values():
        group = workflow.content.get("concurrency")
        if workflow in tree.called_workflows:
            if group is not None:
                line = workflow.at("concurrency")
                yield Violation(workflow.path, line, "a called workflow has a concurrency group")
            jobs = workflow.jobs.values() if workflow in tree.triggered_workflows else ()
            for job in jobs:
                if not isinstance(job.content.get("concurrency"), dict):
                    yield Violation(job.path, job.line, f"job `{job.id}` has no concurrency group")
        elif workflow in tree.triggered_workflows and not isinstance(group, dict):
            yield Violation(workflow.path, 1, "the file has no concurrency group")


@rule(hint="cancel-in-progress: false, unless the group is that of a pull request")
def only_pull_requests_are_cancelled(tree: Repository) -> Iterator[Violation]:
    """Only a run of a pull request is cancelled by a newer one; a deploy never is."""
    for workflow in tree.workflows.values():
        group = workflow.content.get("concurrency")
        if isinstance(group, dict) and group.get("cancel-in-progress") and not _by_request(group):
            yield Violation(
                workflow.path, workflow.at("concurrency"), "a run of main can be cancelled"
            )
    for job in tree.jobs:
        group = job.content.get("concurrency")
        if isinstance(group, dict) and group.get("cancel-in-progress") is not False:
            yield Violation(
                job.path, job.line_of_key("concurrency"), f"job `{job.id}` can be cancelled"
            )


def reachable_from_pull_request(tree: Repository, job: Job) -> bool:
    """Return whether a pull request can reach a job: by a trigger, or through a call."""
    if ON_PUSH in split_conjuncts(job_condition(job)):
        return False
    triggers = tree.workflows[job.workflow].triggers
    callers = tree.calls_of(job.workflow)
    return "pull_request" in triggers or any(
        reachable_from_pull_request(tree, call) for call in callers
    )


def _are_jobs(text: str, known: set[str]) -> bool:
    try:
        jobs = json.loads(text)
    except json.JSONDecodeError:
        return False
    return isinstance(jobs, list) and bool(jobs) and {*map(str, jobs)} <= known


def _by_request(group: dict[str, object]) -> bool:
    """Return whether the group is that of a pull request, and otherwise of one run only."""
    wanted = "github.event_name == 'pull_request' && github.ref || github.run_id"
    return wanted in strip_expression(group.get("group", ""))
