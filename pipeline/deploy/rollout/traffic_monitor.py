"""What users got, by the log of the edge: the last proof of a release, and the only one by users.

A replica can be healthy, and the smoke test well, while what users do fails. The edge writes down
which replica gave each answer, so that a release is judged by its own answers only, and compared
with what users got before the roll.
"""

import time
from collections.abc import Sequence

from pipeline.deploy.cluster import failure_causes
from pipeline.deploy.cluster.client import JSONObject, SwarmClient
from pipeline.deploy.cluster.replicas import Replicas
from pipeline.deploy.cluster.retry import EngineUnavailableError, retry_while_unavailable
from pipeline.deploy.progress import log
from pipeline.deploy.rollout.requests import (
    MIN_REQUESTS,
    RequestSample,
    error_regression,
    latency_regression,
    parse_access_log,
)
from pipeline.environments import TrafficTolerance
from pipeline.errors import CheckFailedError
from pipeline.process import CommandResult, last_error_line

BASELINE_LINES = 5000
"""How far the edge is asked to remember what was before."""
CHECK_INTERVAL = 3
LOG_TIMEOUT = 15
"""The seconds that one replica of the edge has to tell its log."""


class TrafficRegressionError(CheckFailedError):
    """Users do not get what they got before."""


def has_started(task: JSONObject) -> bool:
    """Say whether a replica was ever there to say anything."""
    return bool(task["Status"].get("ContainerStatus", {}).get("ContainerID"))


def should_run(task: JSONObject) -> bool:
    """Say whether a replica is meant to serve: of one that is gone, the log may be gone too."""
    return bool(task["DesiredState"] == "running")


class TrafficMonitor:
    """What users get while a release reaches them, beside what they got before.

    It begins when it is made: before the first replica is replaced.

    Args:
        swarm: Where the edge is.
        edge: Its service.
        tolerance: How much worse it may get.
        replicas: Tell whose answers are whose.
        outage: Whether users were not served before: then that is no measure for the release, and
            an answer that no replica gave does not tell of it.
    """

    def __init__(
        self,
        swarm: SwarmClient,
        edge: str,
        tolerance: TrafficTolerance,
        replicas: Replicas,
        *,
        outage: bool = False,
    ) -> None:
        self.swarm, self.edge, self.tolerance = swarm, edge, tolerance
        self.replicas, self.outage = replicas, outage
        self.partial = False
        self.before = self.read_requests()
        self.since = max((request.at for request in self.before), default="")
        self.looked = time.monotonic()

    def read_requests(self, *options: str) -> list[RequestSample]:
        """Return the requests that the edge remembers.

        Raises:
            EngineAwayError: The engine does not say.
        """
        chosen = options or (f"--tail={BASELINE_LINES}",)
        return [
            found
            for log in retry_while_unavailable(lambda: self.collect_logs(chosen))
            for found in parse_access_log(log)
        ]

    def collect_logs(self, options: Sequence[str]) -> list[str]:
        """Return what the replicas of the edge said, each asked by itself.

        Asked for the service as a whole, the engine fails for one node that is down, and hangs
        for one that has come back: https://github.com/moby/moby/issues/37336,
        https://github.com/moby/moby/issues/41733.

        Raises:
            EngineAwayError: None of those that are to serve says anything.
        """
        begun = [task for task in self.swarm.tasks(self.edge) if has_started(task)]
        answers = [(task, self.task_log(task, options)) for task in begun]
        meant = [answer for task, answer in answers if should_run(task)]
        silent = [answer for answer in meant if answer.returncode]
        if silent and len(silent) == len(meant):
            raise EngineUnavailableError(
                f"the edge's log is out of reach: {last_error_line(silent[0])}",
                hint=failure_causes.hint_for_error(last_error_line(silent[0]), "docker node ls"),
            )
        if silent:
            self.warn_partial_logs(silent[0])
        return [answer.stdout for _, answer in answers if not answer.returncode]

    def task_log(self, task: JSONObject, options: Sequence[str]) -> CommandResult:
        """Ask one replica of the edge."""
        asked = ("service", "logs", "--raw", *options, task["ID"])
        return self.swarm.run(*asked, seconds=LOG_TIMEOUT)

    def warn_partial_logs(self, answer: CommandResult) -> None:
        """Say, once, that users are judged by some of the edge's replicas only."""
        if not self.partial:
            log(f"a part of the log of {self.edge} is out of reach: {last_error_line(answer)}")
        self.partial = True

    def requests_since_start(self) -> list[RequestSample]:
        """Return the requests since it began, by the edge's own clock."""
        if not self.since:
            return self.read_requests()
        return [
            found for found in self.read_requests(f"--since={self.since}") if found.at > self.since
        ]

    def evaluate(self) -> tuple[Sequence[RequestSample], Sequence[RequestSample]]:
        """Refuse failing answers; return what the release is compared with, and its own answers.

        Raises:
            UsersFailError: Users fail by it.
        """
        self.replicas.refresh()
        after = self.requests_since_start()
        own = [each for each in after if self.answered_by_release(each)]
        self.raise_if_failed(
            error_regression([] if self.outage else self.before, own, self.tolerance)
        )
        beside = [each for each in after if self.replicas.has_other(each.replica)]
        # the same minutes on the same machines, where there are enough to compare with
        return (beside if len(beside) >= MIN_REQUESTS else self.before), own

    def answered_by_release(self, request: RequestSample) -> bool:
        """Say whether the release gave an answer, or whether none of others that run did."""
        if self.replicas.has_other(request.replica):
            return False
        return not self.outage or self.replicas.has_own(request.replica)

    def check(self) -> None:
        """See to it that users do not fail, every few seconds however often one asks.

        Raises:
            UsersFailError: They do.
        """
        if time.monotonic() < self.looked + CHECK_INTERVAL:
            return
        self.evaluate()
        self.looked = time.monotonic()

    def final_check(self) -> str:
        """See to it that users neither failed nor waited, now that there is no more to come.

        Returns:
            What the journal is to keep, if that was judged by too few requests.

        Raises:
            UsersFailError: They did, or do.
        """
        usual, own = self.evaluate()
        self.raise_if_failed(latency_regression(usual, own, self.tolerance))
        if len(own) >= MIN_REQUESTS:
            return ""
        few = f"{len(own)} requests of users since the roll began: too few to judge"
        log(few)
        return few

    def raise_if_failed(self, fault: str | None) -> None:
        """Stop at a fault."""
        if fault:
            raise TrafficRegressionError(fault, hint=f"docker service logs {self.edge}")
