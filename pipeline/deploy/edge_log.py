"""What users got, by the log of the edge: the last proof of a release, and the only one by users.

A replica can be healthy, and the smoke test well, while what users do fails. Whether it does is
told by comparing what they got since the roll began with what they got before it.
"""

import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import quantiles

from pipeline.deploy.patience import EngineAwayError, patiently
from pipeline.deploy.progress import say
from pipeline.deploy.swarm import Object, Swarm
from pipeline.environments import Tolerance
from pipeline.errors import CheckFailedError
from pipeline.run import Output, last_words

LINES = 5000
"""How far the edge is asked to remember what was before."""
SERVER_ERROR = 500
EACH_SECONDS = 3
ANSWERS_WITHIN = 15
"""The seconds that one replica of the edge has to tell its log."""
ENOUGH_ERRORS, ENOUGH_REQUESTS = 5, 50
"""Fewer of them tell nothing."""


class UsersFailError(CheckFailedError):
    """Users do not get what they got before."""


@dataclass(frozen=True)
class Request:
    """One request of a user.

    Attributes:
        at: When the edge answered it, by its own clock: ISO 8601, to the second.
        status: What it answered.
        seconds: How long that took.
    """

    at: str
    status: int
    seconds: float


def requests(log: str) -> list[Request]:
    """Return the requests that a log of the edge tells of.

    A preview's are nobody's, and who finds the site closed has not asked the release.

    Args:
        log: What the edge printed: its requests as JSON, and whatever else nginx says.
    """
    lines = (line for line in log.splitlines() if line.startswith("{"))
    return [
        Request(entry["timestamp"], int(entry["status"]), float(entry["seconds"]))
        for entry in filter(None, map(_entry, lines))
        if not (entry["next"] or entry.get("closed"))
    ]


def _entry(line: str) -> dict[str, str] | None:
    try:
        entry: dict[str, str] = json.loads(line)
    except json.JSONDecodeError:
        return None  # the last line of a log that is being written
    return entry if "seconds" in entry else None


def has_begun(task: Object) -> bool:
    """Say whether a replica was ever there to say anything."""
    return bool(task["Status"].get("ContainerStatus", {}).get("ContainerID"))


def is_meant(task: Object) -> bool:
    """Say whether a replica is meant to serve: of one that is gone, the log may be gone too."""
    return bool(task["DesiredState"] == "running")


class Exposure:
    """What users get while a release reaches them, beside what they got before.

    It begins when it is made: before the first replica is replaced.
    """

    def __init__(self, swarm: Swarm, edge: str, tolerance: Tolerance) -> None:
        self.swarm, self.edge, self.tolerance = swarm, edge, tolerance
        self.partial = False
        self.before = self.told()
        self.since = max((request.at for request in self.before), default="")
        self.looked = time.monotonic()

    def told(self, *options: str) -> list[Request]:
        """Return the requests that the edge remembers.

        Raises:
            EngineAwayError: The engine does not say.
        """
        chosen = options or (f"--tail={LINES}",)
        return [found for log in patiently(lambda: self.logs(chosen)) for found in requests(log)]

    def logs(self, options: Sequence[str]) -> list[str]:
        """Return what the replicas of the edge said, each asked by itself.

        Asked for the service as a whole, the engine fails for one node that is down, and hangs
        for one that has come back: https://github.com/moby/moby/issues/37336,
        https://github.com/moby/moby/issues/41733.

        Raises:
            EngineAwayError: None of those that are to serve says anything.
        """
        begun = [task for task in self.swarm.tasks(self.edge) if has_begun(task)]
        answers = [(task, self.log_of(task, options)) for task in begun]
        meant = [answer for task, answer in answers if is_meant(task)]
        silent = [answer for answer in meant if answer.returncode]
        if silent and len(silent) == len(meant):
            raise EngineAwayError(
                f"the edge's log is out of reach: {last_words(silent[0])}", hint="docker node ls"
            )
        if silent:
            self.tell_of_part(silent[0])
        return [answer.stdout for _, answer in answers if not answer.returncode]

    def log_of(self, task: Object, options: Sequence[str]) -> Output:
        """Ask one replica of the edge."""
        asked = ("service", "logs", "--raw", *options, task["ID"])
        return self.swarm.ask(*asked, seconds=ANSWERS_WITHIN)

    def tell_of_part(self, answer: Output) -> None:
        """Say, once, that users are judged by some of the edge's replicas only."""
        if not self.partial:
            say(f"a part of the log of {self.edge} is out of reach: {last_words(answer)}")
        self.partial = True

    def after(self) -> list[Request]:
        """Return the requests since it began, by the edge's own clock."""
        if not self.since:
            return self.told()
        return [found for found in self.told(f"--since={self.since}") if found.at > self.since]

    def look(self) -> None:
        """See to it that users do not fail, every few seconds however often one asks.

        Raises:
            UsersFailError: They do.
        """
        if time.monotonic() < self.looked + EACH_SECONDS:
            return
        self.refuse(errors(self.before, self.after(), self.tolerance))
        self.looked = time.monotonic()

    def conclude(self) -> None:
        """See to it that users neither failed nor wait, now that there is no more to come.

        Raises:
            UsersFailError: They did, or do.
        """
        after = self.after()
        self.refuse(errors(self.before, after, self.tolerance))
        self.refuse(slowness(self.before, after, self.tolerance))

    def refuse(self, fault: str | None) -> None:
        """Stop at a fault."""
        if fault:
            raise UsersFailError(fault, hint=f"docker service logs {self.edge}")


def errors(before: Sequence[Request], after: Sequence[Request], tolerance: Tolerance) -> str | None:
    """Say how many users fail by a release, if more do than before.

    Args:
        before: What they got before the roll began.
        after: What they got since.
        tolerance: How much worse it may be.
    """
    failed = sum(request.status >= SERVER_ERROR for request in after)
    usual = share_of_errors(before)
    if failed < ENOUGH_ERRORS or failed / len(after) <= usual + tolerance.errors:
        return None
    return (
        f"{failed} of {len(after)} requests of users failed since the roll began"
        f" ({failed / len(after):.1%}; {usual:.1%} before)"
    )


def slowness(
    before: Sequence[Request], after: Sequence[Request], tolerance: Tolerance
) -> str | None:
    """Say how long users wait by a release, if that is much longer than before.

    The arguments are those of `errors`.
    """
    if min(len(before), len(after)) < ENOUGH_REQUESTS:
        return None
    was, now = slowest(before), slowest(after)
    if now <= tolerance.seconds or now <= was * tolerance.slower:
        return None
    return f"one request in twenty takes longer than {now:.2f} s ({was:.2f} s before)"


def share_of_errors(given: Sequence[Request]) -> float:
    """Return the share of requests that failed, from 0 to 1."""
    return sum(request.status >= SERVER_ERROR for request in given) / max(len(given), 1)


def slowest(given: Iterable[Request]) -> float:
    """Return the seconds that nineteen requests of twenty stay under."""
    return quantiles([request.seconds for request in given], n=20)[-1]
