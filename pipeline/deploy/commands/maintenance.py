"""Close a site for its users, and open it again; who has the token is let in all the time.

The edge looks for a file in a volume that it reads anyway: so it is neither started nor told
anything anew, and no request is lost on the way.
"""

import json
from collections.abc import Mapping

from pipeline.deploy.cluster.client import Swarm, image_of
from pipeline.deploy.confirmation import actor, now
from pipeline.deploy.progress import say
from pipeline.deploy.rollout.assets import on_every_node
from pipeline.deploy.rollout.edge import configuration_of, edge_config
from pipeline.deploy.state import audit_log
from pipeline.deploy.target import connected
from pipeline.environments import Environment
from pipeline.errors import InputError

HEADER = "X-Insider"


def switch(environment: Environment, state: str) -> None:
    """Close a site, or open it again.

    Raises:
        InputError: That is no state, or there is no edge that could be closed.
        JobFailedError: A node could not be told.
    """
    known = {"on": close, "off": open_again}
    if state not in known:
        raise InputError(f"no such state: `{state}`", hint="--state takes on or off")
    swarm = connected(environment)
    known[state](swarm, environment)
    say(f"{environment.name} is {'closed' if state == 'on' else 'open'}")


def close(swarm: Swarm, environment: Environment) -> None:
    """Have the edge answer 503 to everybody, on every node.

    Raises:
        InputError: There is no edge, or it is older than this.
        JobFailedError: A node could not be told; others may be closed by now.
    """
    image = require_edge(swarm, environment)
    content = json.dumps({"by": actor(), "since": now()})
    swarm.create_config(name(environment.stack), content, {"pipeline.stack": environment.stack})
    with audit_log.noted(swarm, environment.stack, "maintenance", "on"):
        on_every_node(swarm, environment, image, "maintenance", "maintenance.sh", "on")


def open_again(swarm: Swarm, environment: Environment) -> None:
    """Have the edge let everybody in again.

    Raises:
        InputError: There is no edge, or it is older than this.
        JobFailedError: A node could not be told; others may be open by now.
    """
    image = require_edge(swarm, environment)
    with audit_log.noted(swarm, environment.stack, "maintenance", "off"):
        on_every_node(swarm, environment, image, "maintenance", "maintenance.sh", "off")
        swarm.ask("config", "rm", name(environment.stack))


def closed(swarm: Swarm, environment: Environment) -> str:
    """Say since when a site is closed, and by whom; nothing, if it is open."""
    for content in swarm.contents(name(environment.stack)):
        found = json.loads(content)
        return f"since {found['since']} by {found['by']}"
    return ""


def insider(
    swarm: Swarm, environment: Environment, credentials: Mapping[str, str]
) -> dict[str, str]:
    """Return the header that lets us into a site that is closed; none is needed for an open one."""
    return {HEADER: credentials["PREVIEW_TOKEN"]} if closed(swarm, environment) else {}


def require_edge(swarm: Swarm, environment: Environment) -> str:
    """Return the image of an edge that can be closed.

    Raises:
        InputError: There is none.
    """
    edge = swarm.service(f"{environment.stack}_edge")
    if edge is None:
        raise InputError(f"{environment.name} has no edge yet", hint="deploy something first")
    if configuration_of(edge) != edge_config(environment.stack):
        raise InputError(
            f"the edge of {environment.name} is not the one of deploy/edge.conf",
            hint=f"invoke renew --env={environment.name}, which costs each node a moment",
        )
    return image_of(edge)


def name(stack: str) -> str:
    """Return what tells that a site is closed."""
    return f"{stack}-closed"
