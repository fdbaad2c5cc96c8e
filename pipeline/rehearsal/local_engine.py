"""What a rehearsal starts on this machine's Docker Engine, and how it is removed."""

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pipeline.files import read_text
from pipeline.images.pin import IMAGE_DEFAULT
from pipeline.images.tools import command_output
from pipeline.process import capture
from pipeline.services import free_port

_REGISTRY_PORT = 5000
_STOP_TIMEOUT = 90


@contextmanager
def temporary_registry(name: str) -> Iterator[str]:
    """Start a registry, yield its address, and remove it."""
    port = free_port()
    container = f"{name}-registry"
    publish = f"--publish=127.0.0.1:{port}:{_REGISTRY_PORT}"
    deletes = "--env=REGISTRY_STORAGE_DELETE_ENABLED=true"
    run = ("docker", "run", "--detach", "--quiet", f"--name={container}", publish, deletes)
    command_output((*run, _registry_image()))
    try:
        yield f"127.0.0.1:{port}"
    finally:
        capture(["docker", "rm", "--force", "--volumes", container])


def _registry_image() -> str:
    """Return the image of the registry from docker-compose.yml."""
    found = IMAGE_DEFAULT.finditer(read_text(Path("docker-compose.yml")))
    named = {entry["variable"]: entry[0].partition(entry["is"])[2] for entry in found}
    return os.environ.get("REGISTRY_IMAGE") or named["REGISTRY_IMAGE"]


@contextmanager
def temporary_swarm(stacks: Sequence[str]) -> Iterator[None]:
    """Make the engine a swarm if it is not one, and remove these stacks afterwards."""
    if capture(["docker", "node", "ls"]).returncode:
        command_output(("docker", "swarm", "init", "--advertise-addr=127.0.0.1"))
    try:
        yield
    finally:
        for stack in stacks:
            remove_stack(stack)


def remove_stack(stack: str) -> None:
    """Remove a stack from the engine: its services, configs, secrets, network and volumes."""
    capture(["docker", "stack", "rm", stack])
    for kind in ("service", "config", "secret"):
        listed = capture(
            ["docker", kind, "ls", f"--filter=name={stack}", "--format={{.Name}}"]
        ).stdout
        for name in listed.split():
            capture(["docker", kind, "rm", name])
    _wait_for_containers(stack)
    capture(["docker", "network", "rm", f"{stack}-app"])
    for volume in ("assets", "dumps", "postgres"):
        capture(["docker", "volume", "rm", f"{stack}-{volume}"])


def remove_images(address: str) -> None:
    """Remove the engine's image tags that name a registry."""
    listing = ["docker", "image", "ls", f"--filter=reference={address}/*/*"]
    names = capture([*listing, "--format={{.Repository}}:{{.Tag}}"]).stdout.split()
    if names:
        capture(["docker", "image", "rm", *names])


def _wait_for_containers(stack: str) -> None:
    """Wait until the containers of removed services are gone, with a time limit."""
    end = time.monotonic() + _STOP_TIMEOUT
    listing = ["docker", "ps", "--all", "--quiet", f"--filter=name={stack}"]
    while capture(listing).stdout.strip() and time.monotonic() < end:
        time.sleep(1)
