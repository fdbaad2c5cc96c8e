"""The steps of a rehearsal, and what must be true after each."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

from pipeline.config import load
from pipeline.deploy.progress import log
from pipeline.errors import CheckFailedError
from pipeline.rehearsal.node_failure import NodeFailure
from pipeline.rehearsal.secret_leaks import require_no_leaks
from pipeline.rehearsal.traffic import Traffic
from pipeline.rehearsal.workspace import CAUTIOUS_TIMINGS, FAST_TIMINGS, Sandbox, wsgi_file

_BUILD_TASKS = ("build", "sbom", "scan", "push", "sign")
_ABORTED, _ROLLED_BACK = 6, 8
"""Exit codes of a deployment that was stopped before the rollout, and of one rolled back."""
_HEALTHY_BUT_BROKEN = """

def broken(environ, start_response, answer=application):  # type: ignore[no-untyped-def]
    if "/health/" in environ["PATH_INFO"]:
        return answer(environ, start_response)
    start_response("500 Internal Server Error", [("Content-Type", "text/plain")])
    return [b"broken"]


application = broken
"""
"""Every health check passes, and every other request fails."""
_CRASHES_LATE = """

import contextlib, os, signal, threading


def crashes_late(environ, start_response, answer=application):  # type: ignore[no-untyped-def]
    is_check = "HTTP_X_PREVIEW" in environ or "/health/" in environ["PATH_INFO"]
    if os.environ["ENVIRONMENT"] == "production" and not is_check:
        with contextlib.suppress(FileExistsError):  # only the first worker stops the server
            os.mkdir("/tmp/left")
            threading.Timer(6, os.kill, [os.getppid(), signal.SIGTERM]).start()
    return answer(environ, start_response)


application = crashes_late
"""
"""Exits only after requests of production's users, so no earlier check can detect it."""


@dataclass(frozen=True)
class Step:
    """One step that has ended."""

    name: str
    began: float
    seconds: float
    live_version: str


@dataclass
class Rehearsal:
    """A rehearsal.

    Attributes:
        sandbox: Where it runs.
        traffic: The requests of production's users.
        steps: The steps that have ended.
    """

    sandbox: Sandbox
    traffic: Traffic
    steps: list[Step] = field(default_factory=list)

    def run_step(self, name: str, action: Callable[[], str]) -> None:
        """Run a step; its action returns the release that production then serves."""
        log(f"rehearsal: {name} …")
        began = time.time()
        live_version = action()
        self.steps.append(Step(name, began, time.time() - began, live_version))
        log(f"rehearsal: {name} took {time.time() - began:.0f} s")

    def run(self) -> None:
        """Run all steps.

        Raises:
            CheckFailedError: A step did not end as expected, or production serves another release.
        """
        for name, action in self.first_release():
            self.run_step(name, action)
        with self.traffic.running():
            for name, action in self.later_releases():
                self.run_step(name, action)
                self.expect_live(self.steps[-1].live_version)

    def first_release(self) -> Iterator[tuple[str, Callable[[], str]]]:
        """Yield the steps before there is traffic."""
        yield "build, scan, push and sign v1.0.0", lambda: self.build_and_promote("v1.0.0")
        yield "deploy v1.0.0 to staging", lambda: self.deploy("staging", "v1.0.0")
        yield "deploy v1.0.0 to production", lambda: self.deploy("production", "v1.0.0")

    def later_releases(self) -> Iterator[tuple[str, Callable[[], str]]]:
        """Yield the steps under traffic."""
        yield "build, scan, push and sign v1.1.0", lambda: self.next_release("v1.1.0")
        yield "deploy v1.1.0 to staging", lambda: self.deploy("staging", "v1.1.0", "v1.0.0")
        yield "deploy v1.1.0 to production", lambda: self.deploy("production", "v1.1.0")
        if self.sandbox.cluster:
            for name, action in NodeFailure(
                self.sandbox, self.sandbox.cluster, self.traffic
            ).steps():
                yield name, partial(_unchanged_release, action, "v1.1.0")
        yield "deploy a broken release", self.deploy_broken_release
        yield "deploy a release that crashes late", self.deploy_late_crash
        yield "roll back to v1.0.0", self.roll_back
        check_leaks = partial(require_no_leaks, self.sandbox)
        yield (
            "search logs and configs for secrets",
            partial(_unchanged_release, check_leaks, "v1.0.0"),
        )

    def build_and_promote(self, version: str) -> str:
        """Build the last commit, and promote the images to a release."""
        self.sandbox.invoke_ok(*_BUILD_TASKS)
        self.sandbox.invoke_ok("promote", version, "--env", "local")
        self.sandbox.git("tag", version)
        return ""

    def next_release(self, version: str) -> str:
        """Change a file, and make a release of it."""
        self.sandbox.commit({f"{load().layout.frontend}/public/rehearsal.txt": version})
        self.build_and_promote(version)
        return "v1.0.0"

    def deploy(self, environment: str, version: str, live_version: str | None = None) -> str:
        """Deploy a release, and expect success."""
        self.sandbox.invoke_ok("deploy", "--env", environment, "--release", version, "--yes")
        return live_version or version

    def deploy_broken_release(self) -> str:
        """Deploy a broken release; staging stops it, so it does not reach production."""
        self.release_with_fault(_HEALTHY_BUT_BROKEN, "v1.2.0")
        self.expect_exit_code("staging", "v1.2.0", _ABORTED)
        return "v1.1.0"

    def deploy_late_crash(self) -> str:
        """Deploy a release with a fault that only production detects; it is rolled back."""
        self.release_with_fault(_CRASHES_LATE, "v1.3.0")
        self.deploy("staging", "v1.3.0")
        settings = self.sandbox.folder / "pipeline.toml"
        settings.write_text(settings.read_text().replace(FAST_TIMINGS, CAUTIOUS_TIMINGS))
        self.expect_exit_code("production", "v1.3.0", _ROLLED_BACK)
        settings.write_text(settings.read_text().replace(CAUTIOUS_TIMINGS, FAST_TIMINGS))
        return "v1.1.0"

    def release_with_fault(self, fault: str, version: str) -> None:
        """Make a release with a fault, and revert its commit."""
        file = wsgi_file()
        good = (self.sandbox.folder / file).read_text()
        self.sandbox.commit({str(file): good + fault})
        self.build_and_promote(version)
        self.sandbox.commit({str(file): good})

    def expect_exit_code(self, environment: str, version: str, code: int) -> None:
        """Deploy a release, and expect an exit code."""
        output = self.sandbox.invoke("deploy", "--env", environment, "--release", version, "--yes")
        if output.returncode != code:
            raise CheckFailedError(
                f"{version} ended with {output.returncode}, not {code}:\n{output.stderr}",
                hint="the deployment has to detect the fault",
            )

    def roll_back(self) -> str:
        """Roll back to the first release."""
        self.sandbox.invoke_ok("rollback", "--env", "production", "--to", "v1.0.0", "--yes")
        return "v1.0.0"

    def expect_live(self, version: str) -> None:
        """Check that all requests of the next second are answered by one release.

        Raises:
            CheckFailedError: They are not.
        """
        since = time.time()
        time.sleep(1)
        seen = {s.release for s in self.traffic.samples if s.release and s.began > since}
        if seen != {version}:
            raise CheckFailedError(
                f"production serves {seen or 'nothing'}, not {version}", hint="invoke status"
            )


def _unchanged_release(action: Callable[[], None], live_version: str) -> str:
    """Run a step that does not change the live release, and return that release."""
    action()
    return live_version
