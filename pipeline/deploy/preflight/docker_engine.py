"""Checks the engine of an environment, and the tools that reach it."""

import re
import shutil
from datetime import UTC, datetime, timedelta

from pipeline.config import load
from pipeline.deploy.cluster.client import SwarmClient
from pipeline.deploy.cluster.start_failures import activate_command, unavailable_nodes
from pipeline.deploy.state.deploy_lock import describe_lock, is_stale, parse_timestamp, read_lock
from pipeline.deploy.state.journal import DeploymentRecord
from pipeline.deploy.target import MIN_CLIENT_VERSION, MIN_ENGINE_VERSION, outdated_components
from pipeline.errors import CheckFailedError, InconclusiveError, MissingToolError
from pipeline.git import head
from pipeline.images.commands import docker
from pipeline.images.targets import repository_for
from pipeline.images.tools import INSTALL_HINTS
from pipeline.process import capture, last_error_line

_MAX_CLOCK_SKEW = timedelta(seconds=5)
_MIN_FREE_PERCENT = 10
"""Minimum of free disk space, in percent."""
_AUTH_ERROR = re.compile(r"unauthorized|denied|forbidden|authentication|401|403", re.IGNORECASE)
_NOT_FOUND_ERROR = re.compile(r"not found|manifest unknown|404", re.IGNORECASE)


def check_tool(name: str) -> str:
    """Check that a program is installed.

    Raises:
        MissingToolError: It is not on the PATH.
    """
    found = shutil.which(name)
    if found is None:
        raise MissingToolError("it is not on the PATH", hint=INSTALL_HINTS[name])
    return found


def check_engine_version(swarm: SwarmClient) -> str:
    """Check the versions of the engine and of the local docker command.

    Raises:
        InputError: The engine does not answer.
        MissingToolError: One of them is too old.
    """
    if too_old := outdated_components(swarm):
        why = "jobs need that engine, `stack deploy --detach` that docker"
        raise MissingToolError(f"{'; '.join(too_old)} ({why})", hint=INSTALL_HINTS["docker"])
    engine = f"{MIN_ENGINE_VERSION[0]}.{MIN_ENGINE_VERSION[1]}"
    client = f"{MIN_CLIENT_VERSION[0]}.{MIN_CLIENT_VERSION[1]}"
    return f"at least {engine}; docker here at least {client}"


def check_nodes(swarm: SwarmClient) -> str:
    """Check that the engine is a swarm manager, and that all nodes take tasks.

    Raises:
        InputError: The engine is not a manager.
        CheckFailedError: A node takes no tasks.
    """
    swarm.require_manager()
    if away := unavailable_nodes(swarm):
        raise CheckFailedError(
            f"a node takes no tasks: {', '.join(away)}", hint=activate_command(away)
        )
    return f"a manager, of {len(swarm.check_output('node', 'ls', '--quiet').split())}"


def check_registry(live: DeploymentRecord | None) -> str:
    """Check that the registry serves the images of the live release.

    Raises:
        CheckFailedError: It does not answer, or denies access.
    """
    api = load().app.api
    reference = live.images[api] if live else f"{repository_for(api)}:{head().tag}"
    answer = capture(docker.raw_manifest(reference))
    host = reference.partition("/")[0]
    if not answer.returncode:
        return f"{host} has {'the live release' if live else 'this commit'}"
    if _AUTH_ERROR.search(answer.stderr):
        raise CheckFailedError(
            f"{host} denies access: {last_error_line(answer)}", hint=f"docker login {host}"
        )
    if live or not _NOT_FOUND_ERROR.search(answer.stderr):
        raise CheckFailedError(
            f"{host} does not serve {reference}: {last_error_line(answer)}",
            hint="check the registry and the network",
        )
    return f"{host} answers; it has no image of this commit"


def check_lock(swarm: SwarmClient, stack: str) -> str:
    """Check the deploy lock.

    Raises:
        CheckFailedError: It is stale.
    """
    lock = read_lock(swarm, stack)
    if lock and is_stale(swarm, stack):
        raise CheckFailedError(
            f"{describe_lock(lock)}, without a heartbeat",
            hint="invoke unlock, or deploy again",
        )
    return describe_lock(lock) if lock else "free"


def check_clock(swarm: SwarmClient) -> str:
    """Compare the clock of the engine with this one.

    Raises:
        CheckFailedError: They differ too much.
    """
    sent = datetime.now(UTC)
    theirs = parse_timestamp(swarm.check_output("info", "--format={{.SystemTime}}").strip())
    between = abs(theirs - sent) - (datetime.now(UTC) - sent)
    if between > _MAX_CLOCK_SKEW:
        raise CheckFailedError(
            f"its clock and this one differ by {between.total_seconds():.0f} s",
            hint="set both with NTP: tokens, certificates and the journal depend on them",
        )
    return f"within {_MAX_CLOCK_SKEW.seconds} s"


def check_disk(swarm: SwarmClient, live: DeploymentRecord | None) -> str:
    """Check the free disk space of the engine, from a container.

    Raises:
        CheckFailedError: The disk is nearly full.
        InconclusiveError: There is no image to start a container with.
    """
    if live is None:
        raise InconclusiveError("disk", "no release is deployed yet", hint="invoke deploy")
    look = ("run", "--rm", "--network=none", "--entrypoint=df")
    fields = (
        swarm.check_output(*look, live.images[load().app.api], "-P", "/").splitlines()[-1].split()
    )
    free, used = int(fields[3]), int(fields[4].rstrip("%"))
    if 100 - used < _MIN_FREE_PERCENT:
        raise CheckFailedError(f"it is {used} % full", hint="docker system df; docker image ls")
    return f"{free / 1024**2:.0f} GB free"
