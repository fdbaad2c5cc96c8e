"""The state of the tasks of a job: running, complete, failed, or not started."""

from collections.abc import Sequence

from pipeline.deploy.cluster.client import JSONObject
from pipeline.deploy.cluster.start_failures import UNSTARTED_STATES

_FAILED_STATES = {"failed", "rejected", "orphaned", "remove"}


def is_in_progress(tasks: Sequence[JSONObject]) -> bool:
    """Return whether a task of a job runs; a task that no node started does not count."""
    return any(
        not (is_complete(task) or is_failed(task) or _is_shut_down(task) or is_unstarted(task))
        for task in tasks
    )


def representative_tasks(tasks: Sequence[JSONObject]) -> list[JSONObject]:
    """Return one task per node, or the only one; the engine may replace a lost task.

    Of several tasks, a complete one counts, otherwise one that may still complete. A task that was
    shut down does not count: its node is down or drained.
    """
    found: dict[object, JSONObject] = {}
    left = [
        task for task in tasks if is_complete(task) or is_failed(task) or not _is_shut_down(task)
    ]
    for task in sorted(left, key=lambda task: (is_complete(task), not is_failed(task))):
        found[task.get("Slot") or task.get("NodeID")] = task
    return [*found.values()]


def is_complete(task: JSONObject) -> bool:
    return bool(task["Status"]["State"] == "complete")


def is_failed(task: JSONObject) -> bool:
    return task["Status"]["State"] in _FAILED_STATES


def is_rejected(task: JSONObject) -> bool:
    """Return whether the node could not create the container of a task."""
    return bool(task["Status"]["State"] == "rejected")


def _is_shut_down(task: JSONObject) -> bool:
    return bool(task["DesiredState"] == "shutdown")


def is_unstarted(task: JSONObject) -> bool:
    return task["Status"]["State"] in UNSTARTED_STATES


def exit_code(task: JSONObject) -> int:
    """Return the exit code of a task; 1 if it never ran."""
    if not is_failed(task):
        return 0
    return int((task["Status"].get("ContainerStatus") or {}).get("ExitCode") or 1)


def failure_reason(task: JSONObject) -> str:
    status = task["Status"]
    code = (status.get("ContainerStatus") or {}).get("ExitCode")
    return f"exit code {code}" if code else str(status.get("Err") or status["State"])
