"""A site as its users have it: whether it opens, and whether what it stands on runs."""

from collections.abc import Iterator, Mapping

from pipeline.deploy.cluster.client import SwarmClient
from pipeline.deploy.commands.maintenance import BYPASS_HEADER, maintenance_since
from pipeline.deploy.rollout.context import BACKEND
from pipeline.deploy.rollout.health import running_tasks
from pipeline.deploy.rollout.workers import WorkerMonitor, report_reader
from pipeline.deploy.smoke.runner import open_site
from pipeline.deploy.state.journal import DeploymentRecord
from pipeline.environments import Environment
from pipeline.errors import CheckFailedError


def find_user_error(
    swarm: SwarmClient, environment: Environment, credentials: Mapping[str, str]
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
    if maintenance_since(swarm, environment) and not given:
        return "it is closed, and PREVIEW_TOKEN is not set here, which opens it", ""
    try:
        open_site(environment.url, given, certificate)
    except CheckFailedError as error:
        return "", str(error)
    return f"{environment.url} opens", ""


def way_in(environment: Environment, credentials: Mapping[str, str]) -> tuple[dict[str, str], str]:
    """Return the headers that open a closed site, if they are known here, and what to trust."""
    token = credentials.get("PREVIEW_TOKEN", "")
    certificate = environment.trusted_certificate({"TLS_CERTIFICATE": "", **credentials})
    return ({BYPASS_HEADER: token} if token else {}), certificate


def workers_of(
    swarm: SwarmClient,
    environment: Environment,
    live: DeploymentRecord,
    credentials: Mapping[str, str],
) -> WorkerMonitor:
    """Ask the replicas of the live release for their workers; return what they told."""
    service = f"{environment.stack}_{BACKEND}"
    replicas = live.services[BACKEND]["deploy"]["replicas"]
    ask = report_reader(environment.url, *way_in(environment, credentials))
    workers = WorkerMonitor(swarm, service, live.deploy_id, replicas, ask)
    workers.query_all()
    return workers


def infrastructure_replicas(
    swarm: SwarmClient, environment: Environment
) -> Iterator[tuple[str, int, int]]:
    """Yield what an environment stands on: the name, how many run, and how many are meant to.

    Raises:
        EngineAwayError: The engine does not say.
    """
    for name in ("edge", "redis", "postgres") if environment.managed_data else ("edge",):
        tasks = swarm.tasks(f"{environment.stack}_{name}")
        meant = [task for task in tasks if task["DesiredState"] == "running"]
        yield name, len(running_tasks(swarm, f"{environment.stack}_{name}")), max(len(meant), 1)
