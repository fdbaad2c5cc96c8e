"""A TCP load balancer in front of the edges of several nodes.

python -m pipeline.rehearsal.load_balancer 127.0.0.1:8443 10.0.0.1:8443 10.0.0.2:8443
--certificate=FILE

It forwards bytes. With a certificate, it runs a health check of each edge; an edge that fails one
gets no new connections until it is healthy again.
"""

import argparse
import asyncio
import ssl
import sys
from collections.abc import Sequence
from contextlib import suppress
from http.client import OK, HTTPException, HTTPSConnection

from pipeline.config import load
from pipeline.errors import handle_errors

Address = tuple[str, int]
_Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]
PAGE = "/"
_CONNECT_TIMEOUT, _HEALTH_TIMEOUT = 1, 5
_CHECK_INTERVAL = 1
HEALTHY_THRESHOLD = 20
"""Successful health checks in a row after which an edge gets connections again.

The edge of a node that was cut off still answers when the node is back, until the swarm replaces
it; during that time its replicas stop, and it cannot reach others.
"""
_CHUNK = 65536


class LoadBalancer:
    """Distributes connections to the healthy targets; to all, if none is healthy."""

    def __init__(self, targets: Sequence[Address]) -> None:
        self.targets = list(targets)
        self.successes = dict.fromkeys(targets, HEALTHY_THRESHOLD)
        self.tasks: set[object] = set()

    def next_targets(self) -> list[Address]:
        """Return the targets in the order to try for the next connection, unhealthy ones last."""
        self.targets.append(self.targets.pop(0))
        return sorted(self.targets, key=lambda target: self.successes[target] < HEALTHY_THRESHOLD)

    def record_health(self, target: Address, *, healthy: bool) -> None:
        """Count the successful health checks of a target; a failed one resets the count."""
        self.successes[target] = self.successes[target] + 1 if healthy else 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Forward one connection until both sides have closed it."""
        task = asyncio.current_task()
        self.tasks.add(task)  # the event loop keeps only weak references to tasks
        if target := await self.connect():
            await _pipe_both((reader, writer), target)
        writer.close()
        self.tasks.discard(task)

    async def connect(self) -> _Stream | None:
        """Return a connection to the first target that accepts one, if any does."""
        for target in self.next_targets():
            with suppress(OSError):
                connecting = asyncio.open_connection(*target)
                return await asyncio.wait_for(connecting, _CONNECT_TIMEOUT)
        return None

    async def monitor(self, target: Address, context: ssl.SSLContext) -> None:
        """Run the health check of a target at each interval."""
        while True:
            self.record_health(target, healthy=await asyncio.to_thread(is_healthy, target, context))
            await asyncio.sleep(_CHECK_INTERVAL)


async def _pipe_both(one: _Stream, other: _Stream) -> None:
    """Forward bytes in both directions."""
    try:
        async with asyncio.TaskGroup() as both:
            both.create_task(_pipe(one[0], other[1]))
            both.create_task(_pipe(other[0], one[1]))
    except* OSError:
        pass  # one side has closed; the other is closed below
    finally:
        other[1].close()


async def _pipe(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    """Forward bytes in one direction, and the end of the stream."""
    while data := await source.read(_CHUNK):
        sink.write(data)
        await sink.drain()
    sink.write_eof()


def ssl_context(certificate: str) -> ssl.SSLContext:
    """Return a TLS context that trusts this certificate; edges are addressed by IP address."""
    context = ssl.create_default_context(cafile=certificate)
    context.check_hostname = False
    return context


def is_healthy(edge: Address, context: ssl.SSLContext) -> bool:
    """Return whether an edge serves the page and the API."""
    connection = HTTPSConnection(*edge, timeout=_HEALTH_TIMEOUT, context=context)
    try:
        return all(
            _request_status(connection, path) == OK for path in (PAGE, load().app.paths.version)
        )
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def _request_status(connection: HTTPSConnection, path: str) -> int:
    """Request a path, and return the status once the body is read."""
    connection.request("GET", path, headers={"Host": f"localhost:{connection.port}"})
    answer = connection.getresponse()
    answer.read()
    return answer.status


def _parse_address(text: str) -> Address:
    """Parse `host:port`."""
    host, _, port = text.rpartition(":")
    return host, int(port)


async def _serve(listen: Address, targets: Sequence[Address], certificate: str) -> None:
    """Listen, and forward every connection."""
    balancer = LoadBalancer(targets)
    server = await asyncio.start_server(balancer.serve, *listen)
    async with server, asyncio.TaskGroup() as group:
        for target in targets if certificate else ():
            group.create_task(balancer.monitor(target, ssl_context(certificate)))
        await server.serve_forever()


def main(arguments: Sequence[str]) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser("python -m pipeline.rehearsal.load_balancer")
    parser.add_argument("listen", type=_parse_address)
    parser.add_argument("targets", type=_parse_address, nargs="+")
    parser.add_argument("--certificate", default="")
    options = parser.parse_args(arguments)
    asyncio.run(_serve(options.listen, options.targets, options.certificate))


if __name__ == "__main__":
    with handle_errors():
        main(sys.argv[1:])
