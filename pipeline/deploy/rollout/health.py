"""The health of the live release: its running replicas, and whether the site opens.

A release that did not serve before the roll is not rolled back to: see `runbook`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from pipeline.deploy.cluster.client import JSONObject, SwarmClient
from pipeline.deploy.cluster.deploy_target import DeployTarget
from pipeline.deploy.smoke.runner import open_site
from pipeline.deploy.state.journal import DeploymentRecord
from pipeline.errors import CheckFailedError


@dataclass(frozen=True)
class Health:
    """The health of a release.

    Attributes:
        running: Number of running replicas by service.
        desired: Number of desired replicas by service.
        fault: Why the site does not open; empty if it does.
    """

    running: Mapping[str, int] = field(default_factory=dict)
    desired: Mapping[str, int] = field(default_factory=dict)
    fault: str = ""

    @property
    def missing_services(self) -> Iterator[str]:
        """Yield a text for each service with too few replicas."""
        for name, desired in self.desired.items():
            if (running := self.running[name]) < desired:
                yield f"{running} of {desired} replicas of {name}"

    @property
    def is_outage(self) -> bool:
        """Whether users cannot reach the site."""
        return bool(self.fault) or 0 in self.running.values()

    def __str__(self) -> str:
        return "; ".join(filter(None, [*self.missing_services, self.fault]))


def check_health(
    target: DeployTarget, live: DeploymentRecord, headers: Mapping[str, str]
) -> Health:
    """Count the replicas of the live release, and open the site as a user does.

    Args:
        target: The environment.
        live: The live release of the journal.
        headers: Headers that bypass maintenance mode.
    """
    stack, services = target.stack, live.services
    running = {name: len(running_tasks(target.swarm, f"{stack}_{name}")) for name in services}
    desired = {name: service["deploy"]["replicas"] for name, service in services.items()}
    fault = ""
    try:
        open_site(target.environment.url, headers, target.certificate)
    except CheckFailedError as error:
        fault = str(error)
    return Health(running, desired, fault)


def running_tasks(swarm: SwarmClient, service: str) -> list[JSONObject]:
    """Return the tasks of a service that run and should run.

    Raises:
        EngineUnavailableError: The engine does not answer.
    """
    return [
        task
        for task in swarm.tasks(service)
        if task["Status"]["State"] == task["DesiredState"] == "running"
    ]
