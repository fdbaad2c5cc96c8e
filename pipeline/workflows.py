"""The workflows of .github, read: which jobs there are, and what each of them runs.

python -m pipeline.workflows   prints the command line of every check job, for a shell
"""

import itertools
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from pipeline.errors import InputError, reported

FOLDER = Path(".github", "workflows")
MAIN = "ci.yml"
GATE = "ci-ok"
MATRIX_VALUE = re.compile(r"\$\{\{ matrix\.(\w+) \}\}")


@dataclass(frozen=True)
class Job:
    """One job of one workflow file, as it stands there."""

    workflow: str
    id: str
    content: Mapping[str, Any]

    @property
    def called(self) -> str | None:
        """The workflow file that this job calls, if it is a call."""
        uses = self.content.get("uses")
        return Path(uses).name if uses else None

    @property
    def rows(self) -> list[dict[str, str]]:
        """The rows of the job's matrix; one empty row if it has none."""
        matrix = self.content.get("strategy", {}).get("matrix", {})
        values = itertools.product(*matrix.values())
        return [dict(zip(matrix, map(str, row), strict=True)) for row in values]

    @property
    def step(self) -> Mapping[str, Any]:
        """The step that runs the session; empty in a call."""
        return next((step for step in self.content.get("steps", []) if "run" in step), {})

    def commands(self) -> Iterator[str]:
        """Yield a line of shell for each row: the step's variables, then its run line."""
        for row in self.rows:
            env = {key: _fill(value, row) for key, value in self.step.get("env", {}).items()}
            variables = [f"{key}={shlex.quote(value)}" for key, value in env.items()]
            yield f"export {' '.join(variables)}; {self.step['run']}" if env else self.step["run"]


def jobs(workflow: str) -> list[Job]:
    """Read the jobs of a workflow file.

    Args:
        workflow: The file's name in .github/workflows.

    Raises:
        InputError: The file is not there or not YAML.
    """
    path = FOLDER / workflow
    try:
        content = YAML(typ="safe", pure=True).load(path)
    except (OSError, YAMLError) as error:
        line = str(error).strip().splitlines()[0]
        raise InputError(f"{path} cannot be read: {line}", hint="nox -s workflows") from error
    return [Job(workflow, name, job) for name, job in content["jobs"].items()]


def calls() -> dict[str, list[Job]]:
    """Return the check jobs behind each call of ci.yml, by the call's id; gates are left out."""
    return {
        call.id: [job for job in jobs(call.called) if job.id != GATE]
        for call in jobs(MAIN)
        if call.called
    }


def _fill(value: str, row: Mapping[str, str]) -> str:
    return MATRIX_VALUE.sub(lambda match: row[match[1]], value)


def main() -> None:
    """Print the command line of every check job."""
    for job in itertools.chain.from_iterable(calls().values()):
        print(*job.commands(), sep="\n")


if __name__ == "__main__":
    with reported():
        main()
