"""What the tasks of a job tell: whether they run, ended well, failed, or were never begun with."""

from collections.abc import Sequence

from pipeline.deploy.cluster.client import JSONObject
from pipeline.deploy.cluster.start_failures import UNSTARTED_STATES

FAILED_STATES = {"failed", "rejected", "orphaned", "remove"}


def is_in_progress(tasks: Sequence[JSONObject]) -> bool:
    """Say whether a task of a job runs; one that no node has begun with has done nothing."""
    return any(
        not (is_complete(task) or is_failed(task) or is_shut_down(task) or is_unstarted(task))
        for task in tasks
    )


def representative_tasks(tasks: Sequence[JSONObject]) -> list[JSONObject]:
    """Return the task of each node, or the only one: the engine may begin anew what is lost.

    Where there are several, one that is complete counts, and else one that may still be. What will
    never end by itself does not count: its node is away, or is to run nothing any more.
    """
    found: dict[object, JSONObject] = {}
    left = [
        task for task in tasks if is_complete(task) or is_failed(task) or not is_shut_down(task)
    ]
    for task in sorted(left, key=lambda task: (is_complete(task), not is_failed(task))):
        found[task.get("Slot") or task.get("NodeID")] = task
    return [*found.values()]


def is_complete(task: JSONObject) -> bool:
    """Say whether a task of a job ended well."""
    return bool(task["Status"]["State"] == "complete")


def is_failed(task: JSONObject) -> bool:
    """Say whether a task of a job ended with a fault."""
    return task["Status"]["State"] in FAILED_STATES


def is_rejected(task: JSONObject) -> bool:
    """Say whether the node of a task could not make its container, so that it never ran."""
    return bool(task["Status"]["State"] == "rejected")


def is_shut_down(task: JSONObject) -> bool:
    """Say whether a task is not to run any more."""
    return bool(task["DesiredState"] == "shutdown")


def is_unstarted(task: JSONObject) -> bool:
    """Say whether no node has begun with a task."""
    return task["Status"]["State"] in UNSTARTED_STATES


def exit_code(task: JSONObject) -> int:
    """Return the exit code of a task; 1, if it never ran."""
    if not is_failed(task):
        return 0
    return int((task["Status"].get("ContainerStatus") or {}).get("ExitCode") or 1)


def failure_reason(task: JSONObject) -> str:
    """Say why a task failed."""
    status = task["Status"]
    code = (status.get("ContainerStatus") or {}).get("ExitCode")
    return f"exit code {code}" if code else str(status.get("Err") or status["State"])
