"""The state of one deployment in progress."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from pipeline.config import load
from pipeline.deploy.cluster.client import SwarmClient
from pipeline.deploy.cluster.convergence import ExpectedState
from pipeline.deploy.cluster.deploy_target import DeployTarget
from pipeline.deploy.cluster.replicas import Replicas
from pipeline.deploy.cluster.stackfile import Release, Service
from pipeline.deploy.database import Database
from pipeline.deploy.rollout.health import Health
from pipeline.deploy.rollout.traffic_monitor import TrafficMonitor
from pipeline.deploy.rollout.workers import WorkerMonitor, report_reader
from pipeline.deploy.state.deploy_lock import Lock
from pipeline.deploy.state.journal import DeploymentRecord
from pipeline.environments import Environment


@dataclass
class Deployment:
    """One deployment in progress.

    Attributes:
        target: The environment, and the client of its swarm.
        release: The release to deploy.
        services: Its services, as in a Compose file.
        previous: The live release of the journal; None for a first deployment.
        lock: The deploy lock; every step requires it.
        headers: Headers that bypass maintenance mode.
        migrates: Whether to migrate the database; a rollback does not.
        schema_is_current: Whether no migration is pending, according to the self-check.
        settled: Whether the migrate job would change nothing, according to the self-check.
        health: The health of the live release just before the roll.
        log_out: Whether the deployment may log out all users.
        rolled_services: The services of which users may already see the new release.
        note: A remark for the journal.
    """

    target: DeployTarget
    release: Release
    services: Mapping[str, Service]
    previous: DeploymentRecord | None
    lock: Lock
    headers: Mapping[str, str] = field(default_factory=dict)
    migrates: bool = True
    schema_is_current: bool = False
    settled: bool = False
    health: Health = field(default_factory=Health)
    log_out: bool = False
    rolled_services: list[str] = field(default_factory=list)
    note: str = ""

    @property
    def environment(self) -> Environment:
        """The environment of the target."""
        return self.target.environment

    @property
    def swarm(self) -> SwarmClient:
        """The client of the target's swarm."""
        return self.target.swarm

    @property
    def secrets(self) -> Mapping[str, str]:
        """The values of the target's secrets."""
        return self.target.secrets

    @property
    def stack(self) -> str:
        """The prefix of the names of all services."""
        return self.environment.stack

    @property
    def api(self) -> Service:
        """The service of the API."""
        return self.services[load().app.api]

    @property
    def database(self) -> Database:
        """The environment's database, with the client of this release's PostgreSQL image."""
        return Database(self.target, self.release.images[load().app.database])

    @cached_property
    def traffic_monitor(self) -> TrafficMonitor:
        """Measures the answers to users; the first access takes the baseline."""
        services = [f"{self.stack}_{name}" for name in self.services]
        replicas = Replicas(self.swarm, services, self.release.deploy_id)
        edge, tolerance = f"{self.stack}_edge", self.environment.tolerance
        return TrafficMonitor(self.swarm, edge, tolerance, replicas, outage=self.health.is_outage)

    @cached_property
    def workers(self) -> WorkerMonitor:
        """Counts the workers of the release at the public URL."""
        return self.workers_of(load().app.api, self.api, self.headers)

    def workers_of(self, name: str, service: Service, headers: Mapping[str, str]) -> WorkerMonitor:
        """Return the worker count of a service that these headers select."""
        certificate = self.target.certificate
        ask = report_reader(self.environment.url, headers, certificate)
        wanted = self.expected_state(name, service)
        return WorkerMonitor(self.swarm, wanted.service, wanted.deploy_id, wanted.replicas, ask)

    def look(self) -> None:
        """Raise if answers to users get worse, or if a worker exits."""
        self.traffic_monitor.check()
        self.workers.check()

    def expected_state(self, name: str, service: Service) -> ExpectedState:
        """Return the state in which a service has converged."""
        deploy_id = service["environment"]["DEPLOY_ID"]
        return ExpectedState(
            f"{self.stack}_{name}", service["image"], deploy_id, service["deploy"]["replicas"]
        )
