"""What is measured, in the format of Prometheus.

A worker process knows only what it served itself. With several of them, PROMETHEUS_MULTIPROC_DIR
names a directory that they share, empty when the server starts, and any of them answers for all.
"""

from prometheus_client import REGISTRY, CollectorRegistry, Histogram
from prometheus_client.multiprocess import MultiProcessCollector

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

DURATION = Histogram(
    "http_request_duration_seconds",
    "Time from the first byte of the request to the first byte of the response.",
    ["method", "route", "status"],
)


def observe(*, method: str, route: str, status: int, seconds: float) -> None:
    """Count a request, under labels that no client can make up."""
    known = method if method in METHODS else "other"
    DURATION.labels(known, route, status).observe(seconds)


def registry(shared_directory: str | None) -> CollectorRegistry:
    """Return what this process measured, or all processes that share the directory."""
    if shared_directory is None:
        return REGISTRY
    shared = CollectorRegistry()
    MultiProcessCollector(shared, path=shared_directory)  # type: ignore[no-untyped-call]
    return shared
