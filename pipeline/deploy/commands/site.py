"""A site as its users reach it: whether it opens, and whether its infrastructure runs."""

from collections.abc import Iterator, Mapping

from pipeline.config import load
from pipeline.deploy.cluster.deploy_target import DeployTarget
from pipeline.deploy.cluster.stackfile import DATA_FILE, services_of_file
from pipeline.deploy.commands.maintenance import maintenance_since
from pipeline.deploy.rollout.health import running_tasks
from pipeline.deploy.rollout.workers import WorkerMonitor, report_reader
from pipeline.deploy.smoke.runner import open_site
from pipeline.deploy.state.journal import DeploymentRecord
from pipeline.environments import Environment
from pipeline.errors import CheckFailedError


def find_user_error(target: DeployTarget) -> tuple[str, str]:
    """Open a site as a user does.

    Args:
        target: The environment.

    Returns:
        A text for a working site and a text for a broken one; one of them is empty.
    """
    given, certificate = _access_headers(target.environment, target.secrets)
    if maintenance_since(target) and not given:
        return "the site is closed, and PREVIEW_TOKEN is not set here", ""
    try:
        open_site(target.environment.url, given, certificate)
    except CheckFailedError as error:
        return "", str(error)
    return f"{target.environment.url} opens", ""


def _access_headers(
    environment: Environment, credentials: Mapping[str, str]
) -> tuple[dict[str, str], str]:
    """Return the headers that reach a closed site, if known here, and the certificate."""
    token = credentials.get("PREVIEW_TOKEN", "")
    certificate = environment.trusted_certificate({"TLS_CERTIFICATE": "", **credentials})
    return ({load().app.bypass_header: token} if token else {}), certificate


def workers_of(target: DeployTarget, live: DeploymentRecord) -> WorkerMonitor:
    """Return the worker reports of the live release."""
    service = f"{target.stack}_{load().app.api}"
    replicas = live.api["deploy"]["replicas"]
    ask = report_reader(
        target.environment.url, *_access_headers(target.environment, target.secrets)
    )
    workers = WorkerMonitor(target.swarm, service, live.deploy_id, replicas, ask)
    workers.query_all()
    return workers


def infrastructure_replicas(target: DeployTarget) -> Iterator[tuple[str, int, int]]:
    """Yield the edge and the services of deploy/data.yml: name, running and desired replicas.

    Raises:
        EngineUnavailableError: The engine does not answer.
    """
    data = services_of_file(DATA_FILE) if target.environment.managed_data else {}
    for name in ("edge", *data):
        tasks = target.swarm.tasks(f"{target.stack}_{name}")
        desired = [task for task in tasks if task["DesiredState"] == "running"]
        yield name, len(running_tasks(target.swarm, f"{target.stack}_{name}")), max(len(desired), 1)
