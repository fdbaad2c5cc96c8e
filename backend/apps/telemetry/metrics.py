"""Metrics for Prometheus.

Each worker process measures its own requests. With several workers, PROMETHEUS_MULTIPROC_DIR names
a directory that they share, empty at the start of the server, and each worker reports for all.
"""

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram
from prometheus_client.multiprocess import MultiProcessCollector

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

DURATION = Histogram(
    "http_request_duration_seconds",
    "Time from the first byte of the request to the first byte of the response.",
    ["method", "route", "status"],
)

WORKER_DEATHS = Counter("server_worker_deaths", "Workers of this server that ended unexpectedly.")


def observe(*, method: str, route: str, status: int, seconds: float) -> None:
    """Record a request. Labels have a fixed set of values, so that clients cannot add new ones."""
    known = method if method in METHODS else "other"
    DURATION.labels(known, route, status).observe(seconds)


def registry(shared_directory: str | None) -> CollectorRegistry:
    """Return the metrics of this process, or of all processes that share the directory."""
    if shared_directory is None:
        return REGISTRY
    shared = CollectorRegistry()
    MultiProcessCollector(shared, path=shared_directory)  # type: ignore[no-untyped-call]
    return shared


def worker_deaths(shared_directory: str | None) -> int | None:
    """Return how many workers died since the server started; None where they share no directory.

    The process that starts the workers counts their deaths, and answers no request itself.
    """
    if shared_directory is None:
        return None
    return int(registry(shared_directory).get_sample_value("server_worker_deaths_total") or 0)
