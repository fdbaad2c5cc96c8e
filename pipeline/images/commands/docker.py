"""The command lines of Docker that build, keep and move images."""

import os
from collections.abc import Mapping
from pathlib import Path

from pipeline.images.targets import Command, Target

DEFINITIONS = "docker-compose.yml"
"""What defines all images."""


def build(target: Target, tag: str, arguments: Mapping[str, str], epoch: int) -> Command:
    """Build an image as docker-compose.yml defines it, for this engine.

    `SOURCE_DATE_EPOCH` gives all that the build makes the time of the commit:
    https://reproducible-builds.org/specs/source-date-epoch/

    Args:
        target: What to build.
        tag: What to call it in the engine.
        arguments: Build arguments by name.
        epoch: The commit's time, in seconds since 1970.
    """
    given = {**arguments, "SOURCE_DATE_EPOCH": str(epoch)}
    settings = {
        "tags": tag,
        "platform": target.platform,
        **{f"args.{name}": value for name, value in given.items()},
    }
    options = [f"--set={target.image}.{key}={value}" for key, value in settings.items()]
    return (*buildx("bake"), f"--file={DEFINITIONS}", "--load", *options, target.image)


def pull(target: Target, reference: str) -> Command:
    """Take an image of others, for one platform."""
    return ("docker", "pull", "--quiet", f"--platform={target.platform}", reference)


def tag(image: str, reference: str) -> Command:
    """Give an image of the engine a name."""
    return ("docker", "tag", image, reference)


def save(reference: str, archive: Path) -> Command:
    """Write an image of the engine to a file."""
    return ("docker", "save", f"--output={archive}", reference)


def load(archive: Path) -> Command:
    """Read an image from a file into the engine."""
    return ("docker", "load", "--quiet", f"--input={archive}")


def push(reference: str) -> Command:
    """Push a tag of the engine."""
    return ("docker", "push", "--quiet", reference)


def create_index(reference: str, *members: str) -> Command:
    """Make one name for the images of several platforms, or one more for an image."""
    return (*buildx("imagetools"), "create", f"--tag={reference}", *members)


def inspect(reference: str) -> Command:
    """Show an image of the engine."""
    return ("docker", "image", "inspect", reference)


def raw_manifest(reference: str) -> Command:
    """Show what the registry keeps under a name, byte by byte."""
    return (*buildx("imagetools"), "inspect", "--raw", reference)


def image_config(reference: str) -> Command:
    """Show the configuration of an image in the registry."""
    return (*buildx("imagetools"), "inspect", "--format={{json .Image}}", reference)


def engine_platform() -> Command:
    """Show what the engine itself runs on."""
    return ("docker", "version", "--format={{.Server.Os}}/{{.Server.Arch}}")


def compose(*arguments: str) -> Command:
    """Begin a command of Compose on the definitions alone.

    An override file beside them, or a file `.env`, is a laptop's own and no part of a release.
    """
    return ("docker", "compose", f"--env-file={os.devnull}", f"--file={DEFINITIONS}", *arguments)


def buildx(command: str) -> Command:
    """Begin a command of the builder."""
    return ("docker", "buildx", command)
