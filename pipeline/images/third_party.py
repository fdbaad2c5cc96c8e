"""Third-party images, as docker-compose.yml names them."""

import json

from pipeline.images.commands import docker
from pipeline.images.tools import command_output


def image_reference(image: str) -> str:
    """Return the reference of an image: `postgres:18-trixie@sha256:…`."""
    config = json.loads(command_output(docker.compose("config", "--format=json")))
    return str(config["services"][image]["image"])


def image_version(image: str) -> str:
    """Return the upstream version of an image: its tag."""
    name = image_reference(image).partition("@")[0].rpartition("/")[2]
    return name.partition(":")[2]
