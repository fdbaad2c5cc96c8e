"""Read the workflows of .github/workflows."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ruamel.yaml.constructor import ConstructorError, RoundTripConstructor
from ruamel.yaml.nodes import MappingNode

from pipeline import yaml
from pipeline.errors import InputError
from pipeline.files import UnreadableFileError, read_text
from pipeline.github import schema
from pipeline.github.model import WORKFLOWS_DIR, Job, Workflow
from pipeline.github.schema import Problem

MAIN_WORKFLOW = "ci.yml"
GATE_JOB = "ci-ok"
SUFFIXES = (".yml", ".yaml")
_MERGE = "tag:yaml.org,2002:merge"
_SYNTAX = "https://docs.github.com/actions/reference/workflow-syntax"


class _Constructor(RoundTripConstructor):
    """Values of YAML 1.2 as GitHub reads it: a date is text, and merge keys are refused."""

    def flatten_mapping(self, node: MappingNode) -> Any:  # noqa: ANN401 - as ruamel.yaml has it
        """Refuse a merge key, which ruamel.yaml would apply."""
        for key, _ in node.value:
            if key.tag == _MERGE:
                raise ConstructorError(
                    None, None, "GitHub does not support merge keys: <<", key.start_mark
                )
        return super().flatten_mapping(node)


_Constructor.add_constructor("tag:yaml.org,2002:timestamp", _Constructor.construct_scalar)


class InvalidWorkflowError(InputError):
    """A workflow or action is invalid: every problem, each with its line."""

    def __init__(self, file: str, problems: Sequence[Problem], *, hint: str = _SYNTAX) -> None:
        lines = "; ".join(f"{file}:{line}: {message}" for line, message in problems)
        super().__init__(lines, hint=hint)
        self.file = file
        self.problems = problems


def parse(file: str, text: str) -> Workflow:
    """Parse the text of a workflow.

    Args:
        file: The name for error messages.
        text: YAML 1.2, as GitHub reads it: `on` is a string.

    Raises:
        InvalidWorkflowError: It is not YAML, or not a workflow.
    """
    content = load_document(file, text, schema.WORKFLOW)
    if not content.get("jobs"):
        raise InvalidWorkflowError(file, [Problem(1, "there are no jobs")])
    workflow = Workflow(file, content, text)
    if problems := [
        problem for job in workflow.jobs.values() for problem in _of_job(job, workflow)
    ]:
        raise InvalidWorkflowError(file, problems)
    return workflow


def load_document(file: str, text: str, wanted: Mapping[str, Any]) -> Mapping[str, Any]:
    """Parse a YAML document, and check it against a schema.

    Args:
        file: The name for error messages.
        text: The document.
        wanted: Its schema, as in `pipeline.github.schema`.

    Raises:
        InvalidWorkflowError: It is not YAML, or does not fit the schema.
    """
    try:
        content: Mapping[str, Any] = yaml.parse_yaml(file, text, _Constructor)
    except UnreadableFileError as error:
        raise InvalidWorkflowError(file, [Problem(error.line, error.why)]) from None
    if problems := list(schema.find_problems(content, wanted)):
        raise InvalidWorkflowError(file, problems)
    return content


def load_workflow(file: str) -> Workflow:
    """Read a workflow of .github/workflows by its name.

    Raises:
        InvalidWorkflowError: It is missing, not YAML, or not a workflow.
    """
    return parse(file, text_of(file, Path(WORKFLOWS_DIR, file)))


def text_of(file: str, path: Path) -> str:
    """Return the text of a workflow or action.

    Args:
        file: The name for error messages.
        path: Its path.

    Raises:
        InvalidWorkflowError: It cannot be read, or is not text.
    """
    try:
        return read_text(path)
    except UnreadableFileError as error:
        problem = Problem(error.line or 1, error.why)
        raise InvalidWorkflowError(file, [problem], hint=error.hint) from None


def load_workflows() -> dict[str, Workflow]:
    """Return every workflow of .github/workflows by its name.

    Raises:
        InvalidWorkflowError: One of them is not YAML, or not a workflow.
    """
    return {path.name: load_workflow(path.name) for path in workflow_paths()}


def workflow_paths() -> list[Path]:
    """Return the files that GitHub reads as workflows."""
    return sorted(path for path in Path(WORKFLOWS_DIR).glob("*") if path.suffix in SUFFIXES)


def jobs_by_call() -> dict[str, list[Job]]:
    """Return the jobs of each workflow that ci.yml calls, by the id of the calling job.

    Gate jobs are left out, and so are calls that wait for the gate: they deliver, and check
    nothing.
    """
    return {
        call.id: [
            job for job in load_workflow(call.called_workflow).jobs.values() if job.id != GATE_JOB
        ]
        for call in load_workflow(MAIN_WORKFLOW).jobs.values()
        if call.called_workflow and GATE_JOB not in call.needs
    }


def _of_job(job: Job, workflow: Workflow) -> Iterator[Problem]:
    if job.is_call == ("steps" in job.content):
        yield Problem(job.line, f"jobs.{job.id} should have either steps or uses")
    for need in job.needs:
        if need not in workflow.jobs:
            yield Problem(
                job.line_of_key("needs"), f"jobs.{job.id} needs no job of this file: `{need}`"
            )
