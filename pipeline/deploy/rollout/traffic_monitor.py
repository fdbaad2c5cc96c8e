"""Compares the answers of a new release to users with those before the roll, by the edge's log.

Replicas can be healthy, and the smoke test can pass, while requests of users fail. The edge logs
which replica answered, so only the answers of the new release count against it.
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

_BASELINE_LINES = 5000
"""Number of log lines that are read for the baseline."""
_CHECK_INTERVAL = 3
_LOG_TIMEOUT = 15
"""Seconds to read the log of one replica of the edge."""


class TrafficRegressionError(CheckFailedError):
    """Requests of users fail more often, or take longer, than before."""


def _has_started(task: JSONObject) -> bool:
    """Return whether the container of a task ever started."""
    return bool(task["Status"].get("ContainerStatus", {}).get("ContainerID"))


def _should_run(task: JSONObject) -> bool:
    """Return whether a task should run; the log of a removed task may be missing."""
    return bool(task["DesiredState"] == "running")


class TrafficMonitor:
    """Measures requests of users during a roll.

    The constructor reads the baseline, so create it before the first replica is replaced.

    Args:
        swarm: The client of the swarm.
        edge: Name of the edge's service.
        tolerance: The allowed increase of errors and latency.
        replicas: Assigns an address to the new release or to others.
        outage: Whether the site was down before: then the baseline does not count, nor does an
            answer that no replica gave.
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
        """Return the requests in the logs of the edge.

        Raises:
            EngineUnavailableError: The engine does not answer.
        """
        chosen = options or (f"--tail={_BASELINE_LINES}",)
        return [
            found
            for log in retry_while_unavailable(lambda: self.collect_logs(chosen))
            for found in parse_access_log(log)
        ]

    def collect_logs(self, options: Sequence[str]) -> list[str]:
        """Return the log of each replica of the edge.

        `docker service logs` of the whole service fails if one node is down, and hangs if one has
        come back: https://github.com/moby/moby/issues/37336,
        https://github.com/moby/moby/issues/41733. So each task is read on its own.

        Raises:
            EngineUnavailableError: No replica that should run returns its log.
        """
        started = [task for task in self.swarm.tasks(self.edge) if _has_started(task)]
        answers = [(task, self.task_log(task, options)) for task in started]
        expected = [answer for task, answer in answers if _should_run(task)]
        failed = [answer for answer in expected if answer.returncode]
        if failed and len(failed) == len(expected):
            raise EngineUnavailableError(
                f"the edge's log is unavailable: {last_error_line(failed[0])}",
                hint=failure_causes.hint_for_error(last_error_line(failed[0]), "docker node ls"),
            )
        if failed:
            self.warn_partial_logs(failed[0])
        return [answer.stdout for _, answer in answers if not answer.returncode]

    def task_log(self, task: JSONObject, options: Sequence[str]) -> CommandResult:
        """Read the log of one task of the edge."""
        command = ("service", "logs", "--raw", *options, task["ID"])
        return self.swarm.run(*command, seconds=_LOG_TIMEOUT)

    def warn_partial_logs(self, answer: CommandResult) -> None:
        """Log, once, that the log of a replica of the edge is missing."""
        if not self.partial:
            log(f"part of the log of {self.edge} is unavailable: {last_error_line(answer)}")
        self.partial = True

    def requests_since_start(self) -> list[RequestSample]:
        """Return the requests since the baseline, by the clock of the edge."""
        if not self.since:
            return self.read_requests()
        return [
            found for found in self.read_requests(f"--since={self.since}") if found.at > self.since
        ]

    def evaluate(self) -> tuple[Sequence[RequestSample], Sequence[RequestSample]]:
        """Check for errors; return the requests to compare with, and those of the release.

        Raises:
            TrafficRegressionError: More requests fail than before.
        """
        self.replicas.refresh()
        after = self.requests_since_start()
        own = [each for each in after if self.answered_by_release(each)]
        self.raise_if_failed(
            error_regression([] if self.outage else self.before, own, self.tolerance)
        )
        others = [each for each in after if self.replicas.has_other(each.replica)]
        # Old replicas in the same minutes share the load of the machine; the baseline may not.
        return (others if len(others) >= MIN_REQUESTS else self.before), own

    def answered_by_release(self, request: RequestSample) -> bool:
        """Return whether an answer counts for the release: no other running replica gave it."""
        if self.replicas.has_other(request.replica):
            return False
        return not self.outage or self.replicas.has_own(request.replica)

    def check(self) -> None:
        """Check for errors, at most every `_CHECK_INTERVAL` seconds.

        Raises:
            TrafficRegressionError: More requests fail than before.
        """
        if time.monotonic() < self.looked + _CHECK_INTERVAL:
            return
        self.evaluate()
        self.looked = time.monotonic()

    def final_check(self) -> str:
        """Check errors and latency at the end of the bake.

        Returns:
            A note for the journal if there were too few requests.

        Raises:
            TrafficRegressionError: More requests fail, or they take much longer.
        """
        usual, own = self.evaluate()
        self.raise_if_failed(latency_regression(usual, own, self.tolerance))
        if len(own) >= MIN_REQUESTS:
            return ""
        few = f"{len(own)} requests of users since the roll began: too few to evaluate"
        log(few)
        return few

    def raise_if_failed(self, fault: str | None) -> None:
        if fault:
            raise TrafficRegressionError(fault, hint=f"docker service logs {self.edge}")
