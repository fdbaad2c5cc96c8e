"""A site that serves its first release, and users who notice everything."""

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
from pipeline.images.targets import split_digest
from pipeline.process import CommandResult, capture
from pipeline.rehearsal.traffic import PAUSE_SECONDS, Sample, Traffic
from pipeline.rehearsal.workspace import FAST_TIMINGS, Sandbox, create_sandbox
from tests.acceptance.deploy.release_variants import ReleaseVariants, docker
from tests.waiting import until

CHAIN = ("build", "sbom", "scan", "push", "sign")
ENV = ("--env", "staging", "--yes")
CLIENTS = MappingProxyType({"get": 2, "page": 1, "post": 2, "slow": 2})
STALE_SECONDS = 60  # after which a lock without a sign of life may be taken
GRACE_SECONDS = 60  # a container that is told to end finishes what it was asked


@dataclass
class LiveSite:
    """A site that serves its first release.

    Attributes:
        yard: Where.
        variants: What makes other releases.
        first: The commit of the first one.
        told: What was told to NOTIFY_URL.
        cuts: When nodes went away: what they had of requests went with them.
    """

    yard: Sandbox
    variants: ReleaseVariants
    first: str
    told: list[dict[str, Any]] = field(default_factory=list)
    cuts: list[float] = field(default_factory=list)

    def deploy(self, commit: str = "", **variables: str) -> CommandResult:
        """Deploy a commit, or what is checked out."""
        release = [f"--release={commit}"] if commit else []
        return self.with_env(variables).yard.invoke("deploy", *ENV, *release)

    def with_env(self, variables: Mapping[str, str]) -> "LiveSite":
        """Return this site for commands that are told something else as well."""
        yard = replace(self.yard, variables={**self.yard.variables, **variables})
        return replace(self, yard=yard)

    def rollback(self, *options: str) -> CommandResult:
        """Go back to what served before."""
        return self.yard.invoke("rollback", *ENV, *options)

    def begin(self, commit: str) -> subprocess.Popen[str]:
        """Begin to deploy a commit."""
        return self.start("deploy", *ENV, f"--release={commit}")

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Begin a command."""
        command = [sys.executable, "-m", "invoke", *arguments]
        told = {**os.environ, **self.yard.variables, **self.yard.engines[0]}
        return subprocess.Popen(command, cwd=self.yard.folder, env=told, stderr=-1, text=True)

    def deploy_with_event(
        self, commit: str, step: str, act: Callable[[subprocess.Popen[str]], object]
    ) -> CommandResult:
        """Deploy a commit, and do something once a step of it has begun."""
        return run_with_event(self.begin(commit), step, act)

    def ask(self, path: str) -> int:
        """Ask for something once, as a user; return the status."""
        return self.traffic({}).request("GET", path, None, {})[0]

    def page(self) -> str:
        """Return the page, as a user gets it."""
        return self.traffic({}).request("GET", "/", None, {})[1].decode()

    def traffic(self, clients: Mapping[str, int], pause: float = PAUSE_SECONDS) -> Traffic:
        """Return users who have not begun yet."""
        told = self.yard.variables
        user = (told["SMOKE_USER_EMAIL"], told["SMOKE_USER_PASSWORD"])
        where = self.yard.url("staging")
        return Traffic(where, user, clients, told["SSL_CERT_FILE"], pause, outages=self.cuts)

    def project_count(self) -> int:
        """Return how many projects there are."""
        return int(self.sql("SELECT count(*) FROM projects_project;"))

    def resume(self) -> CommandResult:
        """Undo what a deployer left that died."""
        return self.yard.invoke("deploy", "--env=staging", "--recover")

    @contextmanager
    def without_registry(self) -> Iterator[None]:
        """Have no registry for a while."""
        docker("stop", f"{self.yard.name}-registry")
        try:
            yield
        finally:
            docker("start", f"{self.yard.name}-registry")

    @contextmanager
    def under_traffic(
        self, clients: Mapping[str, int] = CLIENTS, pause: float = PAUSE_SECONDS
    ) -> Iterator[list[Sample]]:
        """Have users, and note what they get."""
        traffic = self.traffic(clients, pause)
        with traffic.running():
            yield traffic.samples

    @contextmanager
    def under_traffic_without_failures(
        self, clients: Mapping[str, int] = CLIENTS, pause: float = PAUSE_SECONDS
    ) -> Iterator[list[Sample]]:
        """Have users, and see to it that not one of their requests fails."""
        with self.under_traffic(clients, pause) as samples:
            yield samples
            all_ask_once_more(samples, clients)
        assert [sample for sample in samples if sample.failed] == []
        assert {sample.kind for sample in samples} == set(clients)

    @contextmanager
    def with_config(self, now: str, then: str, file: str = "pipeline.toml") -> Iterator[None]:
        """Have a file say something else for a while."""
        path = self.yard.folder / file
        usual = path.read_text()
        assert now in usual
        self.yard.commit({file: usual.replace(now, then)})
        try:
            yield
        finally:
            self.yard.commit({file: usual})

    def with_timings(self, **seconds: int) -> Any:  # noqa: ANN401 - a context manager
        """Have other timings than the short ones for a while."""
        given = dict(each.split(" = ") for each in FAST_TIMINGS.split(", "))
        told = ", ".join(f"{name} = {value}" for name, value in {**given, **seconds}.items())
        return self.with_config(FAST_TIMINGS, told)

    def history(self) -> list[list[str]]:
        """Return the journal, the newest last, as words."""
        lines = self.yard.invoke_ok("history", "--env", "staging").stdout.splitlines()
        return [line.split(maxsplit=4) for line in lines]

    def image(self, commit: str, name: str = "backend") -> str:
        """Return the image of a commit, by its digest."""
        tagged = f"{self.yard.variables['IMAGES_REGISTRY']}/{name}:sha-{commit[:12]}"
        return f"{tagged.rpartition(':')[0]}@{resolve_digest(tagged)}"

    def forget_here(self, commit: str, name: str = "backend") -> None:
        """Take the image of a commit off the engine, whatever runs of it still."""
        image = self.image(commit, name)
        repository = image.partition("@")[0]
        listed = docker("image", "ls", "--format={{.Repository}}:{{.Tag}}", repository).split()
        tags = [each for each in listed if f":sha-{commit[:12]}" in each]
        capture(["docker", "image", "rm", "--force", image, *tags, f"local/{name}:linux-amd64"])

    def forget(self, image: str) -> None:
        """Take what a digest names off the registry."""
        host, _, path = image.partition("/")
        name, digest = split_digest(path)
        url = f"http://{host}/v2/{name}/manifests/{digest}"
        with urlopen(Request(url, method="DELETE")):  # nosec B310  # our registry
            pass

    def service(self, name: str) -> str:
        """Return what a service of the site is called in the engine."""
        return f"{self.yard.stack('staging')}_{name}"

    def containers(self, service: str) -> dict[str, str]:
        """Return the containers of a service on all nodes, each with the image it was told.

        `docker ps` would show an id instead, once that image was taken off the engine.
        """
        of = f"--filter=label=com.docker.swarm.service.name={self.service(service)}"
        found: dict[str, str] = {}
        for engine in self.yard.engines:
            ids = docker("ps", "--quiet", "--no-trunc", of, **engine).split()
            told = capture(
                ["docker", "inspect", "--format={{.Id}} {{.Config.Image}}", *ids], env=engine
            )
            found |= dict(row.split() for row in told.stdout.splitlines())
        return found

    def desired_images(self, service: str) -> set[str]:
        """Return the images that a service is to run from now on; what drains is not meant."""
        of = ("--filter=desired-state=running", "--format={{.Image}}", "--no-trunc")
        asked = ("service", "ps", *of, self.service(service))
        return set(docker(*asked, **self.yard.engines[0]).split())

    def assert_only_live_release_runs(self) -> None:
        """See to it that no container is left of what did not serve, once all had time to end."""
        with suppress(TimeoutError):
            until(lambda: not self._left_over(), seconds=GRACE_SECONDS)
        assert self._left_over() == {}

    def _left_over(self) -> dict[str, str]:
        """Return the containers of another image than the one that serves."""
        left: dict[str, str] = {}
        for name in ("backend", "frontend"):
            spec = "{{.Spec.TaskTemplate.ContainerSpec.Image}}"
            asked = ("service", "inspect", f"--format={spec}", self.service(name))
            wanted = docker(*asked, **self.yard.engines[0])
            running = self.containers(name)
            left |= {each: image for each, image in running.items() if image != wanted}
            left |= self.containers(f"{name}-next")
        return left

    def sql(self, statements: str) -> str:
        """Say something to the database."""
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
        """Let so much time pass that the lock of a deployer who has died is stale."""
        time.sleep(STALE_SECONDS + 5)  # noqa: TID251 - by the clock of the engine it is stale

    @contextmanager
    def with_open_transaction(self, statements: str, seconds: int) -> Iterator[None]:
        """Have somebody in a transaction of the database for a while, at most these seconds."""
        told = f"BEGIN; {statements}; SELECT pg_sleep({seconds});"
        thread = threading.Thread(target=self.sql, args=(told,), daemon=True)
        thread.start()
        asleep = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'PgSleep';"
        until(lambda: self.sql(asleep), "the transaction does not begin")
        yield
        thread.join()


@contextmanager
def site_with_first_release(nodes: int = 1) -> Iterator[LiveSite]:
    """Have a site that serves its first release."""
    told: list[dict[str, Any]] = []
    with create_sandbox(nodes) as plain, webhook_receiver(told) as url:
        place = replace(plain, variables={**plain.variables, "NOTIFY_URL": url})
        place.invoke_ok(*CHAIN)
        first = place.git("rev-parse", "HEAD")
        place.invoke_ok("deploy", *ENV)
        variants = ReleaseVariants(place)
        yield LiveSite(place, variants, first, told)
        docker("image", "rm", *variants.good.values())


@contextmanager
def webhook_receiver(told: list[dict[str, Any]]) -> Iterator[str]:
    """Have somebody who is told what became of deployments; yield where."""

    class Listener(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Listener) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/told"
        server.shutdown()


def all_ask_once_more(samples: Sequence[Sample], clients: Collection[str]) -> None:
    """Wait until an answer to each kind of request has come that came after all before."""
    before = len(samples)
    kinds = {*clients}
    until(lambda: {each.kind for each in samples[before:]} >= kinds, "not all ask once more")


def run_with_event(
    process: subprocess.Popen[str], step: str, act: Callable[[subprocess.Popen[str]], object]
) -> CommandResult:
    """Do something once a step of a command has begun, and return what came of the command."""
    said = ""
    with process:
        assert process.stderr
        for line in process.stderr:
            said += line
            if f"{step} …" in line:
                act(process)
    return CommandResult((), process.returncode, "", said)


def send_signal_after(
    number: signal.Signals, after: float = 1.0
) -> Callable[[subprocess.Popen[str]], None]:
    """Return what sends a signal to a deployer some seconds later, in the middle of a step."""

    def act(process: subprocess.Popen[str]) -> None:
        time.sleep(after)  # noqa: TID251 - not a wait: any moment of the step will do
        process.send_signal(number)

    return act
