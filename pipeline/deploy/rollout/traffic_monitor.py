"""What users got, by the log of the edge: the last proof of a release, and the only one by users.

A replica can be healthy, and the smoke test well, while what users do fails. The edge writes down
which replica gave each answer, so that a release is judged by its own answers only, and compared
with what users got before the roll.
"""

import time
from collections.abc import Sequence

from pipeline.deploy.cluster import failure_causes
from pipeline.deploy.cluster.client import Object, Swarm
from pipeline.deploy.cluster.replicas import Replicas
from pipeline.deploy.cluster.retry import EngineAwayError, patiently
from pipeline.deploy.progress import say
from pipeline.deploy.rollout.requests import ENOUGH_REQUESTS, Request, errors, requests, slowness
from pipeline.environments import Tolerance
from pipeline.errors import CheckFailedError
from pipeline.process import Output, last_words

LINES = 5000
"""How far the edge is asked to remember what was before."""
EACH_SECONDS = 3
ANSWERS_WITHIN = 15
"""The seconds that one replica of the edge has to tell its log."""


class UsersFailError(CheckFailedError):
    """Users do not get what they got before."""


def has_begun(task: Object) -> bool:
    """Say whether a replica was ever there to say anything."""
    return bool(task["Status"].get("ContainerStatus", {}).get("ContainerID"))


def is_meant(task: Object) -> bool:
    """Say whether a replica is meant to serve: of one that is gone, the log may be gone too."""
    return bool(task["DesiredState"] == "running")


class Exposure:
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
        swarm: Swarm,
        edge: str,
        tolerance: Tolerance,
        replicas: Replicas,
        *,
        outage: bool = False,
    ) -> None:
        self.swarm, self.edge, self.tolerance = swarm, edge, tolerance
        self.replicas, self.outage = replicas, outage
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
                f"the edge's log is out of reach: {last_words(silent[0])}",
                hint=failure_causes.hint(last_words(silent[0]), "docker node ls"),
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

    def judge(self) -> tuple[Sequence[Request], Sequence[Request]]:
        """Refuse failing answers; return what the release is compared with, and its own answers.

        Raises:
            UsersFailError: Users fail by it.
        """
        self.replicas.look()
        after = self.after()
        own = [each for each in after if self.is_own(each)]
        self.refuse(errors([] if self.outage else self.before, own, self.tolerance))
        beside = [each for each in after if self.replicas.has_other(each.replica)]
        # the same minutes on the same machines, where there are enough to compare with
        return (beside if len(beside) >= ENOUGH_REQUESTS else self.before), own

    def is_own(self, request: Request) -> bool:
        """Say whether the release gave an answer, or whether none of others that run did."""
        if self.replicas.has_other(request.replica):
            return False
        return not self.outage or self.replicas.has_own(request.replica)

    def look(self) -> None:
        """See to it that users do not fail, every few seconds however often one asks.

        Raises:
            UsersFailError: They do.
        """
        if time.monotonic() < self.looked + EACH_SECONDS:
            return
        self.judge()
        self.looked = time.monotonic()

    def conclude(self) -> str:
        """See to it that users neither failed nor waited, now that there is no more to come.

        Returns:
            What the journal is to keep, if that was judged by too few requests.

        Raises:
            UsersFailError: They did, or do.
        """
        usual, own = self.judge()
        self.refuse(slowness(usual, own, self.tolerance))
        if len(own) >= ENOUGH_REQUESTS:
            return ""
        few = f"{len(own)} requests of users since the roll began: too few to judge"
        say(few)
        return few

    def refuse(self, fault: str | None) -> None:
        """Stop at a fault."""
        if fault:
            raise UsersFailError(fault, hint=f"docker service logs {self.edge}")
