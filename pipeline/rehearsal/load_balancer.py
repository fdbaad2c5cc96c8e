"""A load balancer before the edges of several nodes, as a site on several nodes has one.

python -m pipeline.rehearsal.load_balancer 127.0.0.1:8443 10.0.0.1:8443 10.0.0.2:8443
--certificate=FILE

It passes bytes on, and knows nothing of what they mean. Given a certificate, it asks each edge
again and again whether it answers; one that does not gets no more connections, until it does.
"""

import argparse
import asyncio
import ssl
import sys
from collections.abc import Sequence
from contextlib import suppress
from http.client import OK, HTTPException, HTTPSConnection

from pipeline.errors import handle_errors

Address = tuple[str, int]
Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]
PAGE, VERSION = "/", "/api/v1/version/"
CONNECT_TIMEOUT, HEALTH_TIMEOUT = 1, 5
CHECK_INTERVAL = 1
HEALTHY_THRESHOLD = 20
"""How often an edge that was out has to answer before it is in again.

The edge of a node that was cut off still answers when the node comes back, until the swarm, which
has given it up, puts another one in its place; meanwhile its replicas go, and it finds no others.
"""
CHUNK = 65536


class LoadBalancer:
    """Spreads connections over the targets that answer; over all, if none does."""

    def __init__(self, targets: Sequence[Address]) -> None:
        self.targets = list(targets)
        self.good = dict.fromkeys(targets, HEALTHY_THRESHOLD)
        self.serving: set[object] = set()

    def next_targets(self) -> list[Address]:
        """Return the targets as the next connection tries them: those that are out come last."""
        self.targets.append(self.targets.pop(0))
        return sorted(self.targets, key=lambda target: self.good[target] < HEALTHY_THRESHOLD)

    def record_health(self, target: Address, *, well: bool) -> None:
        """Note whether a target has answered."""
        self.good[target] = self.good[target] + 1 if well else 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass one connection on, until both sides have ended it or one has broken it."""
        task = asyncio.current_task()
        self.serving.add(task)  # the loop itself forgets whom nobody else remembers
        if there := await self.connect():
            await pipe_both((reader, writer), there)
        writer.close()
        self.serving.discard(task)

    async def connect(self) -> Stream | None:
        """Return a connection to the first target that takes one, if any does."""
        for target in self.next_targets():
            with suppress(OSError):
                connecting = asyncio.open_connection(*target)
                return await asyncio.wait_for(connecting, CONNECT_TIMEOUT)
        return None

    async def monitor(self, target: Address, context: ssl.SSLContext) -> None:
        """Ask a target again and again."""
        while True:
            self.record_health(target, well=await asyncio.to_thread(is_healthy, target, context))
            await asyncio.sleep(CHECK_INTERVAL)


async def pipe_both(one: Stream, other: Stream) -> None:
    """Pass on what each says to the other."""
    try:
        async with asyncio.TaskGroup() as both:
            both.create_task(pipe(one[0], other[1]))
            both.create_task(pipe(other[0], one[1]))
    except* OSError:
        pass  # one of them is gone, and the other will hear of it
    finally:
        other[1].close()


async def pipe(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    """Pass on what comes, and its end."""
    while data := await source.read(CHUNK):
        sink.write(data)
        await sink.drain()
    sink.write_eof()


def ssl_context(certificate: str) -> ssl.SSLContext:
    """Return how to speak to an edge that has this certificate; it is asked by its address."""
    context = ssl.create_default_context(cafile=certificate)
    context.check_hostname = False
    return context


def is_healthy(edge: Address, context: ssl.SSLContext) -> bool:
    """Say whether an edge has the app behind it: the page, and the API."""
    connection = HTTPSConnection(*edge, timeout=HEALTH_TIMEOUT, context=context)
    try:
        return all(request_status(connection, path) == OK for path in (PAGE, VERSION))
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def request_status(connection: HTTPSConnection, path: str) -> int:
    """Ask for a path, and return the status of the whole answer."""
    connection.request("GET", path, headers={"Host": f"localhost:{connection.port}"})
    answer = connection.getresponse()
    answer.read()
    return answer.status


def parse_address(text: str) -> Address:
    """Read an address."""
    host, _, port = text.rpartition(":")
    return host, int(port)


async def serve(listen: Address, targets: Sequence[Address], certificate: str) -> None:
    """Listen, and pass every connection on."""
    balancer = LoadBalancer(targets)
    server = await asyncio.start_server(balancer.serve, *listen)
    async with server, asyncio.TaskGroup() as group:
        for target in targets if certificate else ():
            group.create_task(balancer.monitor(target, ssl_context(certificate)))
        await server.serve_forever()


def main(arguments: Sequence[str]) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser("python -m pipeline.rehearsal.load_balancer")
    parser.add_argument("listen", type=parse_address)
    parser.add_argument("targets", type=parse_address, nargs="+")
    parser.add_argument("--certificate", default="")
    options = parser.parse_args(arguments)
    asyncio.run(serve(options.listen, options.targets, options.certificate))


if __name__ == "__main__":
    with handle_errors():
        main(sys.argv[1:])
