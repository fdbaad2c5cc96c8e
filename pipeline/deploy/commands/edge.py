"""Replaces the edge, with the current certificate, token and configuration."""

import time
from os import environ

from pipeline.config import load
from pipeline.deploy.cluster.client import SwarmClient, service_variable
from pipeline.deploy.cluster.convergence import (
    ExpectedState,
    wait_for_convergence,
    wait_until_running,
)
from pipeline.deploy.cluster.deploy_target import DeployTarget
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
    target = connect(environment, values)
    with (
        raise_on_signal(),
        hold_lock(target.swarm, environment.stack, "renew the edge"),
        notify_outcome(target, "renew", "the edge"),
        recorded(target.swarm, environment.stack, "renew", _EDGE),
    ):
        live = live_release(target)
        new = prepare_edge(target, live.images[load().app.edge])
        _replace_or_restore(target, new)


def _replace_or_restore(target: DeployTarget, new: Service) -> None:
    """Replace the edge, or restore the old one.

    Raises:
        RolledBackError: Users cannot reach the site by the new edge; the old one serves again.
        RollbackFailedError: They cannot reach it by the old one either.
    """
    try:
        timed_step(_EDGE, lambda: _replace_edge(target, new))
        _require_reachable(target, target.environment.timings.monitor)
    except (CheckFailedError, KeyboardInterrupt) as error:
        known = error if isinstance(error, CheckFailedError) else None
        why = str(known) if known else "interrupted"
        kind = RolledBackError if known else DeployInterruptedError
        with ignore_signals():
            _restore_edge(target, new, why)
        look = f"docker service ps --no-trunc {target.stack}_{_EDGE}"
        hint = known.hint if known else look
        raise kind(f"{why}\nthe previous edge serves again", hint=hint) from None


def _replace_edge(target: DeployTarget, new: Service) -> None:
    """Replace the edge on each node.

    Raises:
        CheckFailedError: The new edge does not start.
    """
    service, deploy_id = f"{target.stack}_{_EDGE}", new["environment"]["DEPLOY_ID"]
    desired = [task for task in target.swarm.tasks(service) if task["DesiredState"] == "running"]
    target.swarm.deploy(target.stack, stack_file(target.stack, {_EDGE: new}))
    wanted = ExpectedState(service, new["image"], deploy_id, max(len(desired), 1))
    wait_for_convergence(target.swarm, wanted, target.environment.rollout_timeout)


def _restore_edge(target: DeployTarget, new: Service, why: str) -> None:
    """Roll back to the previous edge, if the new one was deployed.

    Raises:
        RollbackFailedError: The previous edge does not serve.
    """
    service = f"{target.stack}_{_EDGE}"
    log(f"{why}; restoring the previous edge")
    try:
        if not _is_in_place(target.swarm, service, new):
            return
        target.swarm.check_output("service", "rollback", "--detach", "--quiet", service)
        wait_until_running(target.swarm, service, target.environment.timings.start_timeout)
        _require_reachable(target, target.environment.timings.start_timeout)
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


def _require_reachable(target: DeployTarget, seconds: float) -> None:
    """Wait until users reach the site; the first DNS queries of a new edge may fail.

    Raises:
        CheckFailedError: The site is still unreachable after the time limit.
    """
    end = time.monotonic() + seconds
    while wrong := find_user_error(target)[1]:
        if time.monotonic() > end:
            raise CheckFailedError(wrong, hint="invoke status; invoke logs --service=edge")
        time.sleep(POLL_INTERVAL)
