"""What users got, by the log of the edge: the last proof of a release, and the only one by users.

A replica can be healthy, and the smoke test well, while what users do fails. Whether it does is
told by comparing what they got since the roll began with what they got before it.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import quantiles

from pipeline.deploy.environments import Tolerance
from pipeline.deploy.swarm import Swarm

LINES = 5000
"""How far the edge is asked to remember what was before."""
SERVER_ERROR = 500
ENOUGH_ERRORS, ENOUGH_REQUESTS = 5, 50
"""Fewer of them tell nothing."""


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
    """Return the requests that a log of the edge tells of; a preview's are nobody's.

    Args:
        log: What the edge printed: its requests as JSON, and whatever else nginx says.
    """
    lines = (line for line in log.splitlines() if line.startswith("{"))
    return [
        Request(entry["timestamp"], int(entry["status"]), float(entry["seconds"]))
        for entry in filter(None, map(_entry, lines))
        if not entry["next"]
    ]


def _entry(line: str) -> dict[str, str] | None:
    try:
        entry: dict[str, str] = json.loads(line)
    except json.JSONDecodeError:
        return None  # the last line of a log that is being written
    return entry if "seconds" in entry else None


def told(swarm: Swarm, edge: str, since: str = "") -> list[Request]:
    """Return the requests that an edge remembers.

    Args:
        swarm: Where.
        edge: The edge's service.
        since: A time by the edge's own clock; without one, what it remembers of before.
    """
    option = f"--since={since}" if since else f"--tail={LINES}"
    answer = swarm.ask("service", "logs", "--raw", option, edge)
    return requests(answer.stdout)


def fault(before: Sequence[Request], after: Sequence[Request], tolerance: Tolerance) -> str | None:
    """Say what users have lost by a release, if anything.

    Args:
        before: What they got before the roll began.
        after: What they got since.
        tolerance: How much worse it may be.
    """
    failed = sum(request.status >= SERVER_ERROR for request in after)
    usual = share_of_errors(before)
    if failed >= ENOUGH_ERRORS and failed / len(after) > usual + tolerance.errors:
        return (
            f"{failed} of {len(after)} requests of users failed since the roll began"
            f" ({failed / len(after):.1%}; {usual:.1%} before)"
        )
    if min(len(before), len(after)) < ENOUGH_REQUESTS:
        return None
    was, now = slowest(before), slowest(after)
    if now > tolerance.seconds and now > was * tolerance.slower:
        return f"one request in twenty takes longer than {now:.2f} s ({was:.2f} s before)"
    return None


def share_of_errors(given: Sequence[Request]) -> float:
    """Return the share of requests that failed, from 0 to 1."""
    return sum(request.status >= SERVER_ERROR for request in given) / max(len(given), 1)


def slowest(given: Iterable[Request]) -> float:
    """Return the seconds that nineteen requests of twenty stay under."""
    return quantiles([request.seconds for request in given], n=20)[-1]
