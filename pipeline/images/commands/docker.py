"""The command lines of Docker for images."""

import os
from collections.abc import Mapping
from pathlib import Path

from pipeline.images.targets import Command, Target

_DEFINITIONS = "docker-compose.yml"
"""The file that defines all images."""


def build(target: Target, tag: str, arguments: Mapping[str, str], epoch: int) -> Command:
    """Build an image of docker-compose.yml for this engine.

    `SOURCE_DATE_EPOCH` sets the time of all files and layers to that of the commit:
    https://reproducible-builds.org/specs/source-date-epoch/

    Args:
        target: What to build.
        tag: The tag in the engine.
        arguments: Build arguments by name.
        epoch: The time of the commit, in seconds since 1970.
    """
    given = {**arguments, "SOURCE_DATE_EPOCH": str(epoch)}
    settings = {
        "tags": tag,
        "platform": target.platform,
        **{f"args.{name}": value for name, value in given.items()},
    }
    options = [f"--set={target.image}.{key}={value}" for key, value in settings.items()]
    return (*_buildx("bake"), f"--file={_DEFINITIONS}", "--load", *options, target.image)


def pull(target: Target, reference: str) -> Command:
    """Pull an image for one platform."""
    return ("docker", "pull", "--quiet", f"--platform={target.platform}", reference)


def tag(image: str, reference: str) -> Command:
    """Tag an image in the engine."""
    return ("docker", "tag", image, reference)


def save(reference: str, archive: Path) -> Command:
    """Save an image of the engine to a file."""
    return ("docker", "save", f"--output={archive}", reference)


def load(archive: Path) -> Command:
    """Load an image from a file into the engine."""
    return ("docker", "load", "--quiet", f"--input={archive}")


def push(reference: str) -> Command:
    """Push a tag."""
    return ("docker", "push", "--quiet", reference)


def create_index(reference: str, *members: str) -> Command:
    """Tag an index of the images of several platforms, or another name of one image."""
    return (*_buildx("imagetools"), "create", f"--tag={reference}", *members)


def inspect(reference: str) -> Command:
    """Inspect an image in the engine."""
    return ("docker", "image", "inspect", reference)


def raw_manifest(reference: str) -> Command:
    """Print a manifest of the registry, byte by byte."""
    return (*_buildx("imagetools"), "inspect", "--raw", reference)


def image_config(reference: str) -> Command:
    """Print the configuration of an image in the registry."""
    return (*_buildx("imagetools"), "inspect", "--format={{json .Image}}", reference)


def engine_platform() -> Command:
    """Print the platform of the engine."""
    return ("docker", "version", "--format={{.Server.Os}}/{{.Server.Arch}}")


def compose(*arguments: str) -> Command:
    """Return the start of a Compose command that reads docker-compose.yml only.

    An override file or a file `.env` next to it belongs to one machine, not to a release.
    """
    return ("docker", "compose", f"--env-file={os.devnull}", f"--file={_DEFINITIONS}", *arguments)


def _buildx(command: str) -> Command:
    """Return the start of a buildx command."""
    return ("docker", "buildx", command)
