"""The sandbox of a rehearsal: a copy of the repository, a registry, keys, secrets and a swarm.

All names in it share a prefix of their own; everything is removed at the end.
"""

import json
import re
import sys
import uuid
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from pipeline import config, git, scratch_repository
from pipeline.config import load, main_branch
from pipeline.errors import CheckFailedError
from pipeline.images.tools import require_tools
from pipeline.process import CommandResult, capture
from pipeline.rehearsal.cluster import Cluster, cluster
from pipeline.rehearsal.credentials import (
    create_secrets,
    require_no_secrets_in_output,
    secret_values,
)
from pipeline.rehearsal.local_engine import remove_images, temporary_registry, temporary_swarm
from pipeline.scratch_repository import ScratchRepository
from pipeline.services import free_port

FAST_TIMINGS = (
    "preview_soak = 3, delay = 2, monitor = 5, bake = 3, drain = 5, stop_grace_period = 30"
)
CAUTIOUS_TIMINGS = (
    "preview_soak = 3, delay = 15, monitor = 16, bake = 3, drain = 5, stop_grace_period = 30"
)
"""The first new replica serves alone long enough for its failures to be detected."""
START_SECONDS = 60
"""`start_timeout` for each node: all nodes share this machine."""
ENVIRONMENTS = ("staging", "production")
_ENVIRONMENT_SECTIONS = re.compile(
    rf"^\[environments\.({'|'.join(ENVIRONMENTS)})\]\n(?:[^\[\n].*\n|\n)+", re.MULTILINE
)
"""The tables of pipeline.toml that the rehearsal's environments replace."""
_SLOW_WSGI = '''

def slow(environ, start_response, answer=application):  # type: ignore[no-untyped-def]
    """Sleep for `?sleep=SECONDS`, so that a request is in flight while its replica stops."""
    import time

    if environ["QUERY_STRING"].startswith("sleep="):
        time.sleep(float(environ["QUERY_STRING"].removeprefix("sleep=")))
    return answer(environ, start_response)


application = slow
'''
"""Appended to the app of the rehearsal; no other release has it."""


@dataclass(frozen=True)
class Sandbox:
    """Where a rehearsal runs.

    Attributes:
        name: The prefix of all names in the engine.
        folder: The copy of the repository.
        variables: The environment variables of its commands.
        ports: The port of the edge of each environment.
        nodes: The number of nodes.
        cluster: The nodes, if there are several.
    """

    name: str
    folder: Path
    variables: Mapping[str, str]
    ports: Mapping[str, int]
    nodes: int = 1
    cluster: Cluster | None = None

    def url(self, environment: str) -> str:
        """Return the origin of an environment's site."""
        return f"https://localhost:{self.ports[environment]}"

    def stack(self, environment: str) -> str:
        """Return the name of an environment's stack."""
        return f"{self.name}-{environment}"

    @property
    def engines(self) -> list[dict[str, str]]:
        """The environment variables for the docker CLI of each node, the manager first."""
        if not self.cluster:
            return [{}]
        return [self.cluster.engine(node).docker_env() for node in self.cluster.network.nodes]

    @property
    def secrets(self) -> dict[str, str]:
        """The values that must not be shown, by name."""
        return secret_values(self.variables)

    def invoke(self, *arguments: str) -> CommandResult:
        """Run invoke in the copy.

        Tasks of an environment use the manager of the cluster, if there is one.

        Raises:
            CheckFailedError: Its output contains a secret.
        """
        command = [sys.executable, "-m", "invoke", *arguments]
        of_environment = any(argument.startswith("--env") for argument in arguments)
        host = self.cluster.manager.docker_env() if self.cluster and of_environment else {}
        output = capture(command, cwd=self.folder, env={**self.variables, **host})
        require_no_secrets_in_output(output, self.secrets)
        return output

    def invoke_ok(self, *arguments: str) -> CommandResult:
        """Run invoke in the copy, and expect success.

        Raises:
            CheckFailedError: It failed.
        """
        output = self.invoke(*arguments)
        if output.returncode:
            raise CheckFailedError(
                f"`invoke {' '.join(arguments)}` ended with {output.returncode}:\n{output.stderr}",
                hint=f"look at the files in {self.folder}",
            )
        return output

    def git(self, *arguments: str) -> str:
        """Run git in the copy."""
        return ScratchRepository(self.folder).git(*arguments).strip()

    def commit(self, changes: Mapping[str, str]) -> str:
        """Commit new contents of files, and return the commit."""
        for path, content in changes.items():
            (self.folder / path).write_text(content)
        self.git("add", "--all")
        self.git("commit", "--allow-empty", "--quiet", "--message=Rehearse")
        return self.git("rev-parse", "HEAD")


@contextmanager
def create_sandbox(nodes: int = 1) -> Iterator[Sandbox]:
    """Create a sandbox, and remove it afterwards.

    Args:
        nodes: The number of nodes; 1 is this machine's own engine.

    Raises:
        MissingToolError: No engine answers, or a tool is missing.
        CheckFailedError: A part of it could not be created.
    """
    require_tools("docker", "cosign", "syft", "openssl")
    name = f"rehearsal-{uuid.uuid4().hex[:6]}"
    with TemporaryDirectory(prefix=f"{name}-") as folder, temporary_registry(name) as address:
        here = Path(folder)
        ports = {environment: free_port() for environment in ENVIRONMENTS}
        variables = create_secrets(here) | {"IMAGES_REGISTRY": f"{address}/{name}"}
        sandbox = Sandbox(name, here / "copy", variables, ports, nodes)
        _copy_checkout(sandbox)
        try:
            with _swarm_for(sandbox, address) as engines:
                yield replace(sandbox, cluster=engines)
        finally:
            remove_images(address)


def _swarm_for(sandbox: Sandbox, address: str) -> AbstractContextManager[Cluster | None]:
    """Return a context manager that starts the swarm of the environments."""
    if sandbox.nodes == 1:
        return temporary_swarm([sandbox.stack(environment) for environment in ENVIRONMENTS])
    certificate = sandbox.variables["SSL_CERT_FILE"]
    return cluster(sandbox.name, sandbox.nodes, address, list(sandbox.ports.values()), certificate)


def _copy_checkout(sandbox: Sandbox) -> None:
    """Copy this checkout with uncommitted changes, and add the environments and the slow app."""
    scratch_repository.copy_files(git.files(), sandbox.folder)
    settings = sandbox.folder / "pipeline.toml"
    settings.write_text(
        _ENVIRONMENT_SECTIONS.sub("", settings.read_text()) + _render_environments(sandbox)
    )
    wsgi = sandbox.folder / wsgi_file()
    wsgi.write_text(wsgi.read_text() + _SLOW_WSGI)
    ScratchRepository(sandbox.folder).init(main_branch())


def _variables(url: str) -> str:
    """Return the variables of the local environment in TOML, for another address."""
    local = config.local_environment()
    lines = (
        f"{name} = {json.dumps(value.replace(local.url, url))}"
        for name, value in local.variables.items()
    )
    return ", ".join(lines)


def wsgi_file() -> Path:
    """Return the WSGI module, which a rehearsal changes."""
    layout = load().layout
    return Path(layout.backend, layout.wsgi)


def _render_environments(sandbox: Sandbox) -> str:
    """Return the rehearsal's environments in TOML."""
    texts = []
    for name in ENVIRONMENTS:
        url, promote_from = (
            sandbox.url(name),
            'promote_from = "staging"\n' if name == "production" else "",
        )
        texts.append(f"""
[environments.{name}]
stack = "{sandbox.stack(name)}"
url = "{url}"
port = {sandbox.ports[name]}
allowed_refs = ["*"]
{promote_from}managed_data = true
variables = {{ {_variables(url)} }}
timings = {{ start_timeout = {START_SECONDS * sandbox.nodes}, {FAST_TIMINGS} }}
""")
    return "".join(texts)
