"""Closes a site for its users, and opens it again; a request with the preview token always passes.

The edge checks for a file in a volume that it serves anyway. So it needs no restart and no reload,
and no request is lost.
"""

import json
from collections.abc import Mapping

from pipeline.config import load
from pipeline.deploy.cluster.client import SwarmClient, service_image
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
    swarm = connect(environment)
    known[state](swarm, environment)
    log(f"{environment.name} is {'closed' if state == 'on' else 'open'}")


def enable(swarm: SwarmClient, environment: Environment) -> None:
    """Make the edge answer 503 to all users, on every node.

    Raises:
        InputError: There is no edge, or it runs another configuration.
        JobFailedError: The job failed on a node; other nodes may be closed.
    """
    image = _require_edge(swarm, environment)
    content = json.dumps({"by": current_actor(), "since": utc_now()})
    swarm.create_config(
        config_name(environment.stack), content, {"pipeline.stack": environment.stack}
    )
    with audit_log.recorded(swarm, environment.stack, "maintenance", "on"):
        run_on_all_nodes(swarm, environment, image, "maintenance", "maintenance.sh", "on")


def disable(swarm: SwarmClient, environment: Environment) -> None:
    """Make the edge serve all users again.

    Raises:
        InputError: There is no edge, or it runs another configuration.
        JobFailedError: The job failed on a node; other nodes may be open.
    """
    image = _require_edge(swarm, environment)
    with audit_log.recorded(swarm, environment.stack, "maintenance", "off"):
        run_on_all_nodes(swarm, environment, image, "maintenance", "maintenance.sh", "off")
        swarm.run("config", "rm", config_name(environment.stack))


def maintenance_since(swarm: SwarmClient, environment: Environment) -> str:
    """Return since when a site is closed, and by whom; empty if it is open."""
    for content in swarm.config_contents(config_name(environment.stack)):
        found = json.loads(content)
        return f"since {found['since']} by {found['by']}"
    return ""


def bypass_headers(
    swarm: SwarmClient, environment: Environment, credentials: Mapping[str, str]
) -> dict[str, str]:
    """Return the headers that reach a closed site; empty for an open one."""
    return (
        {load().app.bypass_header: credentials["PREVIEW_TOKEN"]}
        if maintenance_since(swarm, environment)
        else {}
    )


def _require_edge(swarm: SwarmClient, environment: Environment) -> str:
    """Return the image of the edge.

    Raises:
        InputError: There is no edge, or it runs another configuration.
    """
    edge = swarm.service(f"{environment.stack}_edge")
    if edge is None:
        raise InputError(f"{environment.name} has no edge yet", hint="invoke deploy")
    if edge_config_in_use(edge) != edge_config_name(environment.stack):
        raise InputError(
            f"the edge of {environment.name} runs another deploy/edge.conf",
            hint=f"invoke renew-edge --env={environment.name}: it restarts the edge of each node",
        )
    return service_image(edge)


def config_name(stack: str) -> str:
    """Return the name of the config that marks a site as closed."""
    return f"{stack}-closed"
