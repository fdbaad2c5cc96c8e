"""Count the requests that are lost while instances are replaced, as a rollout replaces them.

python -m benchmarks.drain [--restarts 20] [--drain 5] [--stale 2]

Run it at the root, in an environment with the backend and its server. Two instances answer, each
on a port of its own, as containers have addresses of their own: with one port for all
(SO_REUSEPORT) the kernel would hand the old instance's connections to the new one, and hide what
is to be measured. For each restart a new instance is started first; the oldest gets SIGTERM, and
the clients go on sending to it for 2 s more, as the edge removes it that late. Quick
requests and 3-second ones come all the time, each on a new connection, none is tried twice. All
traffic stays on 127.0.0.1. The exit code is 1 if a request was lost.
"""

import argparse
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from http import HTTPStatus
from itertools import count
from typing import TYPE_CHECKING

from benchmarks.site import end, running, site, status
from pipeline.errors import CheckFailedError, handle_errors
from pipeline.services import free_port

if TYPE_CHECKING:
    from subprocess import Popen

COMMAND = [sys.executable, "-m", "benchmarks.slow"]
QUICK, SLOW = "/api/v1/health/", "/api/v1/health/?sleep=3"
# A 3-second request keeps one of the eight threads of an instance; these never keep all.
CLIENTS = {QUICK: 4, SLOW: 3}
PAUSE = 0.01


class RoundRobinClient:
    """Sends each request to the next instance that it knows, and counts what comes back."""

    def __init__(self) -> None:
        self.ports: tuple[int, ...] = ()
        self.answers: Counter[tuple[str, int | str]] = Counter()
        self.stopped = threading.Event()
        self._turn = count()
        self._counting = threading.Lock()

    def send(self, path: str) -> None:
        """Send one kind of request, one after the other, until it is stopped."""
        while not self.stopped.wait(PAUSE):
            ports = self.ports
            answer = status(ports[next(self._turn) % len(ports)], path)
            with self._counting:
                self.answers[path, answer] += 1

    @contextmanager
    def clients(self) -> Iterator[None]:
        """Let all clients send for as long as the block runs."""
        paths = [path for path, number in CLIENTS.items() for _ in range(number)]
        threads = [threading.Thread(target=self.send, args=[path]) for path in paths]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.stopped.set()
            for thread in threads:
                thread.join()


class Rollout:
    """Starts instances and takes them away."""

    def __init__(self, edge: RoundRobinClient, env: Mapping[str, str], stack: ExitStack) -> None:
        self.edge, self.env, self.stack = edge, env, stack
        self.instances: list[tuple[int, Popen[bytes]]] = []

    def start(self) -> None:
        """Start an instance; once it is ready, the edge uses it."""
        port = free_port()
        env = {**self.env, "HOST": "127.0.0.1", "PORT": str(port)}
        process = self.stack.enter_context(running(COMMAND, port, env))
        self.instances.append((port, process))
        self.edge.ports += (port,)

    def replace_oldest(self, stale: float) -> None:
        """Start an instance, and stop the oldest one, which the edge removes late.

        Raises:
            CheckFailedError: It did not stop in good order.
        """
        self.start()
        port, process = self.instances.pop(0)
        process.terminate()
        time.sleep(stale)
        self.edge.ports = tuple(known for known in self.edge.ports if known != port)
        if (code := end(process)) != 0:
            raise CheckFailedError(f"an instance ended with exit code {code}", hint="see its log")


def measure(restarts: int, drain: float, stale: float) -> Counter[tuple[str, int | str]]:
    """Replace instances under load, and return how often each request got which answer."""
    edge = RoundRobinClient()
    with site() as env, ExitStack() as stack:
        rollout = Rollout(edge, {**env, "DRAIN_SECONDS": str(drain)}, stack)
        rollout.start()
        rollout.start()
        with edge.clients():
            for number in range(1, restarts + 1):
                rollout.replace_oldest(stale)
                print(f"restart {number}: {dict(edge.answers)}", file=sys.stderr)
    return edge.answers


def main(arguments: Sequence[str]) -> int:
    """Run the command line; return 1 if a request was lost."""
    parser = argparse.ArgumentParser("python -m benchmarks.drain")
    parser.add_argument("--restarts", type=int, default=20)
    parser.add_argument("--drain", type=float, default=5, metavar="SECONDS")
    parser.add_argument("--stale", type=float, default=2, metavar="SECONDS")
    options = parser.parse_args(arguments)
    answers = measure(options.restarts, options.drain, options.stale)
    for path in CLIENTS:
        kinds = {
            answer: number for (requested, answer), number in answers.items() if requested == path
        }
        sent, lost = sum(kinds.values()), sum(kinds.values()) - kinds.get(200, 0)
        print(f"{path}: {sent} sent, {lost} lost, by answer {kinds}")
    received = f"{options.drain:g} s of drain, clients informed after {options.stale:g} s"
    print(f"{options.restarts} restarts with {received}")
    return int(any(answer != HTTPStatus.OK for _, answer in answers))


if __name__ == "__main__":
    with handle_errors():
        sys.exit(main(sys.argv[1:]))
