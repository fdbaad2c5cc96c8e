"""Build each image once for a commit; take those of others as they are."""

import json
import os
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipeline.errors import CheckFailedError, InputError
from pipeline.files import read_text
from pipeline.git import Commit, head
from pipeline.images import third_party
from pipeline.images.commands import docker
from pipeline.images.records import BuildRecord, load_build
from pipeline.images.targets import Command, Target, is_built, platforms, select_images, source_url
from pipeline.images.tools import command_output, require_tools, run_commands
from pipeline.process import capture

BASE_IMAGE_ARG = re.compile(r"^ARG (?P<variable>[A-Z_]+_IMAGE)=(?P<reference>\S+)$", re.MULTILINE)


def build(targets: Iterable[Target], *, dry_run: bool = False) -> None:
    """Bring the targets into the engine and into their archives.

    What was built of this very commit and is still there is left as it is.

    Args:
        targets: What to build.
        dry_run: Whether to only print the commands.

    Raises:
        MissingToolError: No engine answers.
        CheckFailedError: A build failed, or came out for another platform.
    """
    if not dry_run:
        require_tools("docker")
    commit = head()
    for target in targets:
        if not dry_run and is_up_to_date(target, commit):
            continue
        started = datetime.now(UTC)
        run_commands(build_commands(target, commit), dry_run=dry_run)
        if dry_run or not is_archive_current(target):
            save_archive(target, dry_run=dry_run)
        if not dry_run:
            record_build(target, commit, started)


def build_commands(target: Target, commit: Commit) -> list[Command]:
    """Return how to make a target."""
    name = local_name(target)
    if not is_built(target.image):
        reference = third_party.image_reference(target.image)
        return [*pull_commands(target, reference), docker.tag(reference, name)]
    arguments = {
        "COMMIT": commit.sha,
        "CREATED": commit.time.isoformat(),
        "RELEASE": commit.tag,
        "SOURCE": source_url(),
    }
    known = {argument: value for argument, value in arguments.items() if value}
    known |= base_images(target.image)  # else a file `.env` could name others than are written down
    return [docker.build(target, name, known, int(commit.time.timestamp()))]


def save_archive(target: Target, *, dry_run: bool) -> None:
    """Write a target's archive."""
    if not dry_run:
        target.directory.mkdir(parents=True, exist_ok=True)
    run_commands([docker.save(local_name(target), target.archive)], dry_run=dry_run)


def is_archive_current(target: Target) -> bool:
    """Say whether the archive holds the image of now: it and its papers are left as they are.

    An image of others outlives many commits.
    """
    before = load_build(target)
    if before is None or not target.archive.exists():
        return False
    return bool(before.image_id == inspect_image(target)["Id"])


def inspect_image(target: Target) -> dict[str, Any]:
    """Return what the engine says of the image that is the target now."""
    details: dict[str, Any] = json.loads(command_output(docker.inspect(local_name(target))))[0]
    return details


def pull_commands(target: Target, reference: str) -> list[Command]:
    """Return how to have an image of others: a digest is pulled, a stand-in is here already."""
    return [docker.pull(target, reference)] if "@sha256:" in reference else []


def local_name(target: Target) -> str:
    """Return what a target is called in this engine, and nowhere else."""
    return f"local/{target.image}:{target.arch}"


def is_up_to_date(target: Target, commit: Commit) -> bool:
    """Say whether this very commit, and nothing else, was built, and the result is still there."""
    build = load_build(target)
    return (
        build is not None
        and build.clean
        and commit.clean
        and build.commit == commit.sha
        and build.bases == base_images(target.image)
        and target.archive.exists()
        and capture(docker.inspect(build.image_id)).returncode == 0
    )


def record_build(target: Target, commit: Commit, started: datetime) -> None:
    """Write down how a target was built."""
    details = inspect_image(target)
    if f"{details['Os']}/{details['Architecture']}" != target.platform:
        raise CheckFailedError(
            f"{target} came out as {details['Os']}/{details['Architecture']}",
            hint="build it on a machine of that platform, or install emulation",
        )
    BuildRecord(
        image_id=details["Id"],
        commit=commit.sha,
        clean=commit.clean,
        bases=base_images(target.image),
        builder=builder_id(),
        started=started.isoformat(),
        finished=datetime.now(UTC).isoformat(),
    ).write(target)


def base_images(image: str) -> dict[str, str]:
    """Return the images that an image stands on, as its build would take them now."""
    if not is_built(image):
        return {"IMAGE": third_party.image_reference(image)}
    text = read_text(Path(image, "Dockerfile"))
    return {
        found["variable"]: os.environ.get(found["variable"]) or found["reference"]
        for found in BASE_IMAGE_ARG.finditer(text)
    }


def builder_id() -> str:
    """Say who builds: the workflow's page on GitHub, or a machine that nobody vouches for."""
    if os.environ.get("GITHUB_ACTIONS") != "true":
        return "https://localhost/"
    server, repository = os.environ["GITHUB_SERVER_URL"], os.environ["GITHUB_REPOSITORY"]
    ref = os.environ["GITHUB_REF"]
    return f"{server}/{repository}/.github/workflows/container-build.yml@{ref}"


def resolve_targets(image: str | None, platform: str | None) -> list[Target]:
    """Return what is meant: one image or all, on a platform or on the engine's own.

    Raises:
        InputError: A release has no such image or platform.
        MissingToolError: No platform is given, and no engine answers.
    """
    platform = platform or engine_platform()
    if platform not in platforms():
        raise InputError(
            f"no such platform: `{platform}`", hint=f"there are: {', '.join(platforms())}"
        )
    return [Target(name, platform) for name in select_images(image)]


def engine_platform() -> str:
    """Return the platform that the engine itself runs on.

    Raises:
        MissingToolError: None answers.
    """
    require_tools("docker")
    return command_output(docker.engine_platform()).strip()


def can_build(platform: str) -> bool:
    """Say whether this engine's builder makes images for a platform, itself or by emulation."""
    listed = re.search(r"(?m)^Platforms:\s*(.*)$", capture(["docker", "buildx", "inspect"]).stdout)
    return listed is not None and platform in re.split(r",\s*", listed[1].replace("*", ""))
