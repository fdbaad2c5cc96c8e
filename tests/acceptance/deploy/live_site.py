"""A deployed site under traffic, for acceptance tests."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType
from typing import Any
from urllib.request import Request, urlopen

from pipeline.images.registry import resolve_digest
from pipeline.images.targets import ImageRef
from pipeline.process import CommandResult, capture
from pipeline.rehearsal.traffic import PAUSE_SECONDS, Sample, Traffic
from pipeline.rehearsal.workspace import FAST_TIMINGS, Sandbox, create_sandbox
from tests.acceptance.deploy.release_variants import ReleaseVariants, docker
from tests.waiting import until

CHAIN = ("build", "sbom", "scan", "push", "sign")
ENV = ("--env", "staging", "--yes")
CLIENTS = MappingProxyType({"get": 2, "page": 1, "post": 2, "slow": 2})
STALE_SECONDS = 60  # a lock without a heartbeat for that long may be taken over
GRACE_SECONDS = 60  # a container that receives SIGTERM finishes its requests


@dataclass
class LiveSite:
    """A site with a first release.

    Attributes:
        sandbox: The repository, registry and swarm of the site.
        variants: Builds more releases.
        first: Commit of the first release.
        notifications: Received by NOTIFY_URL.
        cuts: Times at which nodes were cut off; requests in progress may be lost with the node.
    """

    sandbox: Sandbox
    variants: ReleaseVariants
    first: str
    notifications: list[dict[str, Any]] = field(default_factory=list)
    cuts: list[float] = field(default_factory=list)

    def deploy(self, commit: str = "", **variables: str) -> CommandResult:
        """Deploy a commit; without one, the checkout."""
        release = [f"--release={commit}"] if commit else []
        return self.with_env(variables).sandbox.invoke("deploy", *ENV, *release)

    def with_env(self, variables: Mapping[str, str]) -> "LiveSite":
        """Return this site with more environment variables for its commands."""
        sandbox = replace(self.sandbox, variables={**self.sandbox.variables, **variables})
        return replace(self, sandbox=sandbox)

    def rollback(self, *options: str) -> CommandResult:
        """Roll back to the release before."""
        return self.sandbox.invoke("rollback", *ENV, *options)

    def begin(self, commit: str) -> subprocess.Popen[str]:
        """Start to deploy a commit."""
        return self.start("deploy", *ENV, f"--release={commit}")

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command."""
        command = [sys.executable, "-m", "invoke", *arguments]
        env = {**os.environ, **self.sandbox.variables, **self.sandbox.engines[0]}
        return subprocess.Popen(command, cwd=self.sandbox.folder, env=env, stderr=-1, text=True)

    def deploy_with_event(
        self, commit: str, step: str, act: Callable[[subprocess.Popen[str]], object]
    ) -> CommandResult:
        """Deploy a commit, and call a function when a step starts."""
        return run_with_event(self.begin(commit), step, act)

    def ask(self, path: str) -> int:
        """Send one request as a user; return the status."""
        return self.traffic({}).request("GET", path, None, {})[0]

    def page(self) -> str:
        """Return the HTML of the page."""
        return self.traffic({}).request("GET", "/", None, {})[1].decode()

    def traffic(self, clients: Mapping[str, int], pause: float = PAUSE_SECONDS) -> Traffic:
        """Return the traffic of users, not yet started."""
        variables = self.sandbox.variables
        user = (variables["SMOKE_USER_EMAIL"], variables["SMOKE_USER_PASSWORD"])
        where = self.sandbox.url("staging")
        return Traffic(where, user, clients, variables["SSL_CERT_FILE"], pause, outages=self.cuts)

    def project_count(self) -> int:
        """Return the number of projects in the database."""
        return int(self.sql("SELECT count(*) FROM projects_project;"))

    def resume(self) -> CommandResult:
        """Clean up after a killed deployer."""
        return self.sandbox.invoke("deploy", "--env=staging", "--recover")

    @contextmanager
    def without_registry(self) -> Iterator[None]:
        """Stop the registry inside the block."""
        docker("stop", f"{self.sandbox.name}-registry")
        try:
            yield
        finally:
            docker("start", f"{self.sandbox.name}-registry")

    @contextmanager
    def under_traffic(
        self, clients: Mapping[str, int] = CLIENTS, pause: float = PAUSE_SECONDS
    ) -> Iterator[list[Sample]]:
        """Send requests of users inside the block; yield their samples."""
        traffic = self.traffic(clients, pause)
        with traffic.running():
            yield traffic.samples

    @contextmanager
    def under_traffic_without_failures(
        self, clients: Mapping[str, int] = CLIENTS, pause: float = PAUSE_SECONDS
    ) -> Iterator[list[Sample]]:
        """Send requests of users inside the block; none may fail."""
        with self.under_traffic(clients, pause) as samples:
            yield samples
            all_ask_once_more(samples, clients)
        assert [sample for sample in samples if sample.failed] == []
        assert {sample.kind for sample in samples} == set(clients)

    @contextmanager
    def with_config(self, now: str, then: str, file: str = "pipeline.toml") -> Iterator[None]:
        """Commit a change of a file inside the block, and revert it afterwards."""
        path = self.sandbox.folder / file
        usual = path.read_text()
        assert now in usual
        self.sandbox.commit({file: usual.replace(now, then)})
        try:
            yield
        finally:
            self.sandbox.commit({file: usual})

    def with_timings(self, **seconds: int) -> Any:  # noqa: ANN401 - a context manager
        """Commit other timings inside the block."""
        given = dict(each.split(" = ") for each in FAST_TIMINGS.split(", "))
        timings = ", ".join(f"{name} = {value}" for name, value in {**given, **seconds}.items())
        return self.with_config(FAST_TIMINGS, timings)

    def history(self) -> list[list[str]]:
        """Return the rows of `invoke history`, split into words, the newest last."""
        lines = self.sandbox.invoke_ok("history", "--env", "staging").stdout.splitlines()
        return [line.split(maxsplit=4) for line in lines]

    def image(self, commit: str, name: str = "backend") -> str:
        """Return the image of a commit, by digest."""
        tagged = f"{self.sandbox.variables['IMAGES_REGISTRY']}/{name}:sha-{commit[:12]}"
        return f"{tagged.rpartition(':')[0]}@{resolve_digest(tagged)}"

    def delete_local_image(self, commit: str, name: str = "backend") -> None:
        """Delete the image of a commit from the engine, even if containers use it."""
        image = self.image(commit, name)
        repository = image.partition("@")[0]
        listed = docker("image", "ls", "--format={{.Repository}}:{{.Tag}}", repository).split()
        tags = [each for each in listed if f":sha-{commit[:12]}" in each]
        capture(["docker", "image", "rm", "--force", image, *tags, f"local/{name}:linux-amd64"])

    def delete_manifest(self, image: str) -> None:
        """Delete the manifest of a digest from the registry."""
        host, _, path = image.partition("/")
        reference = ImageRef(path)
        name, digest = reference.repository, reference.digest
        url = f"http://{host}/v2/{name}/manifests/{digest}"
        with urlopen(Request(url, method="DELETE")):  # nosec B310  # our registry
            pass

    def service(self, name: str) -> str:
        """Return the name of a service in the engine."""
        return f"{self.sandbox.stack('staging')}_{name}"

    def containers(self, service: str) -> dict[str, str]:
        """Return the containers of a service on all nodes, each with its configured image.

        `docker ps` shows an id instead of the name after the image was deleted.
        """
        of = f"--filter=label=com.docker.swarm.service.name={self.service(service)}"
        found: dict[str, str] = {}
        for engine in self.sandbox.engines:
            ids = docker("ps", "--quiet", "--no-trunc", of, **engine).split()
            inspected = capture(
                ["docker", "inspect", "--format={{.Id}} {{.Config.Image}}", *ids], env=engine
            )
            found |= dict(row.split() for row in inspected.stdout.splitlines())
        return found

    def desired_images(self, service: str) -> set[str]:
        """Return the images of the tasks that should run; draining tasks do not count."""
        of = ("--filter=desired-state=running", "--format={{.Image}}", "--no-trunc")
        arguments = ("service", "ps", *of, self.service(service))
        return set(docker(*arguments, **self.sandbox.engines[0]).split())

    def assert_only_live_release_runs(self) -> None:
        """Check that only containers of the live release are left after the grace period."""
        with suppress(TimeoutError):
            until(lambda: not self._left_over(), seconds=GRACE_SECONDS)
        assert self._left_over() == {}

    def _left_over(self) -> dict[str, str]:
        """Return the containers of other images than that of the live release."""
        left: dict[str, str] = {}
        for name in ("backend", "frontend"):
            spec = "{{.Spec.TaskTemplate.ContainerSpec.Image}}"
            arguments = ("service", "inspect", f"--format={spec}", self.service(name))
            wanted = docker(*arguments, **self.sandbox.engines[0])
            running = self.containers(name)
            left |= {each: image for each, image in running.items() if image != wanted}
            left |= self.containers(f"{name}-next")
        return left

    def sql(self, statements: str) -> str:
        """Run SQL in the database, and return the output."""
        (postgres,) = self.containers("postgres")
        psql = (
            "psql",
            "--set=ON_ERROR_STOP=1",
            "--username=postgres",
            "--no-psqlrc",
            "--tuples-only",
            "--no-align",
        )
        return docker("exec", "--interactive", postgres, *psql, stdin=statements)

    def outlive_lock(self) -> None:
        """Wait until the lock of a killed deployer is stale."""
        time.sleep(STALE_SECONDS + 5)  # noqa: TID251 - the age is measured by the clock of the engine

    @contextmanager
    def with_open_transaction(self, statements: str, seconds: int) -> Iterator[None]:
        """Hold a transaction of the database open inside the block, for at most these seconds."""
        script = f"BEGIN; {statements}; SELECT pg_sleep({seconds});"
        thread = threading.Thread(target=self.sql, args=(script,), daemon=True)
        thread.start()
        asleep = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'PgSleep';"
        until(lambda: self.sql(asleep), "the transaction does not start")
        yield
        thread.join()


@contextmanager
def site_with_first_release(nodes: int = 1) -> Iterator[LiveSite]:
    """Deploy a site with its first release; remove it afterwards."""
    notifications: list[dict[str, Any]] = []
    with create_sandbox(nodes) as plain, webhook_receiver(notifications) as url:
        place = replace(plain, variables={**plain.variables, "NOTIFY_URL": url})
        place.invoke_ok(*CHAIN)
        first = place.git("rev-parse", "HEAD")
        place.invoke_ok("deploy", *ENV)
        variants = ReleaseVariants(place)
        yield LiveSite(place, variants, first, notifications)
        docker("image", "rm", *variants.good.values())


@contextmanager
def webhook_receiver(notifications: list[dict[str, Any]]) -> Iterator[str]:
    """Run a webhook receiver for NOTIFY_URL; yield its URL."""

    class Listener(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            notifications.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Print no access log."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Listener) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/notify"
        server.shutdown()


def all_ask_once_more(samples: Sequence[Sample], clients: Collection[str]) -> None:
    """Wait for one more answer to each kind of request."""
    before = len(samples)
    kinds = {*clients}
    until(
        lambda: {each.kind for each in samples[before:]} >= kinds,
        "a client sent no further request",
    )


def run_with_event(
    process: subprocess.Popen[str], step: str, act: Callable[[subprocess.Popen[str]], object]
) -> CommandResult:
    """Call a function when a step of a command starts; return the result of the command."""
    stderr = ""
    with process:
        assert process.stderr
        for line in process.stderr:
            stderr += line
            if f"{step} …" in line:
                act(process)
    return CommandResult((), process.returncode, "", stderr)


def send_signal_after(
    number: signal.Signals, after: float = 1.0
) -> Callable[[subprocess.Popen[str]], None]:
    """Return a function that signals a deployer some seconds later, in the middle of a step."""

    def act(process: subprocess.Popen[str]) -> None:
        time.sleep(after)  # noqa: TID251 - not a wait: any moment of the step is fine
        process.send_signal(number)

    return act
