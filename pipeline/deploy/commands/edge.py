"""Replaces the edge, with the current certificate, token and configuration."""

import time
from collections.abc import Mapping
from os import environ

from pipeline.config import load
from pipeline.deploy.cluster.client import SwarmClient, service_variable
from pipeline.deploy.cluster.convergence import (
    ExpectedState,
    wait_for_convergence,
    wait_until_running,
)
from pipeline.deploy.cluster.retry import POLL_INTERVAL
from pipeline.deploy.cluster.stackfile import Service, stack_file
from pipeline.deploy.commands.site import find_user_error
from pipeline.deploy.commands.status import live_release
from pipeline.deploy.environment_secrets import load_secrets
from pipeline.deploy.progress import log, timed_step
from pipeline.deploy.rollout.edge import prepare_edge
from pipeline.deploy.rollout.notify import notify_outcome
from pipeline.deploy.signals import ignore_signals, raise_on_signal
from pipeline.deploy.state.audit_log import recorded
from pipeline.deploy.state.deploy_lock import hold_lock
from pipeline.deploy.target import connect
from pipeline.environments import Environment
from pipeline.errors import (
    CheckFailedError,
    DeployInterruptedError,
    RollbackFailedError,
    RolledBackError,
)

_EDGE = "edge"


def renew_edge(environment: Environment) -> None:
    """Test a new edge and replace the running one; restore the old one if the site is unreachable.

    Only one container can use a port of a node, so the edge of each node restarts.

    Raises:
        InputError: No release serves yet, or the new edge is not valid; nothing was changed.
        RolledBackError: Users cannot reach the site by the new edge; the old one serves again.
        RollbackFailedError: They cannot reach it by the old one either.
    """
    values = load_secrets(environment, environ)
    swarm = connect(environment)
    with (
        raise_on_signal(),
        hold_lock(swarm, environment.stack, "renew the edge"),
        notify_outcome(environment, values, "renew", "the edge"),
        recorded(swarm, environment.stack, "renew", _EDGE),
    ):
        live = live_release(swarm, environment)
        new = prepare_edge(swarm, environment, live.images[load().app.edge], values)
        _replace_or_restore(swarm, environment, new, values)


def _replace_or_restore(
    swarm: SwarmClient, environment: Environment, new: Service, values: Mapping[str, str]
) -> None:
    """Replace the edge, or restore the old one.

    Raises:
        RolledBackError: Users cannot reach the site by the new edge; the old one serves again.
        RollbackFailedError: They cannot reach it by the old one either.
    """
    try:
        timed_step(_EDGE, lambda: _replace_edge(swarm, environment, new))
        _require_reachable(swarm, environment, values, environment.timings.monitor)
    except (CheckFailedError, KeyboardInterrupt) as error:
        known = error if isinstance(error, CheckFailedError) else None
        why = str(known) if known else "interrupted"
        kind = RolledBackError if known else DeployInterruptedError
        with ignore_signals():
            _restore_edge(swarm, environment, new, values, why)
        look = f"docker service ps --no-trunc {environment.stack}_{_EDGE}"
        hint = known.hint if known else look
        raise kind(f"{why}\nthe previous edge serves again", hint=hint) from None


def _replace_edge(swarm: SwarmClient, environment: Environment, new: Service) -> None:
    """Replace the edge on each node.

    Raises:
        CheckFailedError: The new edge does not start.
    """
    service, deploy_id = f"{environment.stack}_{_EDGE}", new["environment"]["DEPLOY_ID"]
    desired = [task for task in swarm.tasks(service) if task["DesiredState"] == "running"]
    swarm.deploy(environment.stack, stack_file(environment.stack, {_EDGE: new}))
    wanted = ExpectedState(service, new["image"], deploy_id, max(len(desired), 1))
    wait_for_convergence(swarm, wanted, environment.rollout_timeout)


def _restore_edge(
    swarm: SwarmClient, environment: Environment, new: Service, values: Mapping[str, str], why: str
) -> None:
    """Roll back to the previous edge, if the new one was deployed.

    Raises:
        RollbackFailedError: The previous edge does not serve.
    """
    service = f"{environment.stack}_{_EDGE}"
    log(f"{why}; restoring the previous edge")
    try:
        if not _is_in_place(swarm, service, new):
            return
        swarm.check_output("service", "rollback", "--detach", "--quiet", service)
        wait_until_running(swarm, service, environment.timings.start_timeout)
        _require_reachable(swarm, environment, values, environment.timings.start_timeout)
    except CheckFailedError as error:
        hint = f"act immediately: docker service ps --no-trunc {service}; {error.hint}"
        text = f"{why}\nand the rollback failed: {error}"
        raise RollbackFailedError(text, hint=hint) from None


def _is_in_place(swarm: SwarmClient, service: str, new: Service) -> bool:
    """Return whether the engine has the spec of the new edge.

    Without it, an engine rollback would go back one edge too far.
    """
    found = swarm.service(service)
    deploy_id = new["environment"]["DEPLOY_ID"]
    return found is not None and service_variable(found, "DEPLOY_ID") == deploy_id


def _require_reachable(
    swarm: SwarmClient, environment: Environment, values: Mapping[str, str], seconds: float
) -> None:
    """Wait until users reach the site; the first DNS queries of a new edge may fail.

    Raises:
        CheckFailedError: The site is still unreachable after the time limit.
    """
    end = time.monotonic() + seconds
    while wrong := find_user_error(swarm, environment, values)[1]:
        if time.monotonic() > end:
            raise CheckFailedError(wrong, hint="invoke status; invoke logs --service=edge")
        time.sleep(POLL_INTERVAL)
