"""What the tasks of a job tell: whether they run, ended well, failed, or were never begun with."""

from collections.abc import Sequence

from pipeline.deploy.cluster.client import Object
from pipeline.deploy.cluster.start_failures import UNSTARTED

FAILED = {"failed", "rejected", "orphaned", "remove"}


def under_way(tasks: Sequence[Object]) -> bool:
    """Say whether a task of a job runs; one that no node has begun with has done nothing."""
    return any(
        not (complete(task) or failed(task) or withdrawn(task) or unstarted(task)) for task in tasks
    )


def best(tasks: Sequence[Object]) -> list[Object]:
    """Return the task of each node, or the only one: the engine may begin anew what is lost.

    Where there are several, one that is complete counts, and else one that may still be. What will
    never end by itself does not count: its node is away, or is to run nothing any more.
    """
    found: dict[object, Object] = {}
    left = [task for task in tasks if complete(task) or failed(task) or not withdrawn(task)]
    for task in sorted(left, key=lambda task: (complete(task), not failed(task))):
        found[task.get("Slot") or task.get("NodeID")] = task
    return [*found.values()]


def complete(task: Object) -> bool:
    """Say whether a task of a job ended well."""
    return bool(task["Status"]["State"] == "complete")


def failed(task: Object) -> bool:
    """Say whether a task of a job ended with a fault."""
    return task["Status"]["State"] in FAILED


def rejected(task: Object) -> bool:
    """Say whether the node of a task could not make its container, so that it never ran."""
    return bool(task["Status"]["State"] == "rejected")


def withdrawn(task: Object) -> bool:
    """Say whether a task is not to run any more."""
    return bool(task["DesiredState"] == "shutdown")


def unstarted(task: Object) -> bool:
    """Say whether no node has begun with a task."""
    return task["Status"]["State"] in UNSTARTED


def exit_code(task: Object) -> int:
    """Return the exit code of a task; 1, if it never ran."""
    if not failed(task):
        return 0
    return int((task["Status"].get("ContainerStatus") or {}).get("ExitCode") or 1)


def reason(task: Object) -> str:
    """Say why a task failed."""
    status = task["Status"]
    code = (status.get("ContainerStatus") or {}).get("ExitCode")
    return f"exit code {code}" if code else str(status.get("Err") or status["State"])
