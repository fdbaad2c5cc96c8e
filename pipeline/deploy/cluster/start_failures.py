"""Why tasks do not run: by their state and error, by their nodes, and by what the registry has."""

from collections.abc import Sequence
from contextlib import suppress

from pipeline.deploy.cluster import failure_causes
from pipeline.deploy.cluster.client import JSONObject, SwarmClient
from pipeline.deploy.cluster.failure_causes import Cause
from pipeline.deploy.cluster.retry import EngineUnavailableError
from pipeline.errors import CheckFailedError
from pipeline.images.registry import NotFoundError, platform_digests, raw_manifest
from pipeline.images.targets import split_digest

UNALLOCATED_STATES = {"new", "allocated"}
"""The states of a task that waits for an address of its network."""
UNSTARTED_STATES = UNALLOCATED_STATES | {"pending", "assigned", "accepted"}
"""Those of one that no node has begun with."""
IN_PROGRESS_STATES = {"preparing", "ready", "starting"}
"""Those of one that its node is busy with."""
NODE_FORMAT = "--format={{.Hostname}} {{.Status}} {{.Availability}}"
ACTIVE = "Ready Active"
INACTIVE = "not available for new tasks"
NO_IMAGE = "No such image"
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
"""An engine's names for those that images name otherwise."""


def start_failure(swarm: SwarmClient, stack: str, image: str, tasks: Sequence[JSONObject]) -> Cause:
    """Say why a service does not run: the state, node and error of a task, and what they mean.

    Args:
        swarm: Where it is.
        stack: Whose network it is in.
        image: What it is to run, by digest.
        tasks: Those of its tasks that do not run, the first that counts before others.

    Returns:
        The cause; its hint is empty where nothing is known but the engine's words.
    """
    if not tasks:
        return no_task_cause(swarm)
    task = tasks[0]
    node, said = node_name(swarm, task), task_error(task)
    told = " ".join(filter(None, [task["Status"]["State"], node and f"on {node}"]))
    told = f"{told}: {said}" if said else told
    found = task_cause(swarm, stack, image, task)
    return Cause(f"{told} ({found.sentence})", found.hint) if found else Cause(told, "")


def no_task_cause(swarm: SwarmClient) -> Cause:
    """Say why there is no task at all: of a node that takes none, a job on each node is not told.

    https://github.com/moby/swarmkit/blob/master/manager/orchestrator/global/global.go
    """
    away = unavailable_nodes(swarm)
    found = (
        failure_causes.find_cause(INACTIVE, away=", ".join(away), activate=activate_command(away))
        if away
        else None
    )
    if found is None:
        return Cause("no node has a task of it, though every node is active", "docker node ls")
    return Cause(f"no node has a task of it: {found.sentence}", found.hint)


def task_cause(swarm: SwarmClient, stack: str, image: str, task: JSONObject) -> Cause | None:
    """Return what the error or the state of a task means; None, if that is not known."""
    said, state, node = task_error(task), task["Status"]["State"], node_name(swarm, task) or "self"
    if NO_IMAGE in said:
        return missing_image_cause(swarm, image, task)
    about = {"image": image, "network": f"{stack}-app", "node": node}
    if INACTIVE in said:
        away = unavailable_nodes(swarm)
        about |= {"away": ", ".join(away), "activate": activate_command(away)}
    if state in UNALLOCATED_STATES:
        return failure_causes.find_cause("no available address", **about)
    if state in IN_PROGRESS_STATES and not said:
        hint = f"on {node}: docker pull {image}; docker ps --all"
        return Cause("its node fetches the image, or starts the container", hint)
    if state in UNSTARTED_STATES and not said:
        return Cause(
            "no node has begun with it", "docker node ls; docker node inspect --pretty self"
        )
    return failure_causes.find_cause(said, **about)


def missing_image_cause(swarm: SwarmClient, image: str, task: JSONObject) -> Cause:
    """Say why a node has no image: the engine itself tells only that it is not there.

    The registry is asked for it, for what it holds for the platform of the node, and for that in
    its turn: a registry that was cleaned up may hold an index without what it names.
    """
    node, platform = node_name(swarm, task) or "that node", node_platform(swarm, task)
    named = ""
    try:
        built = platform_digests(image)
        if platform and platform not in built:
            said = f"it is built for {', '.join(built)}, and {node} is {platform}"
            return Cause(said, "build it for that as well: `platforms` in pipeline.toml")
        named = ", though its index names that"
        for digest in [built[platform]] if platform else built.values():
            raw_manifest(f"{split_digest(image)[0]}@{digest}")
    except NotFoundError as error:
        again = "invoke build push, in its commit, brings it back; or deploy another release"
        return Cause(f"{error}{named}", again)
    except CheckFailedError as error:
        return Cause(str(error), error.hint)
    said = f"the registry has it; {node} has a full disk, or no way there"
    return Cause(said, f"on {node}: docker pull {image}; docker system df")


def task_error(task: JSONObject) -> str:
    """Return the error that the engine tells of a task; nothing, if there is none."""
    return str(task["Status"].get("Err") or "")


def node_name(swarm: SwarmClient, task: JSONObject) -> str:
    """Return what the node of a task is called; nothing, if it has none."""
    found = node_object(swarm, task)
    return str(found["Hostname"] if found else task.get("NodeID") or "")


def node_platform(swarm: SwarmClient, task: JSONObject) -> str:
    """Return what the node of a task is, as `linux/amd64`; nothing, if that is not known."""
    told = node_object(swarm, task).get("Platform") or {}
    machine = told.get("Architecture", "")
    return f"{told['OS']}/{ARCHITECTURES.get(machine, machine)}" if told else ""


def node_object(swarm: SwarmClient, task: JSONObject) -> JSONObject:
    """Return what the engine knows of the node of a task."""
    with suppress(EngineUnavailableError):
        for found in swarm.inspect("node", *filter(None, [task.get("NodeID")])):
            return dict(found["Description"])
    return {}


def unavailable_nodes(swarm: SwarmClient) -> list[str]:
    """Return the nodes that take no work, each with its state, as `docker node ls` has them."""
    listing = swarm.run("node", "ls", NODE_FORMAT).stdout
    return [line for line in listing.splitlines() if not line.endswith(ACTIVE)]


def activate_command(listed: Sequence[str]) -> str:
    """Return what makes nodes take work again that were listed with their states."""
    update = [line.split()[0] for line in listed if " Ready " in line]
    start = [line.split()[0] for line in listed if " Ready " not in line]
    ways = [f"docker node update --availability=active {each}" for each in update]
    return "; ".join([*ways, *(f"start the engine of {each} again" for each in start)])
