"""The tasks of tasks.py, as `invoke --list` prints them."""

import json
from dataclasses import dataclass

from pipeline.errors import InputError
from pipeline.process import capture


@dataclass(frozen=True)
class Task:
    """A task of invoke, with the first line of its help."""

    name: str
    help: str


def list_tasks() -> list[Task]:
    """Return every task.

    Raises:
        InputError: tasks.py cannot be read.
    """
    result = capture(["invoke", "--list", "--list-format=json"])
    if result.returncode != 0:
        raise InputError(f"tasks.py cannot be read: {result.stderr.strip()}", hint="invoke --list")
    return [Task(each["name"], each["help"] or "") for each in json.loads(result.stdout)["tasks"]]
