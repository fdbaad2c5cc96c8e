"""A site as its users reach it: whether it opens, and whether its infrastructure runs."""

from collections.abc import Iterator, Mapping

from pipeline.config import load
from pipeline.deploy.cluster.client import SwarmClient
from pipeline.deploy.cluster.stackfile import DATA_FILE, services_of_file
from pipeline.deploy.commands.maintenance import maintenance_since
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
        swarm: The client of the swarm.
        environment: The environment of the site.
        credentials: The secrets that are set here, possibly none.

    Returns:
        A text for a working site and a text for a broken one; one of them is empty.
    """
    given, certificate = _access_headers(environment, credentials)
    if maintenance_since(swarm, environment) and not given:
        return "the site is closed, and PREVIEW_TOKEN is not set here", ""
    try:
        open_site(environment.url, given, certificate)
    except CheckFailedError as error:
        return "", str(error)
    return f"{environment.url} opens", ""


def _access_headers(
    environment: Environment, credentials: Mapping[str, str]
) -> tuple[dict[str, str], str]:
    """Return the headers that reach a closed site, if known here, and the certificate."""
    token = credentials.get("PREVIEW_TOKEN", "")
    certificate = environment.trusted_certificate({"TLS_CERTIFICATE": "", **credentials})
    return ({load().app.bypass_header: token} if token else {}), certificate


def workers_of(
    swarm: SwarmClient,
    environment: Environment,
    live: DeploymentRecord,
    credentials: Mapping[str, str],
) -> WorkerMonitor:
    """Return the worker reports of the live release."""
    service = f"{environment.stack}_{load().app.api}"
    replicas = live.api["deploy"]["replicas"]
    ask = report_reader(environment.url, *_access_headers(environment, credentials))
    workers = WorkerMonitor(swarm, service, live.deploy_id, replicas, ask)
    workers.query_all()
    return workers


def infrastructure_replicas(
    swarm: SwarmClient, environment: Environment
) -> Iterator[tuple[str, int, int]]:
    """Yield the edge and the services of deploy/data.yml: name, running and desired replicas.

    Raises:
        EngineUnavailableError: The engine does not answer.
    """
    data = services_of_file(DATA_FILE) if environment.managed_data else {}
    for name in ("edge", *data):
        tasks = swarm.tasks(f"{environment.stack}_{name}")
        desired = [task for task in tasks if task["DesiredState"] == "running"]
        yield name, len(running_tasks(swarm, f"{environment.stack}_{name}")), max(len(desired), 1)
