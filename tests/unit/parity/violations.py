"""For each rule, its fault on every job, session and file that the rule governs."""

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from pipeline import config
from pipeline.github.loader import GATE_JOB, MAIN_WORKFLOW
from pipeline.github.model import Job, job_sessions
from pipeline.invoke_tasks import Task
from pipeline.nox_sessions import Session
from pipeline.parity.repository import Repository
from pipeline.parity.rules import RULES
from pipeline.parity.rules.calls import NOT_FAILED, ON_PUSH, reachable_from_pull_request
from pipeline.parity.rules.deploy_environments import remote_environments
from pipeline.parity.rules.gates import GATE_SUCCEEDED, calls_delivery
from pipeline.settings import Actions
from tests.unit.parity.edits import (
    Change,
    Edit,
    add,
    in_action,
    in_file,
    in_job,
    remove_value,
    set_value,
    steps,
    strip_comments,
    this_repository,
    with_sessions,
    with_settings,
    with_text,
    without,
)

TREE = this_repository()
WORKING, CHECKS, CALLS = (
    TREE.jobs_with_steps,
    TREE.check_jobs,
    [job for job in TREE.jobs if job.is_call],
)
GATES = [job for job in WORKING if job.id == GATE_JOB]
CALLED = TREE.called_workflows
DELIVERIES = [call for call in CALLS if calls_delivery(TREE, call)]
SKIPPED = "step-is-not-skipped"
UPLOAD = "actions/upload-artifact"
MISSING_PATH = "./.github/workflows/missing.yml"
OTHER_COMMIT = "0123456789abcdef0123456789abcdef01234567"


def for_each_job(rule: str, jobs: list[Job], /, **changes: Change) -> Iterator[Edit]:
    """The same changes to each of some jobs."""
    for job in jobs:
        for what, change in changes.items():
            yield Edit(rule, f"{what}: {job.workflow} {job.id}", partial(in_job, job, change))


def for_each_workflow(rule: str, files: list[str], /, **changes: Change) -> Iterator[Edit]:
    """The same changes to each of some files."""
    for file in files:
        for what, change in changes.items():
            yield Edit(rule, f"{what}: {file}", partial(in_file, file, change))


def for_each_step(rule: str, word: str, /, **changes: Change) -> Iterator[Edit]:
    """The same changes to each step whose `uses` begins with a word."""
    for label, edit in steps(word):
        for what, change in changes.items():
            yield Edit(rule, f"{what}: {label}", partial(edit, change))


def run_line(line: str) -> Change:
    def change(job: dict[str, list[dict[str, str]]]) -> None:
        next(step for step in job["steps"] if "run" in step)["run"] = line

    return change


def another_step(**content: str) -> Change:
    return add("steps", value=content)


def in_run_step(key: str, value: object) -> Change:
    return lambda job: next(step for step in job["steps"] if "run" in step).update({key: value})


def no_run(job: dict[str, list[dict[str, str]]]) -> None:
    job["steps"] = [step for step in job["steps"] if "run" not in step]


def jobs_and_lines() -> Iterator[Edit]:
    yield from for_each_job(
        "job-has-one-run-step",
        WORKING,
        second=another_step(run="nox -s lint"),
        curl=another_step(run="curl example.com"),
        two_lines=run_line("nox -s lint\nnox -s docs\n"),
        none=no_run,
    )
    yield from for_each_job(
        "run-matches-job-id",
        WORKING,
        other=run_line("nox -s somebody-else"),
        raw=run_line("pytest"),
        more=run_line("nox -s lint && echo done"),
        options=run_line("nox -s lint -- --fix"),
        received=run_line('nox -s lint -- --yes --env "$ENVIRONMENT"; true'),
        tag=run_line("nox -t backend"),
    )
    yield from for_each_job(
        "no-shell-overrides",
        WORKING,
        defaults=set_value("defaults", value={"run": {"shell": "bash"}}),
        container=set_value("container", value="debian"),
        other_shell=in_run_step("shell", "python"),
        folder=in_run_step("working-directory", "backend"),
    )
    others = [job for job in WORKING if job.id != GATE_JOB]
    yield from for_each_job(
        "no-extra-variables",
        others,
        step=lambda job: next(each for each in job["steps"] if "run" in each).update(
            {"env": {"DATABASE_URL": "sqlite://"}}
        ),
        job=set_value("env", "DATABASE_URL", value="sqlite://"),
    )
    default = set_value("defaults", value={"run": {"shell": "bash"}})
    yield from for_each_workflow("no-shell-overrides", [*TREE.workflows], defaults=default)
    for action in TREE.actions:
        change = add("runs", "steps", value={"run": "make everything", "shell": "bash"})
        yield Edit("setup-action-is-restricted", action.path, partial(in_action, action, change))


def rows() -> Iterator[Edit]:
    matrices = [job for job in WORKING if "strategy" in job.content]
    for job in matrices:
        for index, row in enumerate(job.rows):
            place, where, same = row_of(job, index)
            for rule, what, value in (
                ("session-exists", "unknown row", f"{job.id}-3.99"),
                ("run-matches-job-id", "row of another", "lint"),
            ):
                change = set_value(*where, value=value)
                yield Edit(rule, f"{what}: {row['session']}", partial(in_job, job, change))
            again = add(*place, value=same)
            yield Edit("session-is-unique", f"twice: {row['session']}", partial(in_job, job, again))
            away = remove_value(*place, index)
            yield Edit(
                "session-is-covered", f"row gone: {row['session']}", partial(in_job, job, away)
            )
            if "runner" in row:
                latest = partial(
                    in_job, job, set_value(*place, index, "runner", value="ubuntu-latest")
                )
                yield Edit("runner-is-pinned", f"latest: {row['session']}", latest)
    expression = set_value("strategy", "matrix", value="${{ fromJSON(needs.plan.outputs.rows) }}")
    vector = set_value("strategy", "matrix", "session", value="${{ fromJSON(inputs.rows) }}")
    yield from for_each_job("matrix-is-literal", matrices, whole=expression, vector=vector)


def row_of(job: Job, index: int) -> tuple[tuple[str, ...], tuple[str | int, ...], object]:
    """The key of the rows of a matrix, the key of the session in a row, and the row."""
    matrix = job.content["strategy"]["matrix"]
    if "include" in matrix:
        place = ("strategy", "matrix", "include")
        return place, (*place, index, "session"), dict(matrix["include"][index])
    place = ("strategy", "matrix", "session")
    return place, (*place, index), matrix["session"][index]


def sessions() -> Iterator[Edit]:
    in_ci = {session for job in WORKING for session in job_sessions(job) or []}
    for job in CHECKS:
        away = partial(in_file, job.workflow, _without_job(job))
        yield Edit("session-is-covered", f"job gone: {job.id}", away)
        copied = partial(_copy_job, job, "migration-check.yml", "pre-commit.yml")
        yield Edit("session-is-unique", f"job twice: {job.id}", copied)
    for session in TREE.sessions:
        name = session.session
        if name in in_ci:
            yield Edit("session-exists", f"gone: {name}", partial(with_sessions, drop=name))
        for what, help_ in (("none", ""), ("long", "x" * 72)):
            changed = replace(session, description=help_)
            label = f"{what}: session {name}"
            yield Edit("help-is-one-line", label, partial(with_sessions, changed))
        for tags in ((*session.tags, "cellar"), () if session.tags else ("backend",)):
            changed = replace(session, tags=tags)
            label = f"{tags}: {name}"
            yield Edit("session-has-areas", label, partial(with_sessions, changed))
    new = Session("new", "new", "Do something new.", ("backend",))
    yield Edit("session-is-covered", "new session", partial(with_sessions, new))
    for name in ("missing", "lint"):
        change = partial(with_settings, f"parity/local_sessions/{name}", "a reason")
        yield Edit("session-is-covered", f"local: {name}", change)
    for task in TREE.tasks:
        for what, help_ in (("none", ""), ("long", "x" * 72)):
            tasks = [Task(task.name, help_), *(each for each in TREE.tasks if each != task)]
            label = f"{what}: task {task.name}"
            yield Edit("help-is-one-line", label, partial(replace, TREE, tasks=tasks))


def gates() -> Iterator[Edit]:
    files = [gate.workflow for gate in GATES]
    yield from for_each_workflow("gate-present", files, gone=remove_value("jobs", GATE_JOB))
    yield Edit("gate-present", f"no {MAIN_WORKFLOW}", partial(without, MAIN_WORKFLOW))
    for gate in GATES:
        for need in gate.needs:
            left = [name for name in gate.needs if name != need]
            change = set_value("needs", value=left)
            label = f"{gate.workflow} without {need}"
            yield Edit("gate-needs-all", label, partial(in_job, gate, change))
    yield from for_each_job(
        "gate-always-runs",
        GATES,
        gone=remove_value("if"),
        unless=set_value("if", value="${{ !cancelled() }}"),
        more=set_value("if", value="always() && github.event_name == 'push'"),
    )
    yield from for_each_job(
        "gate-receives-results",
        GATES,
        nothing=in_run_step("env", "{}"),
        all_fine=lambda job: in_env(job, "NEEDS", "{}"),
        no_plan=lambda job: in_env(job, "JOBS", "[]"),
        more=lambda job: in_env(job, "EXTRA", "1"),
    )
    inner = [gate for gate in GATES if gate.workflow != MAIN_WORKFLOW]
    started = set_value("on", "pull_request", value=None)
    yield from for_each_workflow(
        "gate-is-the-check", [gate.workflow for gate in inner], started=started
    )
    for label, job in (("id", f"{GATE_JOB}: {{"), ("name", f"x: {{name: {GATE_JOB}, ")):
        text = f"on: pull_request\njobs: {{{job} if: false, runs-on: x, steps: []}}}}\n"
        yield Edit("gate-is-the-check", label, partial(with_text, "extra.yml", text))
    yield from for_each_job(
        "gate-outputs-verdict",
        inner,
        no_output=remove_value("outputs"),
        fixed=set_value("outputs", "verdict", value="ok"),
        no_id=lambda job: job["steps"][-1].pop("id"),
    )
    up = ("on", "workflow_call", "outputs", "verdict", "value")
    yield from for_each_workflow(
        "gate-outputs-verdict",
        [gate.workflow for gate in inner],
        gone=remove_value("on", "workflow_call", "outputs"),
        fixed=set_value(*up, value="ok"),
        other=set_value(*up, value="${{ jobs.lint.outputs.verdict }}"),
    )


def in_env(job: dict[str, list[dict[str, dict[str, str]]]], key: str, value: str) -> None:
    next(step for step in job["steps"] if "run" in step)["env"][key] = value


def called_jobs() -> Iterator[Edit]:
    yield from for_each_job(
        "job-checks-plan",
        CHECKS,
        gone=remove_value("if"),
        other=set_value("if", value="contains(fromJSON(inputs.jobs), 'somebody')"),
        always=set_value("if", value="always()"),
        never=set_value("if", value=False),
    )
    for job in CHECKS:
        other = next(name for name in TREE.workflows[job.workflow].jobs if name != job.id)
        change = set_value("needs", value=other)
        yield Edit("job-needs-nothing", f"{job.id}", partial(in_job, job, change))


def calls() -> Iterator[Edit]:
    yield from for_each_job(
        "call-names-a-file",
        CALLS,
        missing_path=set_value("uses", value=MISSING_PATH),
        main=set_value("uses", value=f"./.github/workflows/{MAIN_WORKFLOW}"),
        elsewhere=set_value("uses", value=f"owner/name/.github/workflows/x.yml@{OTHER_COMMIT}"),
    )
    text = "on: workflow_call\npermissions: {}\njobs: {a: {name: a, runs-on: x, steps: []}}\n"
    yield Edit("workflow-is-reachable", "orphan", partial(with_text, "orphan.yml", text))
    started = set_value("on", value={"workflow_call": None})
    for file in [workflow.file for workflow in TREE.triggered_workflows if workflow not in CALLED]:
        yield Edit("workflow-is-reachable", f"no trigger: {file}", partial(in_file, file, started))
    for called in [each for each in CALLED if each not in TREE.triggered_workflows]:
        if [call.workflow for call in TREE.calls_of(called.file)] == [MAIN_WORKFLOW]:
            call = TREE.calls_of(called.file)[0]
            change = set_value("uses", value=MISSING_PATH)
            yield Edit(
                "workflow-is-reachable", f"no call: {called.file}", partial(in_job, call, change)
            )
    yield from for_each_job(
        "call-passes-plan",
        CALLS,
        gone=remove_value("with"),
        unknown=set_value("with", "jobs", value='["unknown"]'),
        empty=set_value("with", "jobs", value="[]"),
        words=set_value("with", "jobs", value="lint"),
        other=set_value("with", "jobs", value="${{ needs.other.outputs.jobs }}"),
    )
    planned = [call for call in CALLS if call.workflow == MAIN_WORKFLOW and call not in DELIVERIES]
    yield from for_each_job("call-passes-plan", planned, unplanned=remove_value("needs"))
    waiting = [call for call in planned if {*call.needs} != {"plan"}]
    on_main = set_value("if", value="${{ github.ref == 'refs/heads/main' }}")
    yield from for_each_job(
        "delivery-follows-the-gate",
        DELIVERIES,
        at_once=remove_value("needs"),
        early=set_value("needs", value=["plan"]),
        push_only=set_value("if", value=f"${{{{ {NOT_FAILED} && {ON_PUSH} }}}}"),
        either=set_value("if", value=f"${{{{ {GATE_SUCCEEDED} || {NOT_FAILED} && {ON_PUSH} }}}}"),
    )
    yield from for_each_job(
        "call-is-not-skipped",
        waiting + DELIVERIES,
        plain=remove_value("if"),
        main=on_main,
        either=set_value("if", value=f"${{{{ {NOT_FAILED} || {ON_PUSH} }}}}"),
    )
    checking = [call for call in CALLS if call not in DELIVERIES]
    yield from for_each_job(
        "call-is-not-skipped",
        checking,
        never=set_value("if", value=False),
        more=set_value("if", value=f"${{{{ {NOT_FAILED} && github.actor != 'dependabot[bot]' }}}}"),
    )


def misplaced() -> Iterator[Edit]:
    for path in (
        ".github/workflows/x.YML",
        ".github/workflows/x.Yaml",
        ".github/workflows/more/x.yml",
        ".github/Workflows/x.yml",
        ".GitHub/workflows/x.yml",
    ):
        more = partial(replace, TREE, files=[*TREE.files, path])
        yield Edit("file-is-where-workflows-are", path, more)


def starting() -> Iterator[Edit]:
    for workflow in TREE.workflows.values():
        for trigger in workflow.triggers:
            for key in ("paths", "paths-ignore"):
                change = set_value("on", trigger, value={key: ["backend/**"]})
                label = f"{workflow.file} {trigger} {key}"
                yield Edit("no-path-filter", label, partial(in_file, workflow.file, change))
        for trigger in ("pull_request_target", "workflow_run", "issue_comment"):
            change = set_value("on", trigger, value={})
            label = f"{workflow.file} {trigger}"
            yield Edit("trigger-is-safe", label, partial(in_file, workflow.file, change))
    entries = [workflow.file for workflow in TREE.triggered_workflows if workflow not in CALLED]
    both = [
        job for file in CALLED if file in TREE.triggered_workflows for job in file.jobs.values()
    ]
    yield from for_each_job("concurrency-is-grouped", both, gone=remove_value("concurrency"))
    group = set_value("concurrency", value={"group": "all", "cancel-in-progress": False})
    yield from for_each_workflow(
        "concurrency-is-grouped", entries, gone=remove_value("concurrency")
    )
    yield from for_each_workflow(
        "concurrency-is-grouped", [each.file for each in CALLED], own=group
    )
    cancelled = set_value("concurrency", value={"group": "main", "cancel-in-progress": True})
    yield from for_each_workflow("only-pull-requests-are-cancelled", entries, main=cancelled)
    yield from for_each_job("only-pull-requests-are-cancelled", TREE.jobs, job=cancelled)


def hardening() -> Iterator[Edit]:
    yield from for_each_job(
        "timeout-is-set",
        WORKING,
        gone=remove_value("timeout-minutes"),
        long=set_value("timeout-minutes", value=61),
        none=set_value("timeout-minutes", value=0),
        word=set_value("timeout-minutes", value="${{ inputs.minutes }}"),
    )
    yield from for_each_job(
        "runner-is-pinned",
        WORKING,
        latest=set_value("runs-on", value="ubuntu-latest"),
        own=set_value("runs-on", value=["self-hosted"]),
        gone=remove_value("runs-on"),
    )
    going_on = set_value("continue-on-error", value=True)
    yield from for_each_job("no-continue-on-error", TREE.jobs, job=going_on)
    yield from for_each_step("no-continue-on-error", "", step=going_on)
    services = set_value("services", value={"postgres": {"image": "postgres"}})
    yield from for_each_job("no-services", WORKING, postgres=services)
    expression = run_line('nox -s "${{ github.head_ref }}"')
    yield from for_each_job("no-expression-in-run", WORKING, branch=expression)
    yield from for_each_job(
        "setup-comes-first",
        WORKING,
        no_checkout=lambda job: job["steps"].pop(0),
        no_set_up=lambda job: job["steps"].pop(1),
        late=lambda job: job["steps"].append(job["steps"].pop(1)),
    )


def conditions() -> Iterator[Edit]:
    conditions = {
        "never": False,
        "actor": "github.actor != 'dependabot[bot]'",
        "files": "${{ hashFiles('backend/**/*.go') != '' }}",
        "event": "github.event_name == 'schedule'",
        "always": "always()",
    }
    for what, value in conditions.items():
        yield from for_each_job(SKIPPED, WORKING, **{what: in_run_step("if", value)})
    for action in _before():
        yield from for_each_step(SKIPPED, action, never=set_value("if", value=False))
    report = {"uses": f"{UPLOAD}@{OTHER_COMMIT}", "if": "always()"}
    other = {"uses": f"owner/linter@{OTHER_COMMIT}", "if": "always()"}
    set_up = {"uses": "./.github/actions/setup", "if": "always()"}
    yield from for_each_job(
        SKIPPED,
        WORKING,
        early_report=lambda job: job["steps"].insert(0, report),
        other_action=add("steps", value=other),
        set_up_again=add("steps", value=set_up),
    )
    for each in TREE.actions:
        change = set_value("runs", "steps", 0, "if", value="always()")
        yield Edit(SKIPPED, each.path, partial(in_action, each, change))


def listed_actions() -> Iterator[Edit]:
    def early(uses: str) -> Change:
        return lambda job: job["steps"].insert(2, {"uses": uses})

    yield from for_each_job(
        "action-is-listed",
        WORKING,
        other_before=early(f"owner/linter@{OTHER_COMMIT}"),
        other_after=add("steps", value={"uses": f"owner/linter@{OTHER_COMMIT}"}),
        report_before=early(f"{UPLOAD}@{OTHER_COMMIT}"),
        checkout_after=add("steps", value={"uses": f"actions/checkout@{OTHER_COMMIT}"}),
        set_up_after=add("steps", value={"uses": "./.github/actions/setup"}),
        image=early("docker://alpine"),
    )
    for action in TREE.actions:
        change = add("runs", "steps", value={"uses": f"owner/linter@{OTHER_COMMIT}"})
        yield Edit("action-is-listed", action.path, partial(in_action, action, change))
    for place in Actions.KEYS:
        none = partial(with_settings, f"parity/actions/{place}", ())
        yield Edit("action-is-listed", f"none to {place}", none)


def variables() -> Iterator[Edit]:
    change = set_value("env", "PIP_INDEX_URL", value="https://index.example.com/simple")
    for action in _before():
        yield from for_each_step("set-up-has-no-variables", action, index=change)
    for each in TREE.actions:
        for index in range(len(each.steps)):
            step = set_value("runs", "steps", index, "env", "PIP_INDEX_URL", value="x")
            label = f"{each.path} {index}"
            yield Edit("set-up-has-no-variables", label, partial(in_action, each, step))


def local_actions() -> Iterator[Edit]:
    yield from for_each_step(
        "local-action-is-read",
        "./",
        elsewhere=set_value("uses", value="./tools/act"),
        nested=set_value("uses", value="./.github/actions/setup/more"),
        other_form=set_value("uses", value="$/tools/act"),
        root=set_value("uses", value="./"),
        outside=set_value("uses", value="./../act"),
    )
    for action in TREE.actions:
        change = add("runs", "steps", value={"uses": "./tools/act"})
        yield Edit("local-action-is-read", action.path, partial(in_action, action, change))
        gone = partial(replace, TREE, actions=[])
        yield Edit("local-action-is-read", f"gone: {action.path}", gone)


def artifacts() -> Iterator[Edit]:
    for label, edit in steps(f"{UPLOAD}@"):
        taken = "rehearsal" if "frontend-security" in label else "npm-audit"
        change = set_value("with", "name", value=taken)
        yield Edit("artifact-has-its-own-name", label, partial(edit, change))
    rows = [job for job in WORKING if "strategy" in job.content and UPLOAD in str(job.content)]
    for job in rows:
        upload = next(i for i, step in enumerate(job.steps) if UPLOAD in str(step.get("uses")))
        change = set_value("steps", upload, "with", "name", value="one-for-all")
        yield Edit("artifact-has-its-own-name", f"rows of {job.id}", partial(in_job, job, change))


def actions() -> Iterator[Edit]:
    pinned = [use for use in dict.fromkeys(_uses()) if "@" in use]
    for use in pinned:
        name = use.partition("@")[0]
        yield from for_each_step(
            "action-is-pinned",
            use,
            tag=set_value("uses", value=f"{name}@v4"),
            branch=set_value("uses", value=f"{name}@main"),
            short=set_value("uses", value=use[:-1]),
            nothing=set_value("uses", value=name),
        )
        if _uses().count(use) > 1:
            other = set_value("uses", value=f"{name}@{OTHER_COMMIT}")
            yield from for_each_step("action-has-one-pin", use, other=other)
            for file in _files_of(use):
                text = TREE.workflows[file].text
                wrong = re.sub(rf"({use} # v)[\d.]+", r"\g<1>0.0.1", text, count=1)
                edit = partial(with_text, file, wrong)
                yield Edit("pin-has-one-version", f"{name}: {file}", edit)
    for workflow in TREE.workflows.values():
        if "@" in workflow.text:
            text = strip_comments(workflow.text)
            changed = partial(with_text, workflow.file, text)
            yield Edit("action-is-pinned", f"no version: {workflow.file}", changed)
    yield from for_each_step(
        "checkout-drops-credentials",
        "actions/checkout@",
        gone=remove_value("with"),
        kept=set_value("with", "persist-credentials", value=True),
        word=set_value("with", "persist-credentials", value="false"),
    )
    yield from for_each_step(
        "artifact-has-its-days",
        f"{UPLOAD}@",
        gone=remove_value("with", "retention-days"),
        default=set_value("with", "retention-days", value=0),
        long=set_value("with", "retention-days", value=91),
        word=set_value("with", "retention-days", value="${{ inputs.days }}"),
        true=set_value("with", "retention-days", value=True),
    )
    yield from for_each_step(
        "checkout-takes-the-change",
        "actions/checkout@",
        branch=set_value("with", "ref", value="main"),
        head=set_value("with", "ref", value="${{ github.event.pull_request.head.sha }}"),
        other=set_value("with", "repository", value="owner/name"),
        folder=set_value("with", "path", value="elsewhere"),
        part=set_value("with", "sparse-checkout", value="backend"),
        kept=set_value("with", "clean", value=False),
    )
    for action in TREE.actions:
        step = {"uses": f"actions/checkout@{OTHER_COMMIT}", "with": {"ref": "main"}}
        change = add("runs", "steps", value=step)
        yield Edit("checkout-takes-the-change", action.path, partial(in_action, action, change))
    for use in dict.fromkeys(_uses()):
        own = set_value("with", value={"python-version": "3.12"})
        node = set_value("with", value={"node-version": 24})
        yield from for_each_step("no-version-in-steps", use, python=own, node=node)
    for tool in TREE.settings.parity.action_tool_versions:
        yield from for_each_step(
            "no-version-in-steps",
            f"{tool}@",
            other=lambda step: step.update({"with": dict.fromkeys(step["with"], "v0.0.1")}),
            none=remove_value("with"),
        )


def rights() -> Iterator[Edit]:
    yield from for_each_workflow(
        "workflow-has-no-permissions",
        [*TREE.workflows],
        gone=remove_value("permissions"),
        all=set_value("permissions", value="write-all"),
        read=set_value("permissions", value={"contents": "read"}),
    )
    yield from for_each_job(
        "job-declares-permissions",
        TREE.jobs,
        gone=remove_value("permissions"),
        all=set_value("permissions", value="read-all"),
        word=set_value("permissions", "contents", value="yes"),
    )
    for scope in ("contents", "packages", "actions"):
        write = set_value("permissions", scope, value="write")
        for rule, jobs in (
            ("write-permission-is-allowed", WORKING),
            ("call-grants-exact-permissions", CALLS),
        ):
            others = [job for job in jobs if job.content["permissions"].get(scope) != "write"]
            yield from for_each_job(rule, others, **{scope: write})
    yield from for_each_job(
        "call-grants-exact-permissions", CALLS, less=set_value("permissions", value={})
    )
    identity = set_value("permissions", "id-token", value="write")
    requested = [job for job in TREE.jobs if reachable_from_pull_request(TREE, job)]
    yield from for_each_job("pull-request-gets-no-id-token", requested, identity=identity)
    signing = [call for call in CALLS if "id-token" in call.content["permissions"]]
    for what, when in (("any", NOT_FAILED), ("or", f"{NOT_FAILED} || {ON_PUSH}")):
        change = set_value("if", value=f"${{{{ {when} }}}}")
        yield from for_each_job("pull-request-gets-no-id-token", signing, **{what: change})
    yield from for_each_job(
        "no-inherited-secrets", CALLS, all=set_value("secrets", value="inherit")
    )
    key = set_value("env", "KEY", value="${{ secrets.DEPLOY_KEY }}")
    computed = set_value("env", "KEY", value="${{ secrets[inputs.name] }}")
    yield from for_each_job("secret-is-allowed", WORKING, job=key, computed=computed)
    yield from for_each_workflow("secret-is-allowed", [*TREE.workflows], file=key)
    own = [job for job in requested if job.workflow == MAIN_WORKFLOW]
    handed = set_value("secrets", "KEY", value="${{ secrets.KEY }}")
    yield from for_each_job("pull-request-gets-no-secrets", own, handed=handed, read=key)


def environments() -> Iterator[Edit]:
    choice = ("on", "workflow_dispatch", "inputs", "environment", "options")
    asking = [file for file, each in TREE.workflows.items() if "workflow_dispatch" in each.triggers]
    yield from for_each_workflow(
        "dispatch-lists-all-environments",
        [file for file in asking if TREE.calls_of(file)],
        none=remove_value(*choice[:-1]),
        fewer=set_value(*choice, value=["staging"]),
        more=set_value(*choice, value=["staging", "production", "local"]),
    )
    for name in remote_environments(TREE):
        gone = partial(with_settings, f"environments/{name}/host", "")
        yield Edit("dispatch-lists-all-environments", f"no host: {name}", gone)
        more = partial(with_settings, f"environments/{name}/required_secrets", ["ANOTHER_KEY"])
        yield Edit("deploy-job-gets-all-secrets", f"one more: {name}", more)
    going = [job for job in WORKING if "environment" in job.content]
    for name in config.declared_secret_names(remote_environments(TREE).values()):
        yield from for_each_job(
            "deploy-job-gets-all-secrets", going, **{name: remove_value("env", name)}
        )


def sources() -> Iterator[Edit]:
    working = [*dict.fromkeys(job.workflow for job in WORKING)]
    yield from for_each_workflow(
        "workflow-is-strict",
        working,
        gone=remove_value("env"),
        lax=set_value("env", "PIPELINE_STRICT", value=0),
        more=set_value("env", "DATABASE_URL", value="sqlite://"),
    )
    for python in TREE.pythons:
        left = [each for each in TREE.pythons if each != python]
        yield Edit("versions-agree", f"no {python}", partial(replace, TREE, pythons=left))
    more = partial(replace, TREE, pythons=[*TREE.pythons, "3.99"])
    yield Edit("versions-agree", "one more", more)
    yield from globs()
    yield from named_jobs()
    other = set_value("name", value="Run everything")
    yield from for_each_job("job-name-matches-id", TREE.jobs, other=other)
    for name in TREE.settings.budgets:
        change = partial(with_settings, f"budgets/{name}", 999)
        yield Edit("timeout-covers-budget", f"long: {name}", change)
    for name in ("missing", "tests-3.12"):
        change = partial(with_settings, f"budgets/{name}", 1)
        yield Edit("timeout-covers-budget", f"unknown: {name}", change)
    minutes = set_value("timeout-minutes", value=59)
    shown = [job for job in WORKING if job.workflow == MAIN_WORKFLOW or job.id != GATE_JOB]
    yield from for_each_job("docs-are-current", shown, minutes=minutes)
    writing = set_value("permissions", "actions", value="write")
    yield from for_each_job("docs-are-current", shown, rights=writing)
    for session in TREE.sessions:
        if session.name not in TREE.settings.parity.local_sessions:  # those stand in no table
            job = session.name.split("-3.")[0]
            change = partial(_redescribed, job)
            yield Edit("docs-are-current", f"help: {session.session}", change)


def named_jobs() -> Iterator[Edit]:
    ci = TREE.settings.ci
    for path, value in {
        "ci/exclusive": (*ci.exclusive, "missing"),
        "ci/needs/missing": ("image",),
        "ci/needs/image": ("missing",),
        "ci/main_only/missing": (),
        "ci/main_only/deploy": (),  # it delivers, and checks nothing
        "ci/never_cached/tests-3.12": "a session, and no job",
        "ci/mutex/a place": ("image", "missing"),
        "parity/secrets/missing": ("GITHUB_TOKEN",),
        "parity/write_permissions/missing": ("packages",),
    }.items():
        yield Edit("named-jobs-exist", path, partial(with_settings, path, value))


def globs() -> Iterator[Edit]:
    for area, known in TREE.settings.areas.items():
        for glob in ("missing/**", "backend", "backend/", "/*.md", "./*.md"):
            more = partial(with_settings, f"areas/{area}", [*known, glob])
            yield Edit("glob-has-files", f"empty: {area} {glob}", more)
    reasons = TREE.settings.parity.awaited
    for glob in reasons:
        kept = {key: why for key, why in reasons.items() if key != glob}
        change = partial(with_settings, "parity/awaited", kept)
        yield Edit("glob-has-files", f"no reason: {glob}", change)
    for glob in ("docs/**", "missing/**"):
        awaited = {**reasons, glob: "a reason"}
        change = partial(with_settings, "parity/awaited", awaited)
        yield Edit("glob-has-files", f"awaited: {glob}", change)


def _before() -> list[str]:
    """The actions that are used before the run."""
    before = [step.action for step in TREE.steps if not step.follows_run]
    return [*dict.fromkeys(filter(None, before))]


def _uses() -> list[str]:
    texts = [
        *(each.text for each in TREE.workflows.values()),
        *(each.text for each in TREE.actions),
    ]
    return re.findall(r"uses: (\S+)", "\n".join(texts))


def _files_of(use: str) -> list[str]:
    return [file for file, workflow in TREE.workflows.items() if use in workflow.text]


def _without_job(job: Job) -> Change:
    def change(content: dict[str, dict[str, dict[str, list[str]]]]) -> None:
        del content["jobs"][job.id]
        if GATE_JOB in content["jobs"]:
            content["jobs"][GATE_JOB]["needs"].remove(job.id)

    return change


def _copy_job(job: Job, file: str, other: str) -> Repository:
    """The same job in another called file as well."""
    target = other if job.workflow == file else file
    return in_file(target, set_value("jobs", job.id, value=dict(job.content)))


def _redescribed(job: str) -> Repository:
    """All rows of a job with another line of help."""
    rows = [each for each in TREE.sessions if each.name.split("-3.")[0] == job]
    return with_sessions(*(replace(each, description="Do it.") for each in rows))


ALL_VIOLATIONS = [
    *jobs_and_lines(),
    *rows(),
    *sessions(),
    *gates(),
    *called_jobs(),
    *calls(),
    *misplaced(),
    *starting(),
    *hardening(),
    *conditions(),
    *listed_actions(),
    *variables(),
    *local_actions(),
    *actions(),
    *artifacts(),
    *rights(),
    *environments(),
    *sources(),
]
IDS = {rule.id for rule in RULES}
