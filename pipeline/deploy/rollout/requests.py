"""Requests of users from the edge's access log, and the limits for those of a new release."""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median, quantiles

from pipeline.config import load
from pipeline.environments import TrafficTolerance

_SERVER_ERROR = 500
_MIN_ERRORS, MIN_REQUESTS = 5, 50
"""Fewer errors or requests are not significant,"""
_MIN_MAJORITY_FAILURES, _MAJORITY = 3, 0.5
"""except if at least three requests, and half of all, fail."""
_SLOW_FACTOR = 10
"""Limit for the median latency, as a ratio; the tolerance limits the 95th percentile."""
_IDENTIFIER = re.compile(r"\d+|[0-9a-f-]{8,}|.{40,}", re.IGNORECASE)
"""A part of a path that is an id."""


@dataclass(frozen=True)
class RequestSample:
    """One request of a user.

    Attributes:
        at: Time of the answer by the clock of the edge: ISO 8601, in seconds.
        status: HTTP status.
        seconds: Duration.
        path: Path of the URL.
        replica: Address of the replica that answered; empty if none did.
    """

    at: str
    status: int
    seconds: float
    path: str = ""
    replica: str = ""

    @property
    def failed(self) -> bool:
        """Whether the server failed, not the client."""
        return self.status >= _SERVER_ERROR

    @property
    def group(self) -> str:
        """The path up to the first id: `/api/v1/projects` for `/api/v1/projects/7/`."""
        parts = []
        for part in self.path.strip("/").split("/"):
            if _IDENTIFIER.fullmatch(part):
                break
            parts.append(part)
        return f"/{'/'.join(parts)}"


def parse_access_log(log: str) -> list[RequestSample]:
    """Return the requests of users in an access log of the edge.

    Requests to a preview, to a closed site and of the deployer itself are left out.

    Args:
        log: Output of the edge: requests as JSON lines, and other messages of nginx.
    """
    workers = load().app.paths.workers  # only the deployer requests it
    lines = (line for line in log.splitlines() if line.startswith("{"))
    return [
        RequestSample(
            entry["timestamp"],
            int(entry["status"]),
            float(entry["seconds"]),
            entry.get("path", ""),
            _answered_by(entry.get("upstream", "")),
        )
        for entry in filter(None, map(_entry, lines))
        if not (entry["next"] or entry.get("closed") or entry.get("path") == workers)
    ]


def _entry(line: str) -> dict[str, str] | None:
    try:
        entry: dict[str, str] = json.loads(line)
    except json.JSONDecodeError:
        return None  # the last line may still be incomplete
    return entry if "seconds" in entry else None


def _answered_by(upstream: str) -> str:
    """Return the address, without the port, of the replica that answered.

    Args:
        upstream: All replicas that nginx tried, the last one answered:
            https://nginx.org/en/docs/http/ngx_http_upstream_module.html#var_upstream_addr.
    """
    return re.split(r", | : ", upstream)[-1].rpartition(":")[0]


def error_regression(
    before: Sequence[RequestSample], after: Sequence[RequestSample], tolerance: TrafficTolerance
) -> str | None:
    """Return a message if more requests fail than before, of all or of one part of the site.

    Args:
        before: Requests before the roll.
        after: Requests that the new release answered since.
        tolerance: The allowed increase.
    """
    usual = _error_rate(before)
    if fault := _errors(usual, after, tolerance):
        return f"{fault} of users failed since the roll began ({_group_regressions(usual, after)})"
    known = _by_group(before)
    for group, some in sorted(_by_group(after).items()):
        was = known.get(group, ())
        its = _error_rate(was) if len(was) >= _MIN_ERRORS else usual
        if fault := _errors(its, some, tolerance):
            return (
                f"{fault} for {group} failed since the roll began ({_group_regressions(its, some)})"
            )
    return None


def _errors(usual: float, after: Sequence[RequestSample], tolerance: TrafficTolerance) -> str:
    failed, share = sum(each.failed for each in after), _error_rate(after)
    enough = failed >= _MIN_ERRORS or (failed >= _MIN_MAJORITY_FAILURES and share >= _MAJORITY)
    if not enough or share <= usual + tolerance.max_error_rate_increase:
        return ""
    return f"{failed} of {len(after)} requests"


def _group_regressions(usual: float, after: Sequence[RequestSample]) -> str:
    return f"{_error_rate(after):.1%}; {usual:.1%} before"


def latency_regression(
    usual: Sequence[RequestSample], after: Sequence[RequestSample], tolerance: TrafficTolerance
) -> str | None:
    """Return a message if the new release is much slower.

    Args:
        usual: Requests that other replicas answered, in the same minutes or before.
        after: Requests that the new release answered.
        tolerance: The allowed ratio.
    """
    if min(len(usual), len(after)) < MIN_REQUESTS:
        return None
    was, now = _p95_latency(usual), _p95_latency(after)
    if now > tolerance.latency_floor and now > was * tolerance.max_latency_ratio:
        return f"one request in twenty takes longer than {now:.2f} s ({was:.2f} s before)"
    was, now = _median_latency(usual), _median_latency(after)
    if now > tolerance.latency_floor / _SLOW_FACTOR and now > was * _SLOW_FACTOR:
        return f"one request in two takes longer than {now:.3f} s ({was:.3f} s before)"
    return None


def _by_group(given: Iterable[RequestSample]) -> Mapping[str, Sequence[RequestSample]]:
    """Return requests by the part of the site, see `RequestSample.group`."""
    found: dict[str, list[RequestSample]] = defaultdict(list)
    for each in given:
        found[each.group].append(each)
    return found


def _error_rate(given: Sequence[RequestSample]) -> float:
    """Return the share of failed requests, from 0 to 1."""
    return sum(request.failed for request in given) / max(len(given), 1)


def _p95_latency(given: Iterable[RequestSample]) -> float:
    """Return the 95th percentile of the duration, in seconds."""
    return quantiles([request.seconds for request in given], n=20)[-1]


def _median_latency(given: Iterable[RequestSample]) -> float:
    """Return the median of the duration, in seconds."""
    return median(request.seconds for request in given)
