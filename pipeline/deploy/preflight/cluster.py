"""Whether the engine of an environment, and what is needed here to reach it, will do."""

import re
import shutil
from datetime import UTC, datetime, timedelta

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

MAX_CLOCK_SKEW = timedelta(seconds=5)
MIN_FREE_PERCENT = 10
"""Per cent of the disk."""
AUTH_ERROR = re.compile(r"unauthorized|denied|forbidden|authentication|401|403", re.IGNORECASE)
NOT_FOUND_ERROR = re.compile(r"not found|manifest unknown|404", re.IGNORECASE)


def check_tool(name: str) -> str:
    """Look for a program.

    Raises:
        MissingToolError: It is not here.
    """
    found = shutil.which(name)
    if found is None:
        raise MissingToolError("it is not on the PATH", hint=INSTALL_HINTS[name])
    return found


def check_engine_version(swarm: SwarmClient) -> str:
    """Look how old the engine is, and the docker here.

    Raises:
        InputError: It does not answer.
        MissingToolError: One is too old.
    """
    if too_old := outdated_components(swarm):
        why = "jobs came with that engine, `stack deploy --detach` with that docker"
        raise MissingToolError(f"{'; '.join(too_old)} ({why})", hint=INSTALL_HINTS["docker"])
    engine = f"{MIN_ENGINE_VERSION[0]}.{MIN_ENGINE_VERSION[1]}"
    client = f"{MIN_CLIENT_VERSION[0]}.{MIN_CLIENT_VERSION[1]}"
    return f"at least {engine}; docker here at least {client}"


def check_nodes(swarm: SwarmClient) -> str:
    """Look whether there is a swarm, and all its nodes take work.

    Raises:
        InputError: The engine is no manager of one.
        CheckFailedError: A node does not.
    """
    swarm.require_manager()
    if away := unavailable_nodes(swarm):
        raise CheckFailedError(
            f"a node takes no work: {', '.join(away)}", hint=activate_command(away)
        )
    return f"a manager, of {len(swarm.check_output('node', 'ls', '--quiet').split())}"


def check_registry(live: DeploymentRecord | None) -> str:
    """Look whether the registry hands out what is deployed; it is asked for the live release.

    Raises:
        CheckFailedError: It does not answer, or does not know who asks.
    """
    reference = live.images["backend"] if live else f"{repository_for('backend')}:{head().tag}"
    answer = capture(docker.raw_manifest(reference))
    host = reference.partition("/")[0]
    if not answer.returncode:
        return f"{host} gives {'what is live' if live else 'this commit'}"
    if AUTH_ERROR.search(answer.stderr):
        raise CheckFailedError(
            f"{host} refuses: {last_error_line(answer)}", hint=f"docker login {host}"
        )
    if live or not NOT_FOUND_ERROR.search(answer.stderr):
        raise CheckFailedError(
            f"{host} does not give {reference}: {last_error_line(answer)}",
            hint="look at the registry, and at the network between",
        )
    return f"{host} answers; it has nothing of this commit"


def check_lock(swarm: SwarmClient, stack: str) -> str:
    """Look who deploys.

    Raises:
        CheckFailedError: Somebody who is dead.
    """
    lock = read_lock(swarm, stack)
    if lock and is_stale(swarm, stack):
        raise CheckFailedError(
            f"{describe_lock(lock)}, who left no sign of life",
            hint="invoke unlock, or deploy again",
        )
    return describe_lock(lock) if lock else "free"


def check_clock(swarm: SwarmClient) -> str:
    """Look at the engine's clock.

    Raises:
        CheckFailedError: It goes wrong, or ours does.
    """
    asked = datetime.now(UTC)
    theirs = parse_timestamp(swarm.check_output("info", "--format={{.SystemTime}}").strip())
    between = abs(theirs - asked) - (datetime.now(UTC) - asked)
    if between > MAX_CLOCK_SKEW:
        raise CheckFailedError(
            f"its clock and this one differ by {between.total_seconds():.0f} s",
            hint="let NTP set both: tokens, certificates and the journal go by them",
        )
    return f"within {MAX_CLOCK_SKEW.seconds} s"


def check_disk(swarm: SwarmClient, live: DeploymentRecord | None) -> str:
    """Look at the disk of the engine, from inside a container.

    Raises:
        CheckFailedError: It is nearly full.
        NotJudgedError: There is no image yet to look with.
    """
    if live is None:
        raise InconclusiveError("disk", "nothing is deployed to look with", hint="deploy first")
    look = ("run", "--rm", "--network=none", "--entrypoint=df")
    said = swarm.check_output(*look, live.images["backend"], "-P", "/").splitlines()[-1].split()
    free, used = int(said[3]), int(said[4].rstrip("%"))
    if 100 - used < MIN_FREE_PERCENT:
        raise CheckFailedError(f"it is {used} % full", hint="docker system df; docker image ls")
    return f"{free / 1024**2:.0f} GB free"
