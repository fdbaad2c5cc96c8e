"""Rules for steps: their actions, and that they are not skipped."""

from collections.abc import Iterator

from pipeline.parity.repository import Repository, Step
from pipeline.parity.rule import Violation, rule


@rule(hint="remove the `if`; only a step that reports after the run may have one")
def step_is_not_skipped(tree: Repository) -> Iterator[Violation]:
    """No step has an `if`, except one that reports after the run: a skipped step passes."""
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
    """A step before the run has no `env`, which could set another package index."""
    own = {action.path for action in tree.actions}
    for step in tree.steps:
        sets_up = not step.follows_run and (step.action or step.path in own)
        if sets_up and "env" in step.content:
            yield Violation(step.path, step.at("env"), "a step before the run has env")


@rule(hint="commit its action.yml there, a composite one, or correct the folder")
def local_action_is_read(tree: Repository) -> Iterator[Violation]:
    """A local action is checked, in any folder."""
    known = {action.folder for action in tree.actions}
    for step in tree.steps:
        if step.folder and step.folder not in known:
            yield Violation(step.path, step.line, f"`{step.folder}` contains no composite action")


def _reports(tree: Repository, step: Step) -> bool:
    return step.follows_run and step.action in tree.settings.parity.actions.report
