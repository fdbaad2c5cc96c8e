"""The files that the rules of parity read, loaded once and not changed."""

import posixpath
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple, TypeVar

from pipeline import config, invoke_tasks, nox_sessions
from pipeline.ci.cache.worktree import list_files
from pipeline.files import read_text
from pipeline.github import loader, schema
from pipeline.github.loader import InvalidWorkflowError
from pipeline.github.model import Job, Workflow
from pipeline.invoke_tasks import Task
from pipeline.nox_sessions import Session
from pipeline.settings import Settings

_ACTIONS = Path(".github", "actions")
_LOCAL = ("./", "$/")
DOCUMENT = Path("CI_CD.md")
_T = TypeVar("_T")


class Step(NamedTuple):
    """A step, with its location."""

    path: str
    line: int
    content: Mapping[str, Any]
    text: str
    follows_run: bool

    @property
    def action(self) -> str:
        """The action of the step, without its pin; empty, if the step runs a shell."""
        return str(self.content.get("uses", "")).partition("@")[0]

    @property
    def folder(self) -> str | None:
        """The folder of the local action of the step, if it uses one."""
        return _folder(self.content)

    def at(self, key: str) -> int:
        """Return the line of a key in this step, or of the step."""
        return schema.line_of(self.content, key, self.line)


@dataclass(frozen=True)
class Action:
    """A composite action of this repository."""

    path: str
    content: Mapping[str, Any]
    text: str

    @property
    def folder(self) -> str:
        """The folder that `uses` names."""
        return str(PurePosixPath(self.path).parent)

    @property
    def steps(self) -> Sequence[Mapping[str, Any]]:
        """The action's steps."""
        steps: Sequence[Mapping[str, Any]] = self.content.get("runs", {}).get("steps", [])
        return steps


@dataclass(frozen=True)
class Repository:
    """The parts of the repository that parity checks."""

    workflows: Mapping[str, Workflow]
    actions: Sequence[Action]
    sessions: Sequence[Session]
    tasks: Sequence[Task]
    settings: Settings
    pythons: Sequence[str]
    files: Sequence[str]
    document: str

    @cached_property
    def jobs(self) -> list[Job]:
        """Every job of every workflow."""
        return [job for workflow in self.workflows.values() for job in workflow.jobs.values()]

    @cached_property
    def jobs_with_steps(self) -> list[Job]:
        """The jobs that have steps."""
        return [job for job in self.jobs if not job.is_call]

    @cached_property
    def called_workflows(self) -> list[Workflow]:
        """The workflows that jobs of this repository call."""
        names = {job.called_workflow for job in self.jobs}
        return [workflow for file, workflow in self.workflows.items() if file in names]

    @cached_property
    def triggered_workflows(self) -> list[Workflow]:
        """The workflows with another trigger than `workflow_call`."""
        return [each for each in self.workflows.values() if {*each.triggers} - {"workflow_call"}]

    @cached_property
    def check_jobs(self) -> list[Job]:
        """The jobs of called workflows, without their gates."""
        return [
            job
            for each in self.called_workflows
            for job in each.jobs.values()
            if job.id != loader.GATE_JOB
        ]

    @cached_property
    def gated_workflows(self) -> list[Workflow]:
        """The called workflows that check, and so have a gate; deliveries have none."""
        return [each for each in self.called_workflows if not is_delivery_workflow(each)]

    @property
    def texts(self) -> dict[str, str]:
        """The text of every workflow and action by its path."""
        texts = {workflow.path: workflow.text for workflow in self.workflows.values()}
        return texts | {action.path: action.text for action in self.actions}

    def calls_of(self, file: str) -> list[Job]:
        """Return the jobs that call a workflow."""
        return [job for job in self.jobs if job.called_workflow == file]

    @cached_property
    def steps(self) -> list[Step]:
        """Every step of every job and action, with its location."""
        places = [
            (job.path, job.steps, self.workflows[job.workflow].text, job.run_ends)
            for job in self.jobs_with_steps
        ]
        places += [(each.path, each.steps, each.text, len(each.steps)) for each in self.actions]
        return [
            Step(path, schema.line_of(steps, index), step, text, follows_run=index >= run_ends)
            for path, steps, text, run_ends in places
            for index, step in enumerate(steps)
        ]


def is_delivery_workflow(workflow: Workflow) -> bool:
    """Return whether all jobs of a workflow have an environment, so that it needs no gate."""
    return all("environment" in job.content for job in workflow.jobs.values())


def load_repository() -> tuple[Repository, list[InvalidWorkflowError]]:
    """Load the repository of the current folder.

    Returns:
        The repository, and the errors of files that could not be read.

    Raises:
        InputError: noxfile.py, tasks.py or pipeline.toml cannot be read, or git lists no files.
    """
    settings = config.load()  # first, as noxfile.py reads it too
    unreadable: list[InvalidWorkflowError] = []
    found = _each(loader.workflow_paths(), _workflow, unreadable)
    tree = Repository(
        workflows={workflow.file: workflow for workflow in found},
        actions=_actions(found, unreadable),
        sessions=nox_sessions.list_sessions(),
        tasks=invoke_tasks.list_tasks(),
        settings=settings,
        pythons=config.python_versions(),
        files=list_files().paths,
        document=read_text(DOCUMENT) if DOCUMENT.exists() else "",
    )
    return tree, unreadable


def _actions(found: Iterable[Workflow], unreadable: list[InvalidWorkflowError]) -> list[Action]:
    """Load the actions of .github, those that steps use, and those that these use."""
    jobs = [job for workflow in found for job in workflow.jobs.values()]
    wanted = {*_ACTIONS.rglob("action.y*ml"), *_used(step for job in jobs for step in job.steps)}
    known: set[Path] = set()
    actions: list[Action] = []
    while new := wanted - known:
        actions += _each(new, parse_action, unreadable)
        known |= new
        wanted |= _used(step for action in actions for step in action.steps)
    return sorted(actions, key=lambda action: action.path)


def _used(steps: Iterable[Mapping[str, Any]]) -> set[Path]:
    folders = {folder for step in steps if (folder := _folder(step))}
    paths = [Path(folder, name) for folder in folders for name in ("action.yml", "action.yaml")]
    return {path for path in paths if ".." not in path.parts and path.is_file()}


def _folder(step: Mapping[str, Any]) -> str | None:
    uses = str(step.get("uses", ""))
    return posixpath.normpath(f"./{uses[2:]}") if uses.startswith(_LOCAL) else None


def parse_action(path: Path) -> Action:
    """Parse a composite action.

    Args:
        path: Its action.yml.

    Raises:
        InvalidWorkflowError: It cannot be read, is not YAML, or not an action.
    """
    text = loader.text_of(str(path), path)
    return Action(str(path), loader.load_document(str(path), text, schema.ACTION), text)


def _workflow(path: Path) -> Workflow:
    return loader.load_workflow(path.name)


def _each(
    paths: Iterable[Path], parse: Callable[[Path], _T], unreadable: list[InvalidWorkflowError]
) -> list[_T]:
    parsed = []
    for path in sorted(paths):
        try:
            parsed.append(parse(path))
        except InvalidWorkflowError as error:
            unreadable.append(error)
    return parsed
