"""The rehearsal itself: what happens, in which order, and what must be true after each step."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

from pipeline.deploy.progress import log
from pipeline.errors import CheckFailedError
from pipeline.rehearsal.node_failure import Loss
from pipeline.rehearsal.secret_leaks import require_kept
from pipeline.rehearsal.traffic import Traffic
from pipeline.rehearsal.workspace import CAREFUL, SHORT, Yard

CHAIN = ("build", "sbom", "scan", "push", "sign")
STOPPED, ROLLED_BACK = 6, 8
"""The exit codes of a deployment that was stopped in time, and of one that was undone."""

WSGI = "backend/config/wsgi.py"
LIES = """

def lies(environ, start_response, answer=application):  # type: ignore[no-untyped-def]
    if "/health/" in environ["PATH_INFO"]:
        return answer(environ, start_response)
    start_response("500 Internal Server Error", [("Content-Type", "text/plain")])
    return [b"broken"]


application = lies
"""
"""Healthy by every probe, and broken for everybody else."""
LEAVES = """

import contextlib, os, signal, threading


def leaves(environ, start_response, answer=application):  # type: ignore[no-untyped-def]
    ours = "HTTP_X_PREVIEW" in environ or "/health/" in environ["PATH_INFO"]
    if os.environ["ENVIRONMENT"] == "production" and not ours:
        with contextlib.suppress(FileExistsError):  # one worker ends the server
            os.mkdir("/tmp/left")
            threading.Timer(6, os.kill, [os.getppid(), signal.SIGTERM]).start()
    return answer(environ, start_response)


application = leaves
"""
"""Well at first, and everywhere else: what only shows when users are on it already."""


@dataclass(frozen=True)
class Step:
    """One step that was taken."""

    name: str
    began: float
    seconds: float
    serves: str


@dataclass
class Rehearsal:
    """A rehearsal under way.

    Attributes:
        yard: Where it takes place.
        traffic: What users of production saw.
        steps: What was done so far.
    """

    yard: Yard
    traffic: Traffic
    steps: list[Step] = field(default_factory=list)

    def take(self, name: str, action: Callable[[], str]) -> None:
        """Take a step; it returns which release production serves from then on."""
        log(f"rehearsal: {name} …")
        began = time.time()
        serves = action()
        self.steps.append(Step(name, began, time.time() - began, serves))
        log(f"rehearsal: {name} took {time.time() - began:.0f} s")

    def run(self) -> None:
        """Take all steps.

        Raises:
            CheckFailedError: A step did not end as it must, or production served something else.
        """
        for name, action in self.first_release():
            self.take(name, action)
        with self.traffic.flowing():
            for name, action in self.later_releases():
                self.take(name, action)
                self.expect(self.steps[-1].serves)

    def first_release(self) -> Iterator[tuple[str, Callable[[], str]]]:
        """Yield the steps until there is something to send traffic to."""
        yield "build, list, scan, push and sign v1.0.0", lambda: self.chain("v1.0.0")
        yield "deploy it to staging", lambda: self.deploy("staging", "v1.0.0")
        yield "deploy it to production", lambda: self.deploy("production", "v1.0.0")

    def later_releases(self) -> Iterator[tuple[str, Callable[[], str]]]:
        """Yield the steps under traffic."""
        yield "build … sign v1.1.0", lambda: self.better("v1.1.0")
        yield "deploy v1.1.0 to staging", lambda: self.deploy("staging", "v1.1.0", "v1.0.0")
        yield "deploy v1.1.0 to production", lambda: self.deploy("production", "v1.1.0")
        if self.yard.cluster:
            for name, action in Loss(self.yard, self.yard.cluster, self.traffic).steps():
                yield name, partial(during, action, "v1.1.0")
        yield "a release that lies is stopped", self.lie
        yield "a release that dies late is undone", self.die
        yield "roll back to v1.0.0 by hand", self.back
        keep_quiet = partial(require_kept, self.yard)
        yield "look for secrets where all can see", partial(during, keep_quiet, "v1.0.0")

    def chain(self, version: str) -> str:
        """Make a release of what is committed, and give it its version."""
        self.yard.must(*CHAIN)
        self.yard.must("promote", version, "--env", "local")
        self.yard.git("tag", version)
        return ""

    def better(self, version: str) -> str:
        """Change something, and release it."""
        self.yard.commit({"frontend/public/rehearsal.txt": version})
        self.chain(version)
        return "v1.0.0"

    def deploy(self, environment: str, version: str, serves: str | None = None) -> str:
        """Deploy a release, and expect it to go well."""
        self.yard.must("deploy", "--env", environment, "--release", version, "--yes")
        return serves or version

    def lie(self) -> str:
        """Release what is broken for everybody; staging stops it before production is asked."""
        self.broken(LIES, "v1.2.0")
        self.refused("staging", "v1.2.0", STOPPED)
        return "v1.1.0"

    def die(self) -> str:
        """Release what staging cannot find; production undoes it, where it is careful."""
        self.broken(LEAVES, "v1.3.0")
        self.deploy("staging", "v1.3.0")
        settings = self.yard.folder / "pipeline.toml"
        settings.write_text(settings.read_text().replace(SHORT, CAREFUL))
        self.refused("production", "v1.3.0", ROLLED_BACK)
        settings.write_text(settings.read_text().replace(CAREFUL, SHORT))
        return "v1.1.0"

    def broken(self, fault: str, version: str) -> None:
        """Make a release with a fault, of a commit that is taken back at once."""
        good = (self.yard.folder / WSGI).read_text()
        self.yard.commit({WSGI: good + fault})
        self.chain(version)
        self.yard.commit({WSGI: good})

    def refused(self, environment: str, version: str, code: int) -> None:
        """Deploy a release, and expect it to end with a code of its own."""
        output = self.yard.invoke("deploy", "--env", environment, "--release", version, "--yes")
        if output.returncode != code:
            raise CheckFailedError(
                f"{version} ended with {output.returncode}, not {code}:\n{output.stderr}",
                hint="the deployment should have found the fault",
            )

    def back(self) -> str:
        """Put the first release back."""
        self.yard.must("rollback", "--env", "production", "--to", "v1.0.0", "--yes")
        return "v1.0.0"

    def expect(self, version: str) -> None:
        """See to it that users of production get this release now, and no other.

        Raises:
            CheckFailedError: They do not.
        """
        since = time.time()
        time.sleep(1)
        seen = {s.release for s in self.traffic.samples if s.release and s.began > since}
        if seen != {version}:
            raise CheckFailedError(
                f"production serves {seen or 'nothing'}, not {version}", hint="invoke status"
            )


def during(action: Callable[[], None], serves: str) -> str:
    """Take a step that changes nothing of what production serves."""
    action()
    return serves
