"""Nothing passes a gate by being skipped, and nothing is left out of it."""

import re
from collections.abc import Iterator

from pipeline.github.loader import GATE, MAIN
from pipeline.github.model import FOLDER, Job, Workflow
from pipeline.github.schema import mapping
from pipeline.parity.repository import Tree, delivers
from pipeline.parity.rule import Fault, rule

PLAN = "plan"
GREEN = f"needs.{GATE}.result == 'success'"
INNER_JOBS = "inputs.jobs"
OUTER_JOBS = f"needs.{PLAN}.outputs.jobs"


@rule(hint=f"end the file in a job `{GATE}`, as the others do")
def gate_present(tree: Tree) -> Iterator[Fault]:
    """The main file is there, and it and every called file that checks have a gate."""
    if MAIN not in tree.workflows:
        yield Fault(f"{FOLDER}/{MAIN}", 1, "there is no such file, and so no check to require")
    for workflow in _gated(tree):
        if GATE not in workflow.jobs:
            yield Fault(workflow.path, workflow.at("jobs"), f"there is no job `{GATE}`")


@rule(hint="name every other job of the file in the gate's needs")
def gate_needs_all(tree: Tree) -> Iterator[Fault]:
    """A gate needs every other job of its file, less what waits for the gate to deliver."""
    for workflow, gate in _gates(tree):
        after = {job.id for job in workflow.jobs.values() if is_delivery(tree, job)}
        for name in sorted({*workflow.jobs} - {GATE} - {*gate.needs} - after):
            yield Fault(gate.path, gate.at("needs"), f"the gate does not need `{name}`")


@rule(hint="if: always()")
def gate_always_runs(tree: Tree) -> Iterator[Fault]:
    """A gate runs whatever happened: one that is skipped would pass."""
    for _, gate in _gates(tree):
        if condition(gate) != "always()":
            yield Fault(gate.path, gate.at("if"), "the gate does not run always")


@rule(hint="env: JOBS holds the plan, NEEDS holds ${{ toJSON(needs) }}")
def gate_asks_for_results(tree: Tree) -> Iterator[Fault]:
    """A gate is told what was planned, and what became of it."""
    for workflow, gate in _gates(tree):
        jobs = OUTER_JOBS if workflow.file == MAIN else INNER_JOBS
        for step in gate.run_steps:
            env = {key: expression(value) for key, value in mapping(step.get("env")).items()}
            if env != {"JOBS": jobs, "NEEDS": "toJSON(needs)"}:
                yield Fault(gate.path, gate.at("steps"), "the gate is not told plan and results")


@rule(hint="give the job another name, or let only the main file call this one")
def gate_is_the_check(tree: Tree) -> Iterator[Fault]:
    """Only the main file's gate is a check of its name: a second one, if skipped, would count."""
    for workflow in tree.entries:
        for job in workflow.jobs.values() if workflow.file != MAIN else ():
            if GATE in (job.id, job.content.get("name")):
                yield Fault(job.path, job.line, f"the check `{GATE}` is another one here")


@rule(hint=f"outputs of the call, of the job `{GATE}` and its step's id: verdict, as elsewhere")
def gate_hands_up_its_verdict(tree: Tree) -> Iterator[Fault]:
    """A called file hands its gate's verdict to its caller, which sees nothing else of it."""
    for workflow in tree.gated:
        gate = workflow.jobs.get(GATE)
        if gate is not None and not _hands_up(workflow, gate):
            yield Fault(workflow.path, workflow.at("on"), "the gate's verdict is not handed up")


@rule(hint="if: contains(fromJSON(inputs.jobs), 'JOB')")
def job_asks_for_itself(tree: Tree) -> Iterator[Fault]:
    """A job of a called file runs if the plan names it, and on no other condition."""
    for job in tree.checks:
        if condition(job) != f"contains(fromJSON({INNER_JOBS}), '{job.id}')":
            yield Fault(job.path, job.at("if"), f"job `{job.id}` does not ask for itself")


@rule(hint="take the needs away; order stands in ci.yml, between calls")
def job_needs_nothing(tree: Tree) -> Iterator[Fault]:
    """A job of a called file waits for nothing: it would be skipped with what it waits for."""
    for job in tree.checks:
        if job.needs:
            yield Fault(job.path, job.at("needs"), f"job `{job.id}` needs {', '.join(job.needs)}")


@rule(hint=f"needs: [{GATE}], and if: ${{{{ … && needs.{GATE}.result == 'success' && … }}}}")
def delivery_follows_the_gate(tree: Tree) -> Iterator[Fault]:
    """What goes to an environment waits for the gate of the main file, and for it to be green."""
    for job in tree.jobs:
        if not is_delivery(tree, job):
            continue
        if job.needs != [GATE] or GREEN not in links(condition(job)):
            yield Fault(job.path, job.at("if"), f"call `{job.id}` delivers what may be red")


def is_delivery(tree: Tree, job: Job) -> bool:
    """Say whether a job calls a file that delivers."""
    called = tree.workflows.get(job.called or "")
    return called is not None and delivers(called)


def links(text: str) -> list[str]:
    """Return the links of a condition that is a chain of `&&` at its top; none, if it is not."""
    found, depth, start = [], 0, 0
    for index, character in enumerate(text):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if depth == 0 and text.startswith("||", index):
            return []
        if depth == 0 and text.startswith("&&", index):
            found.append(text[start:index].strip())
            start = index + 2
    return [*found, text[start:].strip()]


def condition(job: Job) -> str:
    """Return a job's `if` without the braces, and with single spaces."""
    return expression(job.content.get("if", ""))


def expression(value: object) -> str:
    """Return an expression without its braces, and with single spaces."""
    text = " ".join(str(value).split())
    match = re.fullmatch(r"\$\{\{(.*)\}\}", text)
    return (match[1] if match and "${{" not in match[1] else text).strip()


def _gated(tree: Tree) -> list[Workflow]:
    return [workflow for file, workflow in tree.workflows.items() if file == MAIN] + tree.gated


def _gates(tree: Tree) -> list[tuple[Workflow, Job]]:
    return [(each, each.jobs[GATE]) for each in _gated(tree) if GATE in each.jobs]


def _hands_up(workflow: Workflow, gate: Job) -> bool:
    call = mapping(workflow.triggers.get("workflow_call"))
    verdict = mapping(mapping(call.get("outputs")).get("verdict")).get("value")
    handed = expression(mapping(gate.content.get("outputs")).get("verdict"))
    ids = [f"steps.{step.get('id')}.outputs.verdict" for step in gate.run_steps]
    return expression(verdict) == f"jobs.{GATE}.outputs.verdict" and [handed] == ids
