"""Time a good deployment and a rollback, part by part, and a rollout by Docker alone.

nox -s benchmark-deploys [-- --rounds 5]

It needs a Docker Engine, Cosign, Syft, and an idle machine. A site of its own is built, and goes
away at the end. In each round a new release, which was pushed and signed before, is deployed, and
the one before it put back. In the end `docker stack deploy` rolls out the same services as often,
until it reports that all of them have converged. Parts are in seconds, the medians of all rounds;
what happens between two steps is listed separately. From the sixth release on the cleanup has old
ones to remove.
"""

import argparse
import os
import re
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from statistics import median
from subprocess import DEVNULL, PIPE, Popen

from pipeline.errors import CheckFailedError, handle_errors
from tests.acceptance.deploy.live_site import ENV, LiveSite, site_with_first_release
from tests.acceptance.deploy.release_variants import docker

BEGINS = re.compile(r"^\S+  (?P<step>[\w -]+) …$")
ENDS = re.compile(r"^\S+  (?P<step>[\w -]+) done in [\d.]+ s$")
SERVES = re.compile(r"^\S+  \S+ serves at ")
LAST = "smoke"
"""The last step that checks something."""
UNTIL, ALL, BARE = "until it serves", "all of it", "docker alone"
ALONE = ("stack", "deploy", "--compose-file=-", "--resolve-image=never", "--detach=false")

Parts = dict[str, float]
Event = tuple[float, str]


def measure(site: LiveSite, rounds: int) -> Iterator[tuple[str, Parts]]:
    """Deploy and put back, so many times, and then let Docker do it alone; yield each measure."""
    commits = [site.variants.release(f"LABEL round={number}") for number in range(rounds)]
    for commit in commits:
        yield "deploy", timed(site, "deploy", *ENV, f"--release={commit}")
        yield "rollback", timed(site, "rollback", *ENV)
    site.sandbox.invoke_ok("deploy", *ENV, f"--release={commits[-1]}")
    for _ in commits:
        yield BARE, {ALL: bare_rollout(site, commits[-1])}


def timed(site: LiveSite, *arguments: str) -> Parts:
    """Return how long each part of a task took, from its output on stderr.

    Raises:
        CheckFailedError: It did not end well.
    """
    began, events = time.monotonic(), list[Event]()
    env = {**os.environ, **site.sandbox.variables, **site.sandbox.engines[0]}
    command = [sys.executable, "-m", "invoke", *arguments]
    with Popen(
        command, cwd=site.sandbox.folder, env=env, stdout=DEVNULL, stderr=PIPE, text=True
    ) as process:
        for line in process.stderr or ():
            events.append((time.monotonic() - began, line.rstrip("\n")))
    events.append((time.monotonic() - began, ""))
    if process.returncode:
        stderr = "\n".join(line for _, line in events)
        raise CheckFailedError(f"it ended with {process.returncode}:\n{stderr}", hint="see above")
    return parts(events)


def parts(events: Iterable[Event]) -> Parts:
    """Add up what passed in each step, and outside of them, in the order in which they came."""
    found: Parts = {}
    outside, now, then = "before the first step", "before the first step", 0.0
    for seconds, line in events:
        found[now] = found.get(now, 0) + seconds - then
        then = seconds
        if begins := BEGINS.match(line):
            now, outside = begins["step"], "between steps"
        elif ends := ENDS.match(line):
            outside = "after the smoke test" if ends["step"] == LAST else outside
            now = outside
        elif SERVES.match(line):
            found[UNTIL] = seconds
            now = outside = "after it serves"
    return found | {ALL: then}


def bare_rollout(site: LiveSite, commit: str) -> float:
    """Roll a release out as Docker alone does; return the seconds until it has converged."""
    document = site.sandbox.invoke_ok("deploy", *ENV, f"--release={commit}", "--dry-run").stdout
    began = time.monotonic()
    docker(*ALONE, site.sandbox.stack("staging"), stdin=document, **site.sandbox.engines[0])
    return time.monotonic() - began


def table(measures: Mapping[str, Sequence[Parts]]) -> Iterator[str]:
    """Show the median of each part, and the total next to Docker alone."""
    ways = ("deploy", "rollback")
    yield f"{'medians in seconds':24}{'deploy':>9}{'rollback':>10}"
    names = dict.fromkeys(name for way in ways for found in measures[way] for name in found)
    for name in [*sorted(names, key=(UNTIL, ALL).__contains__)]:
        deploy, rollback = (middle(measures[way], name) for way in ways)
        yield f"{name:24}{deploy:>9}{rollback:>10}"
    bare = median(found[ALL] for found in measures[BARE])
    yield f"{BARE:24}{bare:9.1f}{bare:10.1f}   all services at once, nothing checked"
    ratios = [median(found[ALL] for found in measures[way]) / bare for way in ways]
    yield f"{'ratio':24}{ratios[0]:9.2f}{ratios[1]:10.2f}"


def middle(found: Sequence[Parts], name: str) -> str:
    """Return the median of a part; nothing, if there was none."""
    values = [each[name] for each in found if name in each]
    return f"{median(values):.1f}" if values else ""


def main(arguments: Sequence[str]) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser("python -m benchmarks.deploys")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args(arguments)
    measures = defaultdict[str, list[Parts]](list)
    with site_with_first_release() as site:
        for way, found in measure(site, options.rounds):
            print(f"{way}: {found[ALL]:.1f} s", file=sys.stderr)
            measures[way].append(found)
    print(*table(measures), sep="\n")


if __name__ == "__main__":
    with handle_errors():
        main(sys.argv[1:])
