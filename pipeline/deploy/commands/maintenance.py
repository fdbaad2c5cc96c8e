"""Closes a site for its users, and opens it again; a request with the preview token always passes.

The edge checks for a file in a volume that it serves anyway. So it needs no restart and no reload,
and no request is lost.
"""

import json

from pipeline.config import load
from pipeline.deploy.cluster.client import service_image
from pipeline.deploy.cluster.deploy_target import DeployTarget
from pipeline.deploy.confirmation import current_actor, utc_now
from pipeline.deploy.progress import log
from pipeline.deploy.rollout.assets import run_on_all_nodes
from pipeline.deploy.rollout.edge import edge_config_in_use, edge_config_name
from pipeline.deploy.state import audit_log
from pipeline.deploy.target import connect
from pipeline.environments import Environment
from pipeline.errors import InputError


def set_maintenance(environment: Environment, state: str) -> None:
    """Close a site, or open it again.

    Raises:
        InputError: The state is unknown, or there is no edge.
        JobFailedError: The job failed on a node.
    """
    known = {"on": enable, "off": disable}
    if state not in known:
        raise InputError(f"no such state: `{state}`", hint="--state takes on or off")
    target = connect(environment)
    known[state](target)
    log(f"{environment.name} is {'closed' if state == 'on' else 'open'}")


def enable(target: DeployTarget) -> None:
    """Make the edge answer 503 to all users, on every node.

    Raises:
        InputError: There is no edge, or it runs another configuration.
        JobFailedError: The job failed on a node; other nodes may be closed.
    """
    image = _require_edge(target)
    content = json.dumps({"by": current_actor(), "since": utc_now()})
    target.swarm.create_config(config_name(target.stack), content, {"pipeline.stack": target.stack})
    with audit_log.recorded(target.swarm, target.stack, "maintenance", "on"):
        run_on_all_nodes(target, image, "maintenance", "maintenance.sh", "on")


def disable(target: DeployTarget) -> None:
    """Make the edge serve all users again.

    Raises:
        InputError: There is no edge, or it runs another configuration.
        JobFailedError: The job failed on a node; other nodes may be open.
    """
    image = _require_edge(target)
    with audit_log.recorded(target.swarm, target.stack, "maintenance", "off"):
        run_on_all_nodes(target, image, "maintenance", "maintenance.sh", "off")
        target.swarm.run("config", "rm", config_name(target.stack))


def maintenance_since(target: DeployTarget) -> str:
    """Return since when a site is closed, and by whom; empty if it is open."""
    for content in target.swarm.config_contents(config_name(target.stack)):
        found = json.loads(content)
        return f"since {found['since']} by {found['by']}"
    return ""


def bypass_headers(target: DeployTarget) -> dict[str, str]:
    """Return the headers that reach a closed site; empty for an open one."""
    return (
        {load().app.bypass_header: target.secrets["PREVIEW_TOKEN"]}
        if maintenance_since(target)
        else {}
    )


def _require_edge(target: DeployTarget) -> str:
    """Return the image of the edge.

    Raises:
        InputError: There is no edge, or it runs another configuration.
    """
    edge = target.swarm.service(f"{target.stack}_edge")
    name = target.environment.name
    if edge is None:
        raise InputError(f"{name} has no edge yet", hint="invoke deploy")
    if edge_config_in_use(edge) != edge_config_name(target.stack):
        raise InputError(
            f"the edge of {name} runs another deploy/edge.conf",
            hint=f"invoke renew-edge --env={name}: it restarts the edge of each node",
        )
    return service_image(edge)


def config_name(stack: str) -> str:
    """Return the name of the config that marks a site as closed."""
    return f"{stack}-closed"
