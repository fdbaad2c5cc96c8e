"""Whether a site serves its users: its replicas, and what a user gets who opens it.

What does not serve before a roll is nothing to go back to: see `pipeline.deploy.rollout.runbook`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from pipeline.deploy.cluster.client import JSONObject, SwarmClient
from pipeline.deploy.smoke.runner import open_site
from pipeline.deploy.state.journal import DeploymentRecord
from pipeline.environments import Environment
from pipeline.errors import CheckFailedError


@dataclass(frozen=True)
class Health:
    """How a release serves.

    Attributes:
        running: By service, how many replicas run.
        meant: By service, how many are meant to.
        fault: What a user finds; nothing, if the site opens.
    """

    running: Mapping[str, int] = field(default_factory=dict)
    desired: Mapping[str, int] = field(default_factory=dict)
    fault: str = ""

    @property
    def missing_services(self) -> Iterator[str]:
        """The services that lack replicas."""
        for name, meant in self.desired.items():
            if (up := self.running[name]) < meant:
                yield f"{up} of {meant} replicas of {name}"

    @property
    def is_outage(self) -> bool:
        """Whether no user is served."""
        return bool(self.fault) or 0 in self.running.values()

    def __str__(self) -> str:
        """Say what is wrong."""
        return "; ".join(filter(None, [*self.missing_services, self.fault]))


def check_health(
    swarm: SwarmClient,
    environment: Environment,
    live: DeploymentRecord,
    headers: Mapping[str, str],
    credentials: Mapping[str, str],
) -> Health:
    """Look how the release that is live serves.

    Args:
        swarm: Where.
        environment: Which.
        live: What is live by the journal.
        headers: Let us in where users find the site closed.
        credentials: The values of the environment's secrets.
    """
    stack, services = environment.stack, live.services
    running = {name: len(running_tasks(swarm, f"{stack}_{name}")) for name in services}
    meant = {name: service["deploy"]["replicas"] for name, service in services.items()}
    fault = ""
    try:
        open_site(environment.url, headers, environment.trusted_certificate(credentials))
    except CheckFailedError as error:
        fault = str(error)
    return Health(running, meant, fault)


def running_tasks(swarm: SwarmClient, service: str) -> list[JSONObject]:
    """Return the tasks of a service that run, and are meant to.

    Raises:
        EngineAwayError: The engine does not say.
    """
    return [
        task
        for task in swarm.tasks(service)
        if task["Status"]["State"] == task["DesiredState"] == "running"
    ]
