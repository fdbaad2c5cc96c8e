"""A site as its users have it: whether it opens, and whether what it stands on runs."""

from collections.abc import Iterator, Mapping

from pipeline.deploy.cluster.client import Swarm
from pipeline.deploy.commands.maintenance import HEADER, closed
from pipeline.deploy.rollout.context import BACKEND
from pipeline.deploy.rollout.health import running_of
from pipeline.deploy.rollout.workers import Workers, asking
from pipeline.deploy.smoke.runner import reach
from pipeline.deploy.state.journal import Entry
from pipeline.environments import Environment
from pipeline.errors import CheckFailedError


def users_find(
    swarm: Swarm, environment: Environment, credentials: Mapping[str, str]
) -> tuple[str, str]:
    """Open a site as a user does.

    Args:
        swarm: Where it is.
        environment: Which.
        credentials: Those of its secrets that are known here; none has to be.

    Returns:
        What a user finds if it is well, and what is wrong if it is not; one of them is empty.
    """
    given, certificate = way_in(environment, credentials)
    if closed(swarm, environment) and not given:
        return "it is closed, and PREVIEW_TOKEN is not set here, which opens it", ""
    try:
        reach(environment.url, given, certificate)
    except CheckFailedError as error:
        return "", str(error)
    return f"{environment.url} opens", ""


def way_in(environment: Environment, credentials: Mapping[str, str]) -> tuple[dict[str, str], str]:
    """Return the headers that open a closed site, if they are known here, and what to trust."""
    token = credentials.get("PREVIEW_TOKEN", "")
    certificate = environment.certificate({"TLS_CERTIFICATE": "", **credentials})
    return ({HEADER: token} if token else {}), certificate


def workers_of(
    swarm: Swarm, environment: Environment, live: Entry, credentials: Mapping[str, str]
) -> Workers:
    """Ask the replicas of the live release for their workers; return what they told."""
    service = f"{environment.stack}_{BACKEND}"
    replicas = live.services[BACKEND]["deploy"]["replicas"]
    ask = asking(environment.url, *way_in(environment, credentials))
    workers = Workers(swarm, service, live.deploy_id, replicas, ask)
    workers.hear_all()
    return workers


def foundation(swarm: Swarm, environment: Environment) -> Iterator[tuple[str, int, int]]:
    """Yield what an environment stands on: the name, how many run, and how many are meant to.

    Raises:
        EngineAwayError: The engine does not say.
    """
    for name in ("edge", "redis", "postgres") if environment.data else ("edge",):
        tasks = swarm.tasks(f"{environment.stack}_{name}")
        meant = [task for task in tasks if task["DesiredState"] == "running"]
        yield name, len(running_of(swarm, f"{environment.stack}_{name}")), max(len(meant), 1)
