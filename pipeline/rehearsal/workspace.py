"""A place to rehearse in: a copy of this repository, a registry, keys, secrets, and a swarm.

All of it is on this machine and has a name of its own; what was made is removed at the end.
"""

import re
import sys
import uuid
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from pipeline import git, scratch_repository
from pipeline.config import main_branch
from pipeline.errors import CheckFailedError
from pipeline.images.tools import require_tools
from pipeline.process import CommandResult, capture
from pipeline.rehearsal.cluster import Cluster, cluster
from pipeline.rehearsal.credentials import (
    SECRETS,
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
"""The first new replica is alone for long enough to be found out."""
START_SECONDS = 60
"""A service is given to start, for each node: all of them share this machine."""
ENVIRONMENTS = ("staging", "production")
ENVIRONMENT_SECTIONS = re.compile(
    rf"^\[environments\.({'|'.join(ENVIRONMENTS)})\]\n(?:[^\[\n].*\n|\n)+", re.MULTILINE
)
"""The environments of the copy that the rehearsal's own stand for."""
SLOW_WSGI = '''

def slow(environ, start_response, answer=application):  # type: ignore[no-untyped-def]
    """Sleep for `?sleep=SECONDS`: a request that is under way while its replica leaves."""
    import time

    if environ["QUERY_STRING"].startswith("sleep="):
        time.sleep(float(environ["QUERY_STRING"].removeprefix("sleep=")))
    return answer(environ, start_response)


application = slow
'''
"""What the rehearsed app has besides; it stands in no real release."""


@dataclass(frozen=True)
class Sandbox:
    """Where a rehearsal takes place.

    Attributes:
        name: What everything in the engine begins with.
        folder: The copy of the repository.
        variables: What its commands are told.
        ports: Where the edge of each environment listens.
        nodes: How many the environments are on.
        cluster: These nodes, if it is not this machine's own engine alone.
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
        """Return what an environment's services begin with."""
        return f"{self.name}-{environment}"

    @property
    def engines(self) -> list[dict[str, str]]:
        """What makes docker talk to each node, the manager first."""
        if not self.cluster:
            return [{}]
        return [self.cluster.engine(node).docker_env() for node in self.cluster.network.nodes]

    @property
    def secrets(self) -> dict[str, str]:
        """What nobody may see, by name."""
        return secret_values(self.variables)

    def invoke(self, *arguments: str) -> CommandResult:
        """Run invoke in the copy, as a person would; environments are on the cluster, if any.

        Raises:
            CheckFailedError: It shows a secret.
        """
        command = [sys.executable, "-m", "invoke", *arguments]
        of_environment = any(argument.startswith("--env") for argument in arguments)
        host = self.cluster.manager.docker_env() if self.cluster and of_environment else {}
        output = capture(command, cwd=self.folder, env={**self.variables, **host})
        require_no_secrets_in_output(output, self.secrets)
        return output

    def invoke_ok(self, *arguments: str) -> CommandResult:
        """Run invoke in the copy, and expect it to succeed.

        Raises:
            CheckFailedError: It did not.
        """
        output = self.invoke(*arguments)
        if output.returncode:
            raise CheckFailedError(
                f"`invoke {' '.join(arguments)}` ended with {output.returncode}:\n{output.stderr}",
                hint=f"look into {self.folder}",
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
        self.git("commit", "--allow-empty", "--quiet", "--message=rehearse")
        return self.git("rev-parse", "HEAD")


@contextmanager
def create_sandbox(nodes: int = 1) -> Iterator[Sandbox]:
    """Prepare a yard, and leave nothing of it.

    Args:
        nodes: How many the environments are on; one is this machine's own engine.

    Raises:
        MissingToolError: No engine answers, or a tool is missing.
        CheckFailedError: Something could not be prepared.
    """
    require_tools("docker", "cosign", "syft", "openssl")
    name = f"rehearsal-{uuid.uuid4().hex[:6]}"
    with TemporaryDirectory(prefix=f"{name}-") as folder, temporary_registry(name) as address:
        here = Path(folder)
        ports = {environment: free_port() for environment in ENVIRONMENTS}
        variables = create_secrets(here) | {"IMAGES_REGISTRY": f"{address}/{name}"}
        place = Sandbox(name, here / "copy", variables, ports, nodes)
        copy_checkout(place)
        try:
            with swarm_for(place, address) as engines:
                yield replace(place, cluster=engines)
        finally:
            remove_images(address)


def swarm_for(place: Sandbox, address: str) -> AbstractContextManager[Cluster | None]:
    """Have the swarm that the environments are on."""
    if place.nodes == 1:
        return temporary_swarm([place.stack(environment) for environment in ENVIRONMENTS])
    certificate = place.variables["SSL_CERT_FILE"]
    return cluster(place.name, place.nodes, address, list(place.ports.values()), certificate)


def copy_checkout(place: Sandbox) -> None:
    """Copy this checkout, with what is not committed yet, and add what only rehearsals have."""
    scratch_repository.copy_files(git.files(), place.folder)
    settings = place.folder / "pipeline.toml"
    settings.write_text(
        ENVIRONMENT_SECTIONS.sub("", settings.read_text()) + render_environments(place)
    )
    wsgi = place.folder / "backend" / "config" / "wsgi.py"
    wsgi.write_text(wsgi.read_text() + SLOW_WSGI)
    ScratchRepository(place.folder).init(main_branch())


def render_environments(place: Sandbox) -> str:
    """Return what pipeline.toml says of the environments to rehearse with."""
    texts = []
    for name in ENVIRONMENTS:
        url, after = place.url(name), 'promote_from = "staging"\n' if name == "production" else ""
        texts.append(f"""
[environments.{name}]
stack = "{place.stack(name)}"
url = "{url}"
port = {place.ports[name]}
allowed_refs = ["*"]
{after}managed_data = true
variables.DJANGO_ALLOWED_HOSTS = "localhost"
variables.DJANGO_CSRF_TRUSTED_ORIGINS = "{url}"
variables.PUBLIC_URL = "{url}"
secrets = [{", ".join(f'"{name}"' for name in sorted(SECRETS))}]
timings = {{ start_timeout = {START_SECONDS * place.nodes}, {FAST_TIMINGS} }}
""")
    return "".join(texts)
