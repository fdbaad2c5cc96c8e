"""A registry, keys, and throw-away projects of tiny images, for the real tools.

Everything that is made in the engine has this run's own name, and is removed by it.
"""

import itertools
import json
import os
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.signing.project import Project
from tests.conftest import ROOT
from tests.waiting import until

RUN = f"supply-chain-{uuid.uuid4().hex[:12]}"
REGISTRY_IMAGE = os.environ.get("REGISTRY_IMAGE", "registry:3")
TOOLS = ("cosign", "docker", "git", "syft")
TRIVY = ROOT / "tests" / "unit" / "images" / "fakes" / "trivy.py"
MANIFESTS = [
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
]

Make = Callable[[Path], Project]


def sh(*command: str | Path, cwd: Path | None = None) -> str:
    """Run a command that has to succeed, and return what it printed."""
    environment = {**os.environ, "COSIGN_PASSWORD": ""}
    result = subprocess.run(
        command, check=False, capture_output=True, text=True, env=environment, cwd=cwd
    )
    assert result.returncode == 0, f"{command}: {result.stderr}"
    return result.stdout.strip()


@pytest.fixture(scope="session", autouse=True)
def _no_key_from_outside() -> Iterator[None]:
    """Cosign takes COSIGN_KEY for its --key by itself, also where none is meant."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("COSIGN_KEY", raising=False)
        yield


@pytest.fixture(scope="session")
def registry() -> Iterator[str]:
    """A registry of this run only, at an address where plain HTTP is allowed."""
    sh("docker", "run", "--detach", f"--name={RUN}", "--publish=127.0.0.1::5000",
       "--env=REGISTRY_STORAGE_DELETE_ENABLED=true", REGISTRY_IMAGE)  # fmt: skip
    try:
        host = sh("docker", "port", RUN, "5000/tcp").splitlines()[0]
        wait_for(f"http://{host}/v2/")
        yield host
    finally:
        sh("docker", "rm", "--force", "--volumes", RUN)
        names = sh("docker", "images", "--format={{.Repository}}:{{.Tag}}").splitlines()
        mine = [name for name in names if name.startswith((f"{host}/", f"local/{RUN}"))]
        if mine:
            sh("docker", "rmi", "--force", *mine)


def wait_for(address: str) -> None:
    """Wait until the registry answers; without it there is nothing to test at all."""
    try:
        until(lambda: answers(address))
    except TimeoutError:
        hint = "run it where the engine's own ports are reached: docker version; docker port"
        output = f"{address} does not answer, though it was started"
        pytest.exit(f"{output}\n\nhint: {hint}", returncode=1)


def answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address):  # noqa: S310  # nosec B310  # our registry
            return True
    except (urllib.error.URLError, ConnectionError):
        return False


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two key pairs: ours and another's."""
    folder = tmp_path_factory.mktemp("keys")
    for name in ("ours", "other"):
        sh("cosign", "generate-key-pair", f"--output-key-prefix={name}", cwd=folder)
    return folder


@pytest.fixture(scope="session")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A PATH of the real tools without any Trivy, so that no scanner runs."""
    folder = tmp_path_factory.mktemp("bin")
    here = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    for tool in (*TOOLS, "sh"):
        (folder / tool).symlink_to(str(shutil.which(tool, path=here)))
    return folder


@pytest.fixture(scope="session")
def scanner(tools: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with a Trivy that finds nothing: the only double here, for it cannot be had."""
    folder = tmp_path_factory.mktemp("scanner")
    shutil.copytree(tools, folder, symlinks=True, dirs_exist_ok=True)
    (folder / "findings.json").write_text('{"vulnerabilities": [], "secrets": []}')
    call = f'exec "{sys.executable}" -P -S "{TRIVY}" "$@"'
    env = f'DOUBLES="{folder}" PYTHONPATH="{ROOT}"'
    (folder / "trivy").write_text(f"#!/bin/sh\n{env} {call}\n")
    (folder / "trivy").chmod(0o755)
    return folder


@pytest.fixture(scope="session")
def make(registry: str, keys: Path, tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Return what makes a project with its own image and its own place in the registry."""
    numbers = itertools.count()

    def make(tools: Path) -> Project:
        name = f"{RUN}-{next(numbers)}"
        folder = tmp_path_factory.mktemp("project")
        return Project.make(folder, name, f"{registry}/kit", keys / "ours.key", tools)

    return make


def manifest(reference: str) -> dict[str, Any]:
    """Return what the registry keeps under a name."""
    found: dict[str, Any] = json.loads(
        sh("docker", "buildx", "imagetools", "inspect", "--raw", reference)
    )
    return found


def ask(path: str, method: str = "GET", data: bytes | None = None, kind: str = "") -> bytes:
    """Ask the registry: https://github.com/opencontainers/distribution-spec/blob/main/spec.md."""
    headers = {"Content-Type": kind} if kind else {"Accept": ", ".join(MANIFESTS)}
    request = urllib.request.Request(f"http://{path}", data, headers, method=method)
    with urllib.request.urlopen(request) as answer:  # noqa: S310  # nosec B310  # our registry
        content: bytes = answer.read()
        return content


def tags(name: str) -> list[str]:
    """Return the tags of a repository."""
    host, _, path = name.partition("/")
    try:
        return list(json.loads(ask(f"{host}/v2/{path}/tags/list"))["tags"] or [])
    except urllib.error.HTTPError:
        return []
