"""Whether the engine of an environment, and what is needed here to reach it, will do."""

import re
import shutil
from datetime import UTC, datetime, timedelta

from pipeline.deploy.cluster.client import Swarm
from pipeline.deploy.cluster.start_failures import activate, idle
from pipeline.deploy.state.deploy_lock import current, described, is_stale, moment
from pipeline.deploy.state.journal import Entry
from pipeline.deploy.target import CLIENT, ENGINE, old
from pipeline.errors import CheckFailedError, MissingToolError, NotJudgedError
from pipeline.git import head
from pipeline.images.commands import docker
from pipeline.images.targets import repository_for
from pipeline.images.tools import INSTALL_HINTS
from pipeline.process import last_words, read

SKEW = timedelta(seconds=5)
LEAST_FREE = 10
"""Per cent of the disk."""
REFUSED = re.compile(r"unauthorized|denied|forbidden|authentication|401|403", re.IGNORECASE)
ABSENT = re.compile(r"not found|manifest unknown|404", re.IGNORECASE)


def tool_is_here(name: str) -> str:
    """Look for a program.

    Raises:
        MissingToolError: It is not here.
    """
    found = shutil.which(name)
    if found is None:
        raise MissingToolError("it is not on the PATH", hint=INSTALL_HINTS[name])
    return found


def engine_is_new_enough(swarm: Swarm) -> str:
    """Look how old the engine is, and the docker here.

    Raises:
        InputError: It does not answer.
        MissingToolError: One is too old.
    """
    if too_old := old(swarm):
        why = "jobs came with that engine, `stack deploy --detach` with that docker"
        raise MissingToolError(f"{'; '.join(too_old)} ({why})", hint=INSTALL_HINTS["docker"])
    return f"at least {ENGINE[0]}.{ENGINE[1]}; docker here at least {CLIENT[0]}.{CLIENT[1]}"


def nodes_are_ready(swarm: Swarm) -> str:
    """Look whether there is a swarm, and all its nodes take work.

    Raises:
        InputError: The engine is no manager of one.
        CheckFailedError: A node does not.
    """
    swarm.require_manager()
    if away := idle(swarm):
        raise CheckFailedError(f"a node takes no work: {', '.join(away)}", hint=activate(away))
    return f"a manager, of {len(swarm.tell('node', 'ls', '--quiet').split())}"


def registry_answers(live: Entry | None) -> str:
    """Look whether the registry hands out what is deployed; it is asked for the live release.

    Raises:
        CheckFailedError: It does not answer, or does not know who asks.
    """
    reference = live.images["backend"] if live else f"{repository_for('backend')}:{head().tag}"
    answer = read(docker.raw_manifest(reference))
    host = reference.partition("/")[0]
    if not answer.returncode:
        return f"{host} gives {'what is live' if live else 'this commit'}"
    if REFUSED.search(answer.stderr):
        raise CheckFailedError(f"{host} refuses: {last_words(answer)}", hint=f"docker login {host}")
    if live or not ABSENT.search(answer.stderr):
        raise CheckFailedError(
            f"{host} does not give {reference}: {last_words(answer)}",
            hint="look at the registry, and at the network between",
        )
    return f"{host} answers; it has nothing of this commit"


def lock_is_free(swarm: Swarm, stack: str) -> str:
    """Look who deploys.

    Raises:
        CheckFailedError: Somebody who is dead.
    """
    lock = current(swarm, stack)
    if lock and is_stale(swarm, stack):
        raise CheckFailedError(
            f"{described(lock)}, who left no sign of life", hint="invoke unlock, or deploy again"
        )
    return described(lock) if lock else "free"


def clocks_agree(swarm: Swarm) -> str:
    """Look at the engine's clock.

    Raises:
        CheckFailedError: It goes wrong, or ours does.
    """
    asked = datetime.now(UTC)
    theirs = moment(swarm.tell("info", "--format={{.SystemTime}}").strip())
    between = abs(theirs - asked) - (datetime.now(UTC) - asked)
    if between > SKEW:
        raise CheckFailedError(
            f"its clock and this one differ by {between.total_seconds():.0f} s",
            hint="let NTP set both: tokens, certificates and the journal go by them",
        )
    return f"within {SKEW.seconds} s"


def disk_has_room(swarm: Swarm, live: Entry | None) -> str:
    """Look at the disk of the engine, from inside a container.

    Raises:
        CheckFailedError: It is nearly full.
        NotJudgedError: There is no image yet to look with.
    """
    if live is None:
        raise NotJudgedError("disk", "nothing is deployed to look with", hint="deploy first")
    look = ("run", "--rm", "--network=none", "--entrypoint=df")
    said = swarm.tell(*look, live.images["backend"], "-P", "/").splitlines()[-1].split()
    free, used = int(said[3]), int(said[4].rstrip("%"))
    if 100 - used < LEAST_FREE:
        raise CheckFailedError(f"it is {used} % full", hint="docker system df; docker image ls")
    return f"{free / 1024**2:.0f} GB free"
