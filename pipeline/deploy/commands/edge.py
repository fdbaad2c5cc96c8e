"""Start the edge anew, with the certificate, the token and the configuration of today."""

import time
from collections.abc import Mapping
from os import environ

from pipeline.deploy.cluster.client import Swarm, variable_of
from pipeline.deploy.cluster.convergence import Wanted, wait_until_running, watch
from pipeline.deploy.cluster.retry import POLL_SECONDS
from pipeline.deploy.cluster.stackfile import Service, document
from pipeline.deploy.commands.site import users_find
from pipeline.deploy.commands.status import serving
from pipeline.deploy.environment_secrets import credentials
from pipeline.deploy.progress import say, timed
from pipeline.deploy.rollout.edge import brought
from pipeline.deploy.rollout.notify import announced
from pipeline.deploy.signals import interruptible, uninterrupted
from pipeline.deploy.state.audit_log import noted
from pipeline.deploy.state.deploy_lock import locked
from pipeline.deploy.target import connected
from pipeline.environments import Environment
from pipeline.errors import (
    CheckFailedError,
    InterruptedDeployError,
    RollbackFailedError,
    RolledBackError,
)

EDGE = "edge"


def renew(environment: Environment) -> None:
    """Replace the edge, once the new one is proved; one that does not serve is put back.

    A port of a node can have one owner: each node's edge is away for a moment.

    Raises:
        InputError: Nothing serves there yet, or the new edge cannot; nothing was touched.
        RolledBackError: Users did not reach the site by the new edge; the old one serves again.
        RollbackFailedError: They do not reach it by the old one either.
    """
    values = credentials(environment, environ)
    swarm = connected(environment)
    with (
        interruptible(),
        locked(swarm, environment.stack, "renew the edge"),
        announced(environment, values, "renew", "the edge"),
        noted(swarm, environment.stack, "renew", EDGE),
    ):
        live = serving(swarm, environment)
        new = brought(swarm, environment, live.images["frontend"], values)
        swap(swarm, environment, new, values)


def swap(swarm: Swarm, environment: Environment, new: Service, values: Mapping[str, str]) -> None:
    """Replace the edge, or put the old one back.

    Raises:
        RolledBackError: Users did not reach the site by the new edge; the old one serves again.
        RollbackFailedError: They do not reach it by the old one either.
    """
    try:
        timed(EDGE, lambda: replace_edge(swarm, environment, new))
        require_users(swarm, environment, values, environment.timings.monitor)
    except (CheckFailedError, KeyboardInterrupt) as error:
        known = error if isinstance(error, CheckFailedError) else None
        why = str(known) if known else "interrupted"
        kind = RolledBackError if known else InterruptedDeployError
        with uninterrupted():
            put_back(swarm, environment, new, values, why)
        look = f"docker service ps --no-trunc {environment.stack}_{EDGE}"
        hint = known.hint if known else look
        raise kind(f"{why}\nthe edge before serves again", hint=hint) from None


def replace_edge(swarm: Swarm, environment: Environment, new: Service) -> None:
    """Have the engine replace the edge of each node.

    Raises:
        CheckFailedError: The new one does not come up.
    """
    service, told = f"{environment.stack}_{EDGE}", new["environment"]["DEPLOY_ID"]
    meant = [task for task in swarm.tasks(service) if task["DesiredState"] == "running"]
    swarm.deploy(environment.stack, document(environment.stack, {EDGE: new}))
    wanted = Wanted(service, new["image"], told, max(len(meant), 1))
    watch(swarm, wanted, environment.deadline)


def put_back(
    swarm: Swarm, environment: Environment, new: Service, values: Mapping[str, str], why: str
) -> None:
    """Have the edge before serve again, if the new one has its place.

    Raises:
        RollbackFailedError: It does not.
    """
    service = f"{environment.stack}_{EDGE}"
    say(f"{why}; putting the edge before back")
    try:
        if not is_in_place(swarm, service, new):
            return
        swarm.tell("service", "rollback", "--detach", "--quiet", service)
        wait_until_running(swarm, service, environment.timings.start)
        require_users(swarm, environment, values, environment.timings.start)
    except CheckFailedError as error:
        hint = f"look at once: docker service ps --no-trunc {service}; {error.hint}"
        said = f"{why}\nand going back failed: {error}"
        raise RollbackFailedError(said, hint=hint) from None


def is_in_place(swarm: Swarm, service: str, new: Service) -> bool:
    """Say whether the engine was told of the new edge; else it would go back further than that."""
    found = swarm.service(service)
    told = new["environment"]["DEPLOY_ID"]
    return found is not None and variable_of(found, "DEPLOY_ID") == told


def require_users(
    swarm: Swarm, environment: Environment, values: Mapping[str, str], seconds: float
) -> None:
    """See to it that users reach the site by an edge that is up: its first look-ups may fail.

    Raises:
        CheckFailedError: They do not, after so many seconds.
    """
    end = time.monotonic() + seconds
    while wrong := users_find(swarm, environment, values)[1]:
        if time.monotonic() > end:
            raise CheckFailedError(wrong, hint="invoke status; invoke logs --service=edge")
        time.sleep(POLL_SECONDS)
