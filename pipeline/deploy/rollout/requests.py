"""The requests of users as the edge tells them, and how those of a release are judged."""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median, quantiles

from pipeline.environments import TrafficTolerance

SERVER_ERROR = 500
MIN_ERRORS, MIN_REQUESTS = 5, 50
"""Fewer of them tell nothing,"""
MIN_MAJORITY_FAILURES, MAJORITY = 3, 0.5
"""unless so many fail, and they are so large a share."""
SLOW_FACTOR = 10
"""How many times as long the middle request may take; for the slowest, the tolerance says it."""
WORKERS = "/api/v1/health/workers/"
"""What the deployer alone asks for, again and again: no request of a user."""
IDENTIFIER = re.compile(r"\d+|[0-9a-f-]{8,}|.{40,}", re.IGNORECASE)
"""A part of a path that names one of many things."""


@dataclass(frozen=True)
class RequestSample:
    """One request of a user.

    Attributes:
        at: When the edge answered it, by its own clock: ISO 8601, to the second.
        status: What it answered.
        seconds: How long that took.
        path: What was asked for.
        replica: The address of the replica that answered; nothing, if none did.
    """

    at: str
    status: int
    seconds: float
    path: str = ""
    replica: str = ""

    @property
    def failed(self) -> bool:
        """Whether the site is to blame."""
        return self.status >= SERVER_ERROR

    @property
    def group(self) -> str:
        """The path up to what names one of many things: `/api/v1/projects` of `…/projects/7/`."""
        parts = []
        for part in self.path.strip("/").split("/"):
            if IDENTIFIER.fullmatch(part):
                break
            parts.append(part)
        return f"/{'/'.join(parts)}"


def parse_access_log(log: str) -> list[RequestSample]:
    """Return the requests that a log of the edge tells of.

    A preview's are no user's, nor are the deployer's own; and where the site is closed, no release
    is asked.

    Args:
        log: What the edge printed: its requests as JSON, and whatever else nginx says.
    """
    lines = (line for line in log.splitlines() if line.startswith("{"))
    return [
        RequestSample(
            entry["timestamp"],
            int(entry["status"]),
            float(entry["seconds"]),
            entry.get("path", ""),
            answered_by(entry.get("upstream", "")),
        )
        for entry in filter(None, map(_entry, lines))
        if not (entry["next"] or entry.get("closed") or entry.get("path") == WORKERS)
    ]


def _entry(line: str) -> dict[str, str] | None:
    try:
        entry: dict[str, str] = json.loads(line)
    except json.JSONDecodeError:
        return None  # the last line of a log that is being written
    return entry if "seconds" in entry else None


def answered_by(upstream: str) -> str:
    """Return the address, without its port, of the replica that was asked last.

    Args:
        upstream: Those that were asked, in nginx's form:
            https://nginx.org/en/docs/http/ngx_http_upstream_module.html#var_upstream_addr.
    """
    return re.split(r", | : ", upstream)[-1].rpartition(":")[0]


def error_regression(
    before: Sequence[RequestSample], after: Sequence[RequestSample], tolerance: TrafficTolerance
) -> str | None:
    """Say how many users fail by a release, if more do than before: of all, or of one part.

    Args:
        before: What they got before the roll began.
        after: What the release answered since.
        tolerance: How much worse it may be.
    """
    usual = error_rate(before)
    if fault := _errors(usual, after, tolerance):
        return f"{fault} of users failed since the roll began ({_group_regressions(usual, after)})"
    known = by_group(before)
    for group, some in sorted(by_group(after).items()):
        was = known.get(group, ())
        its = error_rate(was) if len(was) >= MIN_ERRORS else usual
        if fault := _errors(its, some, tolerance):
            return (
                f"{fault} for {group} failed since the roll began ({_group_regressions(its, some)})"
            )
    return None


def _errors(usual: float, after: Sequence[RequestSample], tolerance: TrafficTolerance) -> str:
    failed, share = sum(each.failed for each in after), error_rate(after)
    enough = failed >= MIN_ERRORS or (failed >= MIN_MAJORITY_FAILURES and share >= MAJORITY)
    if not enough or share <= usual + tolerance.max_error_rate_increase:
        return ""
    return f"{failed} of {len(after)} requests"


def _group_regressions(usual: float, after: Sequence[RequestSample]) -> str:
    return f"{error_rate(after):.1%}; {usual:.1%} before"


def latency_regression(
    usual: Sequence[RequestSample], after: Sequence[RequestSample], tolerance: TrafficTolerance
) -> str | None:
    """Say how long users wait by a release, if that is much longer than without it.

    Args:
        usual: What others answered, in the same minutes or before.
        after: What the release answered.
        tolerance: How much longer it may take.
    """
    if min(len(usual), len(after)) < MIN_REQUESTS:
        return None
    was, now = p95_latency(usual), p95_latency(after)
    if now > tolerance.latency_floor and now > was * tolerance.max_latency_ratio:
        return f"one request in twenty takes longer than {now:.2f} s ({was:.2f} s before)"
    was, now = median_latency(usual), median_latency(after)
    if now > tolerance.latency_floor / SLOW_FACTOR and now > was * SLOW_FACTOR:
        return f"one request in two takes longer than {now:.3f} s ({was:.3f} s before)"
    return None


def by_group(given: Iterable[RequestSample]) -> Mapping[str, Sequence[RequestSample]]:
    """Return requests by the part of the site that they ask."""
    found: dict[str, list[RequestSample]] = defaultdict(list)
    for each in given:
        found[each.group].append(each)
    return found


def error_rate(given: Sequence[RequestSample]) -> float:
    """Return the share of requests that failed, from 0 to 1."""
    return sum(request.failed for request in given) / max(len(given), 1)


def p95_latency(given: Iterable[RequestSample]) -> float:
    """Return the seconds that nineteen requests of twenty stay under."""
    return quantiles([request.seconds for request in given], n=20)[-1]


def median_latency(given: Iterable[RequestSample]) -> float:
    """Return the seconds that one request of two stays under."""
    return median(request.seconds for request in given)
