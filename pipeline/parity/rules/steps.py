"""What a step may use, and that it is not skipped."""

from collections.abc import Iterator

from pipeline.parity.repository import Repository, Step
from pipeline.parity.rule import Violation, rule


@rule(hint="take the `if` away; only what reports after the run may have one")
def step_is_not_skipped(tree: Repository) -> Iterator[Violation]:
    """No step has an `if`, but one that reports after the run: a skipped step is a green one."""
    for step in tree.steps:
        if "if" in step.content and not _reports(tree, step):
            line = step.at("if")
            yield Violation(step.path, line, f"a step runs on a condition: `{step.content['if']}`")


@rule(hint="do it in the session, or list the action under [parity.actions] in pipeline.toml")
def action_is_listed(tree: Repository) -> Iterator[Violation]:
    """A step uses a listed action only: one that sets up before the run, or reports after it."""
    settings = tree.settings.parity
    before = {*settings.actions.setup, *settings.action_tool_versions}
    for step in tree.steps:
        sets_up = step.folder or step.action in before
        allowed = _reports(tree, step) if step.follows_run else sets_up
        if step.action and not allowed:
            where = "after" if step.follows_run else "before"
            yield Violation(step.path, step.line, f"`{step.action}` is used {where} the run")


@rule(hint="set it in the session, or in ./dev: a laptop does not read this file")
def set_up_has_no_variables(tree: Repository) -> Iterator[Violation]:
    """What sets up is told nothing by variables, such as another index to install from."""
    own = {action.path for action in tree.actions}
    for step in tree.steps:
        sets_up = not step.follows_run and (step.action or step.path in own)
        if sets_up and "env" in step.content:
            yield Violation(step.path, step.at("env"), "a step that sets up is told variables")


@rule(hint="commit its action.yml there, a composite one, or correct the folder")
def local_action_is_read(tree: Repository) -> Iterator[Violation]:
    """An action of this repository is read and judged, in whichever folder it lies."""
    known = {action.folder for action in tree.actions}
    for step in tree.steps:
        if step.folder and step.folder not in known:
            yield Violation(
                step.path, step.line, f"`{step.folder}` holds no action that can be read"
            )


def _reports(tree: Repository, step: Step) -> bool:
    return step.follows_run and step.action in tree.settings.parity.actions.report
