"""Counts the worker processes that exited inside the replicas of a release.

The engine notices only when a container ends. A server replaces a worker that was killed, and the
requests of that worker are lost. So each replica counts its own, and the deploy reads the count
through the edge, which picks a replica at random and reaches every node.
"""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPException

from pipeline.config import load
from pipeline.deploy.cluster.client import JSONObject, SwarmClient
from pipeline.deploy.cluster.retry import EngineUnavailableError
from pipeline.deploy.progress import log
from pipeline.deploy.smoke.runner import new_client
from pipeline.deploy.smoke.steps import Response, SmokeStep
from pipeline.errors import CheckFailedError

CHECK_INTERVAL = 3
_ANSWER_TIMEOUT = 5
_TIMES, _MOST = 4, 20
"""Requests per replica: in each check, and at most until all replicas have answered."""
_MAX_SILENT = 3
"""Give up after so many requests without an answer; other checks report a site that is down."""

_Ask = Callable[[], Response | None]


class WorkersDieError(CheckFailedError):
    """Workers of a release exited under a running server."""


@dataclass(frozen=True)
class WorkerReport:
    """The report of a replica: its deployment, its host name, and the number of exited workers."""

    deploy_id: str
    replica: str
    exited: int


def parse_report(answer: Response | None) -> WorkerReport | None:
    """Parse an answer; None if it is no report, as older releases have no such endpoint."""
    match answer:
        case Response(status=HTTPStatus.OK, content={"deploy_id": str(), "died": int()}):
            known = answer.content
            return WorkerReport(known["deploy_id"], str(known.get("replica")), known["died"])
    return None


def report_reader(url: str, given: Mapping[str, str], certificate: str) -> _Ask:
    """Return a function that requests the report of a random replica; None without an answer.

    Args:
        url: The origin of the site.
        given: Headers of every request.
        certificate: An additional trusted certificate, as PEM.
    """
    client, step = (
        new_client(url, given, certificate),
        SmokeStep("workers", load().app.paths.workers),
    )

    def ask() -> Response | None:
        try:
            return client.send(step, time.monotonic() + _ANSWER_TIMEOUT)
        except (OSError, HTTPException):
            return None

    return ask


class WorkerMonitor:
    """Collects the reports of one deployment's replicas.

    Args:
        swarm: The client of the swarm.
        service: The service of the replicas.
        deploy_id: The deployment; reports of other deployments are ignored.
        replicas: Number of replicas.
        ask: Requests a report.
    """

    def __init__(
        self, swarm: SwarmClient, service: str, deploy_id: str, replicas: int, ask: _Ask
    ) -> None:
        self.swarm, self.service, self.deploy_id = swarm, service, deploy_id
        self.replicas, self.ask = replicas, ask
        self.exited: dict[str, int] = {}
        self.looked = time.monotonic()

    def check(self) -> None:
        """Request some reports, at most every `CHECK_INTERVAL` seconds.

        Raises:
            WorkersDieError: A worker exited.
        """
        if time.monotonic() < self.looked + CHECK_INTERVAL:
            return
        for _ in range(_TIMES * self.replicas):
            if not self.query():
                break
        self.looked = time.monotonic()
        self.raise_if_dying()

    def final_check(self) -> None:
        """Request the reports of all replicas; log if some do not report.

        Raises:
            WorkersDieError: A worker exited.
        """
        self.query_all()
        self.raise_if_dying()
        if not self.has_all_reports:
            log(f"{self.share} replicas of {self.service} report their workers")

    def query_all(self) -> None:
        """Request reports until every replica has reported, or several requests failed."""
        self.exited.clear()
        failed = 0
        for _ in range(_MOST * self.replicas):
            failed += not self.query()
            if failed == _MAX_SILENT or self.has_all_reports:
                return

    def query(self) -> bool:
        """Request one report; return whether there was one."""
        found = parse_report(self.ask())
        if found and found.deploy_id == self.deploy_id:
            self.exited[found.replica] = found.exited
        return found is not None

    @property
    def has_all_reports(self) -> bool:
        return len(self.exited) >= self.replicas

    @property
    def share(self) -> str:
        return f"{len(self.exited)} of {self.replicas}"

    def raise_if_dying(self) -> None:
        """Raise if a worker exited; print the last log lines of its replica.

        Raises:
            WorkersDieError: A worker exited.
        """
        if not (fault := self.fault()):
            return
        replica = next(name for name, exited in self.exited.items() if exited)
        with suppress(EngineUnavailableError):
            for task in self.tasks_of(replica):
                log(f"last log lines of {self.service}:\n{self.swarm.tail_logs(task['ID'])}")
        raise WorkersDieError(fault, hint=self.hint)

    def fault(self) -> str:
        """Return the number of exited workers of each replica as a text; empty without any."""
        return "; ".join(
            f"{exited} workers of {self.replica_name(replica)} exited since its server started"
            for replica, exited in self.exited.items()
            if exited
        )

    def __str__(self) -> str:
        return (
            self.fault()
            or f"no worker exited since its server started; {self.share} replicas report"
        )

    @property
    def hint(self) -> str:
        return f"docker service logs {self.service}: a crash, or the memory limit?"

    def replica_name(self, replica: str) -> str:
        """Return the name of a replica in the engine, with the id of its container."""
        with suppress(EngineUnavailableError):
            for task in self.tasks_of(replica):
                return f"{self.service}.{task.get('Slot')} (container {replica})"
        return f"{self.service} ({replica})"

    def tasks_of(self, replica: str) -> list[JSONObject]:
        """Return the task of a container; empty if the host name is not the container's id."""
        return [task for task in self.swarm.tasks(self.service) if _container(task) == replica]


def _container(task: JSONObject) -> str:
    """Return the host name of a task's container: the first characters of its id."""
    found: str = (task["Status"].get("ContainerStatus") or {}).get("ContainerID", "")
    return found[:12]
