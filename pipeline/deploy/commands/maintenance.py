"""Close a site for its users, and open it again; who has the token is let in all the time.

The edge looks for a file in a volume that it reads anyway: so it is neither started nor told
anything anew, and no request is lost on the way.
"""

import json
from collections.abc import Mapping

from pipeline.deploy.cluster.client import SwarmClient, service_image
from pipeline.deploy.confirmation import current_actor, utc_now
from pipeline.deploy.progress import log
from pipeline.deploy.rollout.assets import run_on_all_nodes
from pipeline.deploy.rollout.edge import edge_config_in_use, edge_config_name
from pipeline.deploy.state import audit_log
from pipeline.deploy.target import connect
from pipeline.environments import Environment
from pipeline.errors import InputError

BYPASS_HEADER = "X-Insider"


def set_maintenance(environment: Environment, state: str) -> None:
    """Close a site, or open it again.

    Raises:
        InputError: That is no state, or there is no edge that could be closed.
        JobFailedError: A node could not be told.
    """
    known = {"on": enable, "off": disable}
    if state not in known:
        raise InputError(f"no such state: `{state}`", hint="--state takes on or off")
    swarm = connect(environment)
    known[state](swarm, environment)
    log(f"{environment.name} is {'closed' if state == 'on' else 'open'}")


def enable(swarm: SwarmClient, environment: Environment) -> None:
    """Have the edge answer 503 to everybody, on every node.

    Raises:
        InputError: There is no edge, or it is older than this.
        JobFailedError: A node could not be told; others may be closed by now.
    """
    image = require_edge(swarm, environment)
    content = json.dumps({"by": current_actor(), "since": utc_now()})
    swarm.create_config(
        config_name(environment.stack), content, {"pipeline.stack": environment.stack}
    )
    with audit_log.recorded(swarm, environment.stack, "maintenance", "on"):
        run_on_all_nodes(swarm, environment, image, "maintenance", "maintenance.sh", "on")


def disable(swarm: SwarmClient, environment: Environment) -> None:
    """Have the edge let everybody in again.

    Raises:
        InputError: There is no edge, or it is older than this.
        JobFailedError: A node could not be told; others may be open by now.
    """
    image = require_edge(swarm, environment)
    with audit_log.recorded(swarm, environment.stack, "maintenance", "off"):
        run_on_all_nodes(swarm, environment, image, "maintenance", "maintenance.sh", "off")
        swarm.run("config", "rm", config_name(environment.stack))


def maintenance_since(swarm: SwarmClient, environment: Environment) -> str:
    """Say since when a site is closed, and by whom; nothing, if it is open."""
    for content in swarm.config_contents(config_name(environment.stack)):
        found = json.loads(content)
        return f"since {found['since']} by {found['by']}"
    return ""


def bypass_headers(
    swarm: SwarmClient, environment: Environment, credentials: Mapping[str, str]
) -> dict[str, str]:
    """Return the header that lets us into a site that is closed; none is needed for an open one."""
    return (
        {BYPASS_HEADER: credentials["PREVIEW_TOKEN"]}
        if maintenance_since(swarm, environment)
        else {}
    )


def require_edge(swarm: SwarmClient, environment: Environment) -> str:
    """Return the image of an edge that can be closed.

    Raises:
        InputError: There is none.
    """
    edge = swarm.service(f"{environment.stack}_edge")
    if edge is None:
        raise InputError(f"{environment.name} has no edge yet", hint="deploy something first")
    if edge_config_in_use(edge) != edge_config_name(environment.stack):
        raise InputError(
            f"the edge of {environment.name} is not the one of deploy/edge.conf",
            hint=f"invoke renew-edge --env={environment.name}, which costs each node a moment",
        )
    return service_image(edge)


def config_name(stack: str) -> str:
    """Return what tells that a site is closed."""
    return f"{stack}-closed"
