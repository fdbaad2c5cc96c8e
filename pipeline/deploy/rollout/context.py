"""One deployment under way: what, where to, and how far it has come."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from pipeline.deploy.cluster.client import SwarmClient
from pipeline.deploy.cluster.convergence import ExpectedState
from pipeline.deploy.cluster.replicas import Replicas
from pipeline.deploy.cluster.stackfile import Release, Service
from pipeline.deploy.database import Database
from pipeline.deploy.rollout.health import Health
from pipeline.deploy.rollout.traffic_monitor import TrafficMonitor
from pipeline.deploy.rollout.workers import WorkerMonitor, report_reader
from pipeline.deploy.state.deploy_lock import Lock
from pipeline.deploy.state.journal import DeploymentRecord
from pipeline.environments import Environment

BACKEND = "backend"
ROLLOUT_ORDER = (BACKEND, "frontend")
"""The API first, since a new page may need it; on the way back it goes last."""


@dataclass
class Deployment:
    """One deployment under way.

    Attributes:
        environment: Where to.
        swarm: Its engine.
        release: What.
        services: How the engine is to have it.
        before: What is live until then, by the journal.
        credentials: The values of the environment's secrets.
        lock: Keeps all others out, as long as it is ours.
        headers: Lets us in where users find the site closed.
        migrates: Whether the database is brought forward; on the way back it stays.
        up_to_date: Whether the database has all migrations of the release, by its self-check.
        settled: Whether the job that migrates would change nothing at all, by its self-check.
        health: How what is live served just before the roll.
        log_out: Whether all members may be logged out by it.
        touched: The services of which users may already see the new release.
        note: What the journal is to keep of it, besides that it went well.
    """

    environment: Environment
    swarm: SwarmClient
    release: Release
    services: Mapping[str, Service]
    previous: DeploymentRecord | None
    secrets: Mapping[str, str]
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
    def stack(self) -> str:
        """What the services' names begin with."""
        return self.environment.stack

    @property
    def database(self) -> Database:
        """The environment's database, for this release's PostgreSQL to reach."""
        image, url = self.release.images["postgres"], self.secrets["DATABASE_URL"]
        return Database(self.swarm, self.environment, image, url)

    @cached_property
    def traffic_monitor(self) -> TrafficMonitor:
        """What users get from the moment on at which this is asked for first."""
        services = [f"{self.stack}_{name}" for name in self.services]
        replicas = Replicas(self.swarm, services, self.release.deploy_id)
        edge, tolerance = f"{self.stack}_edge", self.environment.tolerance
        return TrafficMonitor(self.swarm, edge, tolerance, replicas, outage=self.health.is_outage)

    @cached_property
    def workers(self) -> WorkerMonitor:
        """The workers of the release where users find it."""
        return self.workers_of(BACKEND, self.services[BACKEND], self.headers)

    def workers_of(self, name: str, service: Service, headers: Mapping[str, str]) -> WorkerMonitor:
        """Return the workers of a service of the release, which these headers lead to."""
        certificate = self.environment.trusted_certificate(self.secrets)
        ask = report_reader(self.environment.url, headers, certificate)
        wanted = self.expected_state(name, service)
        return WorkerMonitor(self.swarm, wanted.service, wanted.deploy_id, wanted.replicas, ask)

    def look(self) -> None:
        """See to it that users do not fail by the release, and that no worker of it dies."""
        self.traffic_monitor.check()
        self.workers.check()

    def expected_state(self, name: str, service: Service) -> ExpectedState:
        """Return what a service has to come to."""
        told = service["environment"]["DEPLOY_ID"]
        return ExpectedState(
            f"{self.stack}_{name}", service["image"], told, service["deploy"]["replicas"]
        )
