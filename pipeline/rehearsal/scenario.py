"""The rehearsal itself: what happens, in which order, and what must be true after each step."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

from pipeline.deploy.progress import log
from pipeline.errors import CheckFailedError
from pipeline.rehearsal.node_failure import NodeFailure
from pipeline.rehearsal.secret_leaks import require_no_leaks
from pipeline.rehearsal.traffic import Traffic
from pipeline.rehearsal.workspace import CAUTIOUS_TIMINGS, FAST_TIMINGS, Sandbox

BUILD_TASKS = ("build", "sbom", "scan", "push", "sign")
ABORTED, ROLLED_BACK = 6, 8
"""The exit codes of a deployment that was stopped in time, and of one that was undone."""

WSGI = "backend/config/wsgi.py"
HEALTHY_BUT_BROKEN = """

def lies(environ, start_response, answer=application):  # type: ignore[no-untyped-def]
    if "/health/" in environ["PATH_INFO"]:
        return answer(environ, start_response)
    start_response("500 Internal Server Error", [("Content-Type", "text/plain")])
    return [b"broken"]


application = lies
"""
"""Healthy by every probe, and broken for everybody else."""
CRASHES_LATE = """

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
    live_version: str


@dataclass
class Rehearsal:
    """A rehearsal under way.

    Attributes:
        yard: Where it takes place.
        traffic: What users of production saw.
        steps: What was done so far.
    """

    yard: Sandbox
    traffic: Traffic
    steps: list[Step] = field(default_factory=list)

    def run_step(self, name: str, action: Callable[[], str]) -> None:
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
            self.run_step(name, action)
        with self.traffic.running():
            for name, action in self.later_releases():
                self.run_step(name, action)
                self.expect_live(self.steps[-1].live_version)

    def first_release(self) -> Iterator[tuple[str, Callable[[], str]]]:
        """Yield the steps until there is something to send traffic to."""
        yield "build, list, scan, push and sign v1.0.0", lambda: self.build_and_promote("v1.0.0")
        yield "deploy it to staging", lambda: self.deploy("staging", "v1.0.0")
        yield "deploy it to production", lambda: self.deploy("production", "v1.0.0")

    def later_releases(self) -> Iterator[tuple[str, Callable[[], str]]]:
        """Yield the steps under traffic."""
        yield "build … sign v1.1.0", lambda: self.next_release("v1.1.0")
        yield "deploy v1.1.0 to staging", lambda: self.deploy("staging", "v1.1.0", "v1.0.0")
        yield "deploy v1.1.0 to production", lambda: self.deploy("production", "v1.1.0")
        if self.yard.cluster:
            for name, action in NodeFailure(self.yard, self.yard.cluster, self.traffic).steps():
                yield name, partial(unchanged_release, action, "v1.1.0")
        yield "a release that lies is stopped", self.deploy_broken_release
        yield "a release that dies late is undone", self.deploy_late_crash
        yield "roll back to v1.0.0 by hand", self.roll_back
        keep_quiet = partial(require_no_leaks, self.yard)
        yield "look for secrets where all can see", partial(unchanged_release, keep_quiet, "v1.0.0")

    def build_and_promote(self, version: str) -> str:
        """Make a release of what is committed, and give it its version."""
        self.yard.invoke_ok(*BUILD_TASKS)
        self.yard.invoke_ok("promote", version, "--env", "local")
        self.yard.git("tag", version)
        return ""

    def next_release(self, version: str) -> str:
        """Change something, and release it."""
        self.yard.commit({"frontend/public/rehearsal.txt": version})
        self.build_and_promote(version)
        return "v1.0.0"

    def deploy(self, environment: str, version: str, serves: str | None = None) -> str:
        """Deploy a release, and expect it to go well."""
        self.yard.invoke_ok("deploy", "--env", environment, "--release", version, "--yes")
        return serves or version

    def deploy_broken_release(self) -> str:
        """Release what is broken for everybody; staging stops it before production is asked."""
        self.release_with_fault(HEALTHY_BUT_BROKEN, "v1.2.0")
        self.expect_exit_code("staging", "v1.2.0", ABORTED)
        return "v1.1.0"

    def deploy_late_crash(self) -> str:
        """Release what staging cannot find; production undoes it, where it is careful."""
        self.release_with_fault(CRASHES_LATE, "v1.3.0")
        self.deploy("staging", "v1.3.0")
        settings = self.yard.folder / "pipeline.toml"
        settings.write_text(settings.read_text().replace(FAST_TIMINGS, CAUTIOUS_TIMINGS))
        self.expect_exit_code("production", "v1.3.0", ROLLED_BACK)
        settings.write_text(settings.read_text().replace(CAUTIOUS_TIMINGS, FAST_TIMINGS))
        return "v1.1.0"

    def release_with_fault(self, fault: str, version: str) -> None:
        """Make a release with a fault, of a commit that is taken back at once."""
        good = (self.yard.folder / WSGI).read_text()
        self.yard.commit({WSGI: good + fault})
        self.build_and_promote(version)
        self.yard.commit({WSGI: good})

    def expect_exit_code(self, environment: str, version: str, code: int) -> None:
        """Deploy a release, and expect it to end with a code of its own."""
        output = self.yard.invoke("deploy", "--env", environment, "--release", version, "--yes")
        if output.returncode != code:
            raise CheckFailedError(
                f"{version} ended with {output.returncode}, not {code}:\n{output.stderr}",
                hint="the deployment should have found the fault",
            )

    def roll_back(self) -> str:
        """Put the first release back."""
        self.yard.invoke_ok("rollback", "--env", "production", "--to", "v1.0.0", "--yes")
        return "v1.0.0"

    def expect_live(self, version: str) -> None:
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


def unchanged_release(action: Callable[[], None], serves: str) -> str:
    """Take a step that changes nothing of what production serves."""
    action()
    return serves
