"""Compare web servers on the same app: requests per second, slowest percent, failed requests.

python -m benchmarks.web_servers [--rounds 3] [--seconds 4] [--connections 16] [--keep-alive]

Run it at the root, in an environment with the backend, gunicorn and granian; it needs wrk. The
servers take turns (A B C A B C …), so that a busy minute of the machine meets all of them. Each
request is a connection of its own, as an edge without upstream keep-alive sends it. All traffic
stays on 127.0.0.1.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from http.client import HTTPConnection
from statistics import median

from benchmarks.site import login, running, site
from benchmarks.wrk import LOADS, Load, Result, Traffic, run_load
from pipeline.errors import handle_errors
from pipeline.services import free_port

APPLICATION = "benchmarks.slow:application"
GUNICORN = ["gunicorn", APPLICATION, "--no-control-socket", "--log-level=warning"]
GRANIAN = ["granian", APPLICATION, "--interface=wsgi", "--no-ws"]
BASELINE = "gunicorn sync"

Results = dict[tuple[str, str], list[Result]]
"""All runs by the names of load and server."""


def servers(port: int, workers: int, threads: int) -> dict[str, list[str]]:
    """Return the command line of each candidate."""
    gunicorn = [*GUNICORN, f"--bind=127.0.0.1:{port}", f"--workers={workers}"]
    granian = [*GRANIAN, f"--port={port}", f"--workers={workers}", "--log-level=warning"]
    commands = {
        BASELINE: gunicorn,
        "gunicorn gthread": [*gunicorn, "--worker-class=gthread", f"--threads={threads}"],
        "granian": [*granian, f"--blocking-threads={threads}"],
    }
    return {name: [sys.executable, "-m", *command] for name, command in commands.items()}


def measure(env: Mapping[str, str], options: argparse.Namespace) -> Results:
    """Let the servers take turns, a new process each time, and put every load on each."""
    results: Results = {}
    session = login(env)
    traffic = Traffic(options.seconds, options.connections, options.keep_alive)
    for number in range(1, options.rounds + 1):
        port = free_port()
        for name, command in servers(port, options.workers, options.threads).items():
            print(f"round {number}: {name}", file=sys.stderr)
            with running(command, port, env):
                for load in supported_loads(port):
                    run = run_load(load, port, session, traffic)
                    results.setdefault((load.name, name), []).append(run)
    return results


def supported_loads(port: int) -> list[Load]:
    """Return the loads whose endpoints the API has; say which it has not."""
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", "/api/v1/openapi.json")
    paths = json.load(connection.getresponse())["paths"]
    connection.close()
    there = [load for load in LOADS if load.path.partition("?")[0] in paths]
    for load in sorted(set(LOADS) - set(there), key=lambda load: load.name):
        print(f"left out, since the API has no such endpoint: {load.name}", file=sys.stderr)
    return there


def table(results: Results) -> Iterator[str]:
    """Show the medians of all rounds side by side."""
    yield f"{'load':18}{'server':18}{'requests/s':>11}{'ratio':>7}{'p99 ms':>9}{'failed':>8}"
    for (load, server), runs in sorted(results.items(), key=lambda item: item[0][0]):
        speed = median(run.per_second for run in runs)
        ratio = speed / median(run.per_second for run in results[load, BASELINE])
        p99, failed = median(run.p99_ms for run in runs), sum(run.failed for run in runs)
        yield f"{load:18}{server:18}{speed:11.0f}{ratio:7.2f}{p99:9.1f}{failed:8}"


def main(arguments: Sequence[str]) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser("python -m benchmarks.web_servers")
    for name, default in {
        "rounds": 3,
        "seconds": 4,
        "connections": 16,
        "workers": 2,
        "threads": 4,
    }.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--keep-alive", action="store_true")
    options = parser.parse_args(arguments)
    with site() as env:
        results = measure(env, options)
    print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}, {vars(options)}")
    print(*table(results), sep="\n")


if __name__ == "__main__":
    with handle_errors():
        main(sys.argv[1:])
