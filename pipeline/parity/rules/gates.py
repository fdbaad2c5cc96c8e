"""Rules for gates: no job is left out, and a skipped job does not pass."""

import re
from collections.abc import Iterator

from pipeline.github.loader import GATE_JOB, MAIN_WORKFLOW
from pipeline.github.model import WORKFLOWS_DIR, Job, Workflow
from pipeline.github.schema import as_mapping
from pipeline.parity.repository import Repository, is_delivery_workflow
from pipeline.parity.rule import Violation, rule

PLAN = "plan"
GATE_SUCCEEDED = f"needs.{GATE_JOB}.result == 'success'"
_INPUT_JOBS = "inputs.jobs"
PLAN_OUTPUT = f"needs.{PLAN}.outputs.jobs"


@rule(hint=f"end the file in a job `{GATE_JOB}`, as the others do")
def gate_present(tree: Repository) -> Iterator[Violation]:
    """The main workflow exists, and it and every called workflow that checks have a gate."""
    if MAIN_WORKFLOW not in tree.workflows:
        yield Violation(
            f"{WORKFLOWS_DIR}/{MAIN_WORKFLOW}",
            1,
            "there is no such file, so there is no required check",
        )
    for workflow in _gated(tree):
        if GATE_JOB not in workflow.jobs:
            yield Violation(workflow.path, workflow.at("jobs"), f"there is no job `{GATE_JOB}`")


@rule(hint="name every other job of the file in the gate's needs")
def gate_needs_all(tree: Repository) -> Iterator[Violation]:
    """A gate needs every other job of its workflow, except deliveries that wait for it."""
    for workflow, gate in _gates(tree):
        after = {job.id for job in workflow.jobs.values() if calls_delivery(tree, job)}
        for name in sorted({*workflow.jobs} - {GATE_JOB} - {*gate.needs} - after):
            yield Violation(
                gate.path, gate.line_of_key("needs"), f"the gate does not need `{name}`"
            )


@rule(hint="if: always()")
def gate_always_runs(tree: Repository) -> Iterator[Violation]:
    """A gate always runs: a skipped one would pass."""
    for _, gate in _gates(tree):
        if job_condition(gate) != "always()":
            yield Violation(gate.path, gate.line_of_key("if"), "the gate does not always run")


@rule(hint="env: JOBS is the plan, NEEDS is ${{ toJSON(needs) }}")
def gate_receives_results(tree: Repository) -> Iterator[Violation]:
    """A gate gets the plan, and the results of its jobs."""
    for workflow, gate in _gates(tree):
        jobs = PLAN_OUTPUT if workflow.file == MAIN_WORKFLOW else _INPUT_JOBS
        for step in gate.run_steps:
            env = {
                key: strip_expression(value) for key, value in as_mapping(step.get("env")).items()
            }
            if env != {"JOBS": jobs, "NEEDS": "toJSON(needs)"}:
                yield Violation(
                    gate.path,
                    gate.line_of_key("steps"),
                    "the gate does not get the plan and the results",
                )


@rule(hint="give the job another name, or let only the main file call this one")
def gate_is_the_check(tree: Repository) -> Iterator[Violation]:
    """Only the main workflow's gate is a check of its name: a skipped second one would count."""
    for workflow in tree.triggered_workflows:
        for job in workflow.jobs.values() if workflow.file != MAIN_WORKFLOW else ():
            if GATE_JOB in (job.id, job.content.get("name")):
                yield Violation(
                    job.path, job.line, f"the check `{GATE_JOB}` is a second one of that name"
                )


@rule(hint=f"outputs of the call, of the job `{GATE_JOB}` and its step's id: verdict, as elsewhere")
def gate_outputs_verdict(tree: Repository) -> Iterator[Violation]:
    """A called workflow outputs its gate's verdict, as its caller sees nothing else of it."""
    for workflow in tree.gated_workflows:
        gate = workflow.jobs.get(GATE_JOB)
        if gate is not None and not _hands_up(workflow, gate):
            yield Violation(workflow.path, workflow.at("on"), "the gate's verdict is not an output")


@rule(hint="if: contains(fromJSON(inputs.jobs), 'JOB')")
def job_checks_plan(tree: Repository) -> Iterator[Violation]:
    """A job of a called workflow runs if the plan names it, and on no other condition."""
    for job in tree.check_jobs:
        if job_condition(job) != f"contains(fromJSON({_INPUT_JOBS}), '{job.id}')":
            yield Violation(
                job.path, job.line_of_key("if"), f"job `{job.id}` does not check the plan"
            )


@rule(hint="remove the needs; the order is set in ci.yml, between calls")
def job_needs_nothing(tree: Repository) -> Iterator[Violation]:
    """A job of a called workflow has no `needs`: it would be skipped with them."""
    for job in tree.check_jobs:
        if job.needs:
            yield Violation(
                job.path, job.line_of_key("needs"), f"job `{job.id}` needs {', '.join(job.needs)}"
            )


@rule(
    hint=f"needs: [{GATE_JOB}], and if: ${{{{ … && needs.{GATE_JOB}.result == 'success' && … }}}}"
)
def delivery_follows_the_gate(tree: Repository) -> Iterator[Violation]:
    """A delivery needs the gate of the main workflow, and its success."""
    for job in tree.jobs:
        if not calls_delivery(tree, job):
            continue
        if job.needs != [GATE_JOB] or GATE_SUCCEEDED not in split_conjuncts(job_condition(job)):
            yield Violation(
                job.path, job.line_of_key("if"), f"call `{job.id}` may deliver after a failed gate"
            )


def calls_delivery(tree: Repository, job: Job) -> bool:
    """Return whether a job calls a workflow that delivers."""
    called = tree.workflows.get(job.called_workflow or "")
    return called is not None and is_delivery_workflow(called)


def split_conjuncts(text: str) -> list[str]:
    """Return the operands of a condition that is a chain of `&&`; none, if it contains `||`."""
    found, depth, start = [], 0, 0
    for index, character in enumerate(text):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if depth == 0 and text.startswith("||", index):
            return []
        if depth == 0 and text.startswith("&&", index):
            found.append(text[start:index].strip())
            start = index + 2
    return [*found, text[start:].strip()]


def job_condition(job: Job) -> str:
    """Return a job's `if` without the braces, and with single spaces."""
    return strip_expression(job.content.get("if", ""))


def strip_expression(value: object) -> str:
    """Return an expression without its braces, and with single spaces."""
    text = " ".join(str(value).split())
    match = re.fullmatch(r"\$\{\{(.*)\}\}", text)
    return (match[1] if match and "${{" not in match[1] else text).strip()


def _gated(tree: Repository) -> list[Workflow]:
    return [
        workflow for file, workflow in tree.workflows.items() if file == MAIN_WORKFLOW
    ] + tree.gated_workflows


def _gates(tree: Repository) -> list[tuple[Workflow, Job]]:
    return [(each, each.jobs[GATE_JOB]) for each in _gated(tree) if GATE_JOB in each.jobs]


def _hands_up(workflow: Workflow, gate: Job) -> bool:
    call = as_mapping(workflow.triggers.get("workflow_call"))
    verdict = as_mapping(as_mapping(call.get("outputs")).get("verdict")).get("value")
    handed = strip_expression(as_mapping(gate.content.get("outputs")).get("verdict"))
    ids = [f"steps.{step.get('id')}.outputs.verdict" for step in gate.run_steps]
    return strip_expression(verdict) == f"jobs.{GATE_JOB}.outputs.verdict" and [handed] == ids
