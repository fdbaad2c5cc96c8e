"""Build each image of this repository once for a commit; pull third-party images."""

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

_BASE_IMAGE_ARG = re.compile(r"^ARG (?P<variable>[A-Z_]+_IMAGE)=(?P<reference>\S+)$", re.MULTILINE)


def build(targets: Iterable[Target], *, dry_run: bool = False) -> None:
    """Build or pull the targets, and save their archives.

    A target that was built from this commit and still exists is skipped.

    Args:
        targets: What to build.
        dry_run: Whether to only print the commands.

    Raises:
        MissingToolError: No engine answers.
        CheckFailedError: A build failed, or its image is for another platform.
    """
    if not dry_run:
        require_tools("docker")
    commit = head()
    for target in targets:
        if not dry_run and _is_up_to_date(target, commit):
            continue
        started = datetime.now(UTC)
        run_commands(_build_commands(target, commit), dry_run=dry_run)
        if dry_run or not _is_archive_current(target):
            _save_archive(target, dry_run=dry_run)
        if not dry_run:
            _record_build(target, commit, started)


def _build_commands(target: Target, commit: Commit) -> list[Command]:
    """Return the commands that build or pull a target."""
    name = local_name(target)
    if not is_built(target.image):
        reference = third_party.image_reference(target.image)
        return [*_pull_commands(target, reference), docker.tag(reference, name)]
    arguments = {
        "COMMIT": commit.sha,
        "CREATED": commit.time.isoformat(),
        "RELEASE": commit.tag,
        "SOURCE": source_url(),
    }
    known = {argument: value for argument, value in arguments.items() if value}
    known |= base_images(target.image)  # a file `.env` must not override what the record contains
    return [docker.build(target, name, known, int(commit.time.timestamp()))]


def _save_archive(target: Target, *, dry_run: bool) -> None:
    """Save a target's archive."""
    if not dry_run:
        target.directory.mkdir(parents=True, exist_ok=True)
    run_commands([docker.save(local_name(target), target.archive)], dry_run=dry_run)


def _is_archive_current(target: Target) -> bool:
    """Return whether the archive contains the current image; then its other files stay too.

    A third-party image stays the same over many commits.
    """
    before = load_build(target)
    if before is None or not target.archive.exists():
        return False
    return bool(before.image_id == inspect_image(target)["Id"])


def inspect_image(target: Target) -> dict[str, Any]:
    """Return `docker image inspect` of a target's image."""
    details: dict[str, Any] = json.loads(command_output(docker.inspect(local_name(target))))[0]
    return details


def _pull_commands(target: Target, reference: str) -> list[Command]:
    """Return the command that pulls a digest; none, if the image is local."""
    return [docker.pull(target, reference)] if "@sha256:" in reference else []


def local_name(target: Target) -> str:
    """Return the tag of a target's image in this engine."""
    return f"local/{target.image}:{target.arch}"


def _is_up_to_date(target: Target, commit: Commit) -> bool:
    """Return whether the image was built from exactly this commit, and still exists."""
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


def _record_build(target: Target, commit: Commit, started: datetime) -> None:
    """Write the build record of a target."""
    details = inspect_image(target)
    if f"{details['Os']}/{details['Architecture']}" != target.platform:
        raise CheckFailedError(
            f"{target} was built for {details['Os']}/{details['Architecture']}",
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
    """Return the base images that a build uses now, by the name of the build argument."""
    if not is_built(image):
        return {"IMAGE": third_party.image_reference(image)}
    text = read_text(Path(image, "Dockerfile"))
    return {
        found["variable"]: os.environ.get(found["variable"]) or found["reference"]
        for found in _BASE_IMAGE_ARG.finditer(text)
    }


def builder_id() -> str:
    """Return the builder id for SLSA: the workflow on GitHub, or https://localhost/."""
    if os.environ.get("GITHUB_ACTIONS") != "true":
        return "https://localhost/"
    server, repository = os.environ["GITHUB_SERVER_URL"], os.environ["GITHUB_REPOSITORY"]
    ref = os.environ["GITHUB_REF"]
    return f"{server}/{repository}/.github/workflows/container-build.yml@{ref}"


def resolve_targets(image: str | None, platform: str | None) -> list[Target]:
    """Return the targets of one image or all, on a platform or on that of the engine.

    Raises:
        InputError: There is no such image or platform.
        MissingToolError: No platform is given, and no engine answers.
    """
    platform = platform or _engine_platform()
    if platform not in platforms():
        raise InputError(
            f"no such platform: `{platform}`", hint=f"platforms: {', '.join(platforms())}"
        )
    return [Target(name, platform) for name in select_images(image)]


def _engine_platform() -> str:
    """Return the platform of the engine.

    Raises:
        MissingToolError: No engine answers.
    """
    require_tools("docker")
    return command_output(docker.engine_platform()).strip()


def can_build(platform: str) -> bool:
    """Return whether this engine's builder supports a platform, natively or by emulation."""
    listed = re.search(r"(?m)^Platforms:\s*(.*)$", capture(["docker", "buildx", "inspect"]).stdout)
    return listed is not None and platform in re.split(r",\s*", listed[1].replace("*", ""))
