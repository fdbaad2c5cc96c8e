"""Whether processes die within the replicas of a release, as these tell by way of the edge.

The engine sees a container end, and none of the processes in it: a server that lives replaces a
worker that was killed, for its memory or by a fault of its own, and what it was asked is lost. The
edge draws which replica answers, and reaches those on every node.
"""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPException

from pipeline.deploy.cluster.client import JSONObject, SwarmClient
from pipeline.deploy.cluster.retry import EngineUnavailableError
from pipeline.deploy.progress import log
from pipeline.deploy.rollout.requests import WORKERS
from pipeline.deploy.smoke.runner import new_client
from pipeline.deploy.smoke.scenario import Response, SmokeStep
from pipeline.errors import CheckFailedError

CHECK_INTERVAL = 3
ANSWER_TIMEOUT = 5
TIMES, MOST = 4, 20
"""How often each replica is asked on average, in passing and until all have answered."""
MAX_SILENT = 3
"""So many questions in vain end a search: others judge a site that does not answer."""

Ask = Callable[[], Response | None]


class WorkersDieError(CheckFailedError):
    """Workers of a release die under a server that lives."""


@dataclass(frozen=True)
class WorkerReport:
    """What a replica tells: of which deployment it is, its host name, and how many workers died."""

    deploy_id: str
    replica: str
    died: int


def parse_report(answer: Response | None) -> WorkerReport | None:
    """Read an answer; None, if it does not tell: releases of before have no such answer."""
    match answer:
        case Response(status=HTTPStatus.OK, content={"deploy_id": str(), "died": int()}):
            known = answer.content
            return WorkerReport(known["deploy_id"], str(known.get("replica")), known["died"])
    return None


def report_reader(url: str, given: Mapping[str, str], certificate: str) -> Ask:
    """Return what asks the replica that the edge draws; it returns None where no answer comes.

    Args:
        url: The origin of the site.
        given: Headers to send with every request.
        certificate: What to trust besides the usual authorities, as PEM.
    """
    visitor, step = new_client(url, given, certificate), SmokeStep("workers", WORKERS)

    def ask() -> Response | None:
        try:
            return visitor.send(step, time.monotonic() + ANSWER_TIMEOUT)
        except (OSError, HTTPException):
            return None

    return ask


class WorkerMonitor:
    """The workers of one deployment's replicas.

    Args:
        swarm: Where they are.
        service: The service of the replicas.
        deploy_id: The deployment; what replicas of another one tell is passed over.
        replicas: How many there are.
        ask: Asks one of them.
    """

    def __init__(
        self, swarm: SwarmClient, service: str, deploy_id: str, replicas: int, ask: Ask
    ) -> None:
        self.swarm, self.service, self.deploy_id = swarm, service, deploy_id
        self.replicas, self.ask = replicas, ask
        self.died: dict[str, int] = {}
        self.looked = time.monotonic()

    def check(self) -> None:
        """See to it that none died, every few seconds however often one asks.

        Raises:
            WorkersDieError: One did.
        """
        if time.monotonic() < self.looked + CHECK_INTERVAL:
            return
        for _ in range(TIMES * self.replicas):
            if not self.query():
                break
        self.looked = time.monotonic()
        self.raise_if_dying()

    def final_check(self) -> None:
        """See to it that no replica has lost a worker, and say so where not all of them tell.

        Raises:
            WorkersDieError: One has.
        """
        self.query_all()
        self.raise_if_dying()
        if not self.has_all_reports:
            log(f"whether workers of {self.service} died, {self.share} replicas tell")

    def query_all(self) -> None:
        """Ask until every replica has told, or it is in vain."""
        self.died.clear()
        silent = 0
        for _ in range(MOST * self.replicas):
            silent += not self.query()
            if silent == MAX_SILENT or self.has_all_reports:
                return

    def query(self) -> bool:
        """Ask one replica; say whether it told."""
        found = parse_report(self.ask())
        if found and found.deploy_id == self.deploy_id:
            self.died[found.replica] = found.died
        return found is not None

    @property
    def has_all_reports(self) -> bool:
        """Whether every replica has told."""
        return len(self.died) >= self.replicas

    @property
    def share(self) -> str:
        """How many of the replicas have told."""
        return f"{len(self.died)} of {self.replicas}"

    def raise_if_dying(self) -> None:
        """Stop at a death, with what the replica said last.

        Raises:
            WorkersDieError: There is one.
        """
        if not (fault := self.fault()):
            return
        replica = next(name for name, died in self.died.items() if died)
        with suppress(EngineUnavailableError):
            for task in self.tasks_of(replica):
                log(f"the last words of {self.service}:\n{self.swarm.tail_logs(task['ID'])}")
        raise WorkersDieError(fault, hint=self.hint)

    def fault(self) -> str:
        """Say which replica has lost how many workers; nothing, if none has."""
        return "; ".join(
            f"{died} of the workers of {self.replica_name(replica)} died since its server started"
            for replica, died in self.died.items()
            if died
        )

    def __str__(self) -> str:
        """Say what is known of them."""
        return self.fault() or f"none has died since its server started; {self.share} replicas tell"

    @property
    def hint(self) -> str:
        """Where to look for the cause."""
        return f"docker service logs {self.service}: was it a fault, or the limit of its memory?"

    def replica_name(self, replica: str) -> str:
        """Return what the engine calls a replica, with the id of its container."""
        with suppress(EngineUnavailableError):
            for task in self.tasks_of(replica):
                return f"{self.service}.{task.get('Slot')} (container {replica})"
        return f"{self.service} ({replica})"

    def tasks_of(self, replica: str) -> list[JSONObject]:
        """Return the task with a container; none, where host names are others."""
        return [task for task in self.swarm.tasks(self.service) if container(task) == replica]


def container(task: JSONObject) -> str:
    """Return the host name of a task's container, which the engine makes of its id."""
    found: str = (task["Status"].get("ContainerStatus") or {}).get("ContainerID", "")
    return found[:12]
