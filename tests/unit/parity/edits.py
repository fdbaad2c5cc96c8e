"""Changes to the tree of this repository."""

import copy
import io
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from typing import Any, NamedTuple

from ruamel.yaml import YAML

from pipeline.github import loader
from pipeline.github.model import Job
from pipeline.nox_sessions import Session
from pipeline.parity import repository as trees
from pipeline.parity.repository import Action, Repository
from pipeline.toml_schema import Table
from tests.settings import changed

Content = Any
Change = Callable[[Content], object]


class Edit(NamedTuple):
    """A changed tree in the making, under the id of a rule, with a word on what is changed."""

    rule: str
    what: str
    make: Callable[[], Repository]


@cache
def this_repository() -> Repository:
    """The tree of this repository."""
    tree, unreadable = trees.load_repository()
    assert not unreadable
    return tree


def in_file(file: str, change: Change) -> Repository:
    """Change the content of a workflow."""
    workflow = this_repository().workflows[file]
    content = copy.deepcopy(workflow.content)
    change(content)
    return replace(
        this_repository(),
        workflows={**this_repository().workflows, file: replace(workflow, content=content)},
    )


def in_job(job: Job, change: Change) -> Repository:
    """Change a job."""
    return in_file(job.workflow, lambda content: change(content["jobs"][job.id]))


def in_action(action: Action, change: Change) -> Repository:
    """Change an action."""
    content = copy.deepcopy(action.content)
    change(content)
    changed = replace(action, content=content)
    return replace(
        this_repository(),
        actions=[changed if each == action else each for each in this_repository().actions],
    )


def round_trip(tree: Repository) -> Repository:
    """Write the workflows of a tree as text, and read them again."""
    texts = {file: dump(workflow.content) for file, workflow in tree.workflows.items()}
    parsed = {file: loader.parse(file, text) for file, text in texts.items()}
    return replace(tree, workflows=parsed)


def with_text(file: str, text: str) -> Repository:
    """Replace the text of a workflow, or add a workflow."""
    parsed = loader.parse(file, text)
    return replace(this_repository(), workflows={**this_repository().workflows, file: parsed})


def without(file: str) -> Repository:
    """Take a workflow away."""
    left = {name: each for name, each in this_repository().workflows.items() if name != file}
    return replace(this_repository(), workflows=left)


def with_settings(path: str, value: object) -> Repository:
    """Set a value of pipeline.toml, given its path as in `parity/local_sessions/lock`."""
    return replace(
        this_repository(), settings=_with(this_repository().settings, path.split("/"), value)
    )


def _with(inside: Content, path: Sequence[str], value: object) -> Content:
    key, *rest = path
    known = vars(inside) if isinstance(inside, Table) else inside
    value = _with(known[key], rest, value) if rest else value
    return changed(inside, **{key: value}) if isinstance(inside, Table) else {**known, key: value}


def with_sessions(*changed: Session, drop: str = "") -> Repository:
    """Put sessions in the place of those of the same signature, or add them, or drop one."""
    kept = {each.session: each for each in this_repository().sessions if each.session != drop}
    return replace(
        this_repository(), sessions=[*(kept | {each.session: each for each in changed}).values()]
    )


def steps(word: str = "") -> Iterator[tuple[str, Callable[[Change], Repository]]]:
    """Yield every step whose `uses` begins with a word, as a label and a way to change it."""
    for job in this_repository().jobs_with_steps:
        for index, step in enumerate(job.steps):
            if str(step.get("uses", "")).startswith(word):
                yield f"{job.workflow} {job.id} {index}", _step_of_job(job, index)
    for action in this_repository().actions:
        for index, step in enumerate(action.steps):
            if str(step.get("uses", "")).startswith(word):
                yield f"{action.path} {index}", _step_of_action(action, index)


def set_value(*path: str | int, value: object) -> Change:
    """Return a change that sets a value."""
    *keys, last = path

    def change(content: Content) -> None:
        for key in keys:
            content = content.setdefault(key, {}) if isinstance(key, str) else content[key]
        content[last] = value

    return change


def add(*path: str | int, value: object) -> Change:
    """Return a change that adds an item to a list."""

    def change(content: Content) -> None:
        for key in path:
            content = content[key]
        content.append(value)

    return change


def remove_value(*path: str | int) -> Change:
    """Return a change that takes a key or an item away."""
    *keys, last = path

    def change(content: Content) -> None:
        for key in keys:
            content = content[key]
        content.pop(last)

    return change


def strip_comments(text: str) -> str:
    """Take the comments away that stand behind something."""
    return re.sub(r"(?<=\S) +# .*", "", text)


def _step_of_job(job: Job, index: int) -> Callable[[Change], Repository]:
    return lambda change: in_job(job, lambda content: change(content["steps"][index]))


def _step_of_action(action: Action, index: int) -> Callable[[Change], Repository]:
    return lambda change: in_action(action, lambda content: change(content["runs"]["steps"][index]))


def dump(content: Content) -> str:
    """Write a document as YAML."""
    stream = io.StringIO()
    YAML(typ="rt", pure=True).dump(content, stream)
    return stream.getvalue()
