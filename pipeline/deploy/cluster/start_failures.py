"""Finds out why tasks do not run: by their state and error, their nodes, and the registry."""

from collections.abc import Sequence
from contextlib import suppress

from pipeline.deploy.cluster import failure_causes
from pipeline.deploy.cluster.client import JSONObject, SwarmClient
from pipeline.deploy.cluster.failure_causes import Cause
from pipeline.deploy.cluster.retry import EngineUnavailableError
from pipeline.errors import CheckFailedError
from pipeline.images.registry import NotFoundError, platform_digests, raw_manifest
from pipeline.images.targets import ImageRef

_UNALLOCATED_STATES = {"new", "allocated"}
"""States of a task that waits for an address in its network."""
UNSTARTED_STATES = _UNALLOCATED_STATES | {"pending", "assigned", "accepted"}
"""States of a task that no node has started."""
IN_PROGRESS_STATES = {"preparing", "ready", "starting"}
"""States of a task whose node is preparing it."""
_NODE_FORMAT = "--format={{.Hostname}} {{.Status}} {{.Availability}}"
_ACTIVE = "Ready Active"
_INACTIVE = "not available for new tasks"
_NO_IMAGE = "No such image"
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
"""Names of the engine, with the names in image manifests."""


def start_failure(swarm: SwarmClient, stack: str, image: str, tasks: Sequence[JSONObject]) -> Cause:
    """Return why a service does not run: the state, node and error of a task, and their meaning.

    Args:
        swarm: The client of the swarm.
        stack: The stack, for the name of its network.
        image: The image of the service, by digest.
        tasks: Its tasks that do not run, the most relevant first.

    Returns:
        The cause; the hint is empty if only the error of the engine is known.
    """
    if not tasks:
        return _no_task_cause(swarm)
    task = tasks[0]
    node, error = _node_name(swarm, task), _task_error(task)
    state = " ".join(filter(None, [task["Status"]["State"], node and f"on {node}"]))
    text = f"{state}: {error}" if error else state
    found = task_cause(swarm, stack, image, task)
    return Cause(f"{text} ({found.sentence})", found.hint) if found else Cause(text, "")


def _no_task_cause(swarm: SwarmClient) -> Cause:
    """Return why there is no task: a global job gets none on unavailable nodes, without an error.

    https://github.com/moby/swarmkit/blob/master/manager/orchestrator/global/global.go
    """
    away = unavailable_nodes(swarm)
    found = (
        failure_causes.find_cause(_INACTIVE, away=", ".join(away), activate=activate_command(away))
        if away
        else None
    )
    if found is None:
        return Cause("no node has a task of it, though every node is active", "docker node ls")
    return Cause(f"no node has a task of it: {found.sentence}", found.hint)


def task_cause(swarm: SwarmClient, stack: str, image: str, task: JSONObject) -> Cause | None:
    """Return the cause for the error or the state of a task; None if it is unknown."""
    error, state, node = (
        _task_error(task),
        task["Status"]["State"],
        _node_name(swarm, task) or "self",
    )
    if _NO_IMAGE in error:
        return _missing_image_cause(swarm, image, task)
    names = {"image": image, "network": f"{stack}-app", "node": node}
    if _INACTIVE in error:
        away = unavailable_nodes(swarm)
        names |= {"away": ", ".join(away), "activate": activate_command(away)}
    if state in _UNALLOCATED_STATES:
        return failure_causes.find_cause("no available address", **names)
    if state in IN_PROGRESS_STATES and not error:
        hint = f"on {node}: docker pull {image}; docker ps --all"
        return Cause("its node pulls the image or starts the container", hint)
    if state in UNSTARTED_STATES and not error:
        return Cause("no node started it", "docker node ls; docker node inspect --pretty self")
    return failure_causes.find_cause(error, **names)


def _missing_image_cause(swarm: SwarmClient, image: str, task: JSONObject) -> Cause:
    """Return why a node lacks an image; the engine reports only that it is missing.

    The registry is queried for the index, for the manifest of the node's platform, and for that
    manifest: after a cleanup, a registry may keep an index without its manifests.
    """
    node, platform = _node_name(swarm, task) or "that node", _node_platform(swarm, task)
    named = ""
    try:
        built = platform_digests(image)
        if platform and platform not in built:
            message = f"it is built for {', '.join(built)}, and {node} is {platform}"
            return Cause(message, "add the platform to `platforms` in pipeline.toml")
        named = ", although its index lists it"
        for digest in [built[platform]] if platform else built.values():
            raw_manifest(f"{ImageRef(image).repository}@{digest}")
    except NotFoundError as error:
        again = "invoke build push, in its commit, pushes it again; or deploy another release"
        return Cause(f"{error}{named}", again)
    except CheckFailedError as error:
        return Cause(str(error), error.hint)
    message = f"the registry has it; {node} has a full disk, or cannot reach the registry"
    return Cause(message, f"on {node}: docker pull {image}; docker system df")


def _task_error(task: JSONObject) -> str:
    """Return the error of a task; empty without one."""
    return str(task["Status"].get("Err") or "")


def _node_name(swarm: SwarmClient, task: JSONObject) -> str:
    """Return the host name of a task's node; empty without a node."""
    found = _node_object(swarm, task)
    return str(found["Hostname"] if found else task.get("NodeID") or "")


def _node_platform(swarm: SwarmClient, task: JSONObject) -> str:
    """Return the platform of a task's node, such as `linux/amd64`; empty if it is unknown."""
    platform = _node_object(swarm, task).get("Platform") or {}
    machine = platform.get("Architecture", "")
    return f"{platform['OS']}/{_ARCHITECTURES.get(machine, machine)}" if platform else ""


def _node_object(swarm: SwarmClient, task: JSONObject) -> JSONObject:
    """Return the description of a task's node; empty if it is unknown."""
    with suppress(EngineUnavailableError):
        for found in swarm.inspect("node", *filter(None, [task.get("NodeID")])):
            return dict(found["Description"])
    return {}


def unavailable_nodes(swarm: SwarmClient) -> list[str]:
    """Return the nodes that take no tasks, each with its state, as in `docker node ls`."""
    listing = swarm.run("node", "ls", _NODE_FORMAT).stdout
    return [line for line in listing.splitlines() if not line.endswith(_ACTIVE)]


def activate_command(listed: Sequence[str]) -> str:
    """Return the commands that make unavailable nodes take tasks again."""
    update = [line.split()[0] for line in listed if " Ready " in line]
    start = [line.split()[0] for line in listed if " Ready " not in line]
    ways = [f"docker node update --availability=active {each}" for each in update]
    return "; ".join([*ways, *(f"restart the engine of {each}" for each in start)])
