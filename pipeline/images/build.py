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
from pipeline.images.records import Build, build_of
from pipeline.images.targets import Command, Target, chosen, is_built, platforms, source
from pipeline.images.tools import act, answer, require
from pipeline.process import read

BASE = re.compile(r"^ARG (?P<variable>[A-Z_]+_IMAGE)=(?P<reference>\S+)$", re.MULTILINE)


def build(targets: Iterable[Target], *, dry: bool = False) -> None:
    """Bring the targets into the engine and into their archives.

    What was built of this very commit and is still there is left as it is.

    Args:
        targets: What to build.
        dry: Whether to only print the commands.

    Raises:
        MissingToolError: No engine answers.
        CheckFailedError: A build failed, or came out for another platform.
    """
    if not dry:
        require("docker")
    commit = head()
    for target in targets:
        if not dry and is_done(target, commit):
            continue
        started = datetime.now(UTC)
        act(commands(target, commit), dry=dry)
        if dry or not is_saved(target):
            save(target, dry=dry)
        if not dry:
            write_down(target, commit, started)


def commands(target: Target, commit: Commit) -> list[Command]:
    """Return how to make a target."""
    name = local_name(target)
    if not is_built(target.image):
        reference = third_party.reference(target.image)
        return [*fetched(target, reference), docker.tag(reference, name)]
    arguments = {
        "COMMIT": commit.sha,
        "CREATED": commit.time.isoformat(),
        "RELEASE": commit.tag,
        "SOURCE": source(),
    }
    known = {argument: value for argument, value in arguments.items() if value}
    known |= bases(target.image)  # else a file `.env` could name others than are written down
    return [docker.build(target, name, known, int(commit.time.timestamp()))]


def save(target: Target, *, dry: bool) -> None:
    """Write a target's archive."""
    if not dry:
        target.folder.mkdir(parents=True, exist_ok=True)
    act([docker.save(local_name(target), target.archive)], dry=dry)


def is_saved(target: Target) -> bool:
    """Say whether the archive holds the image of now: it and its papers are left as they are.

    An image of others outlives many commits.
    """
    before = build_of(target)
    if before is None or not target.archive.exists():
        return False
    return bool(before.image_id == inspected(target)["Id"])


def inspected(target: Target) -> dict[str, Any]:
    """Return what the engine says of the image that is the target now."""
    details: dict[str, Any] = json.loads(answer(docker.inspect(local_name(target))))[0]
    return details


def fetched(target: Target, reference: str) -> list[Command]:
    """Return how to have an image of others: a digest is pulled, a stand-in is here already."""
    return [docker.pull(target, reference)] if "@sha256:" in reference else []


def local_name(target: Target) -> str:
    """Return what a target is called in this engine, and nowhere else."""
    return f"local/{target.image}:{target.arch}"


def is_done(target: Target, commit: Commit) -> bool:
    """Say whether this very commit, and nothing else, was built, and the result is still there."""
    build = build_of(target)
    return (
        build is not None
        and build.clean
        and commit.clean
        and build.commit == commit.sha
        and build.bases == bases(target.image)
        and target.archive.exists()
        and read(docker.inspect(build.image_id)).returncode == 0
    )


def write_down(target: Target, commit: Commit, started: datetime) -> None:
    """Write down how a target was built."""
    details = inspected(target)
    if f"{details['Os']}/{details['Architecture']}" != target.platform:
        raise CheckFailedError(
            f"{target} came out as {details['Os']}/{details['Architecture']}",
            hint="build it on a machine of that platform, or install emulation",
        )
    Build(
        image_id=details["Id"],
        commit=commit.sha,
        clean=commit.clean,
        bases=bases(target.image),
        builder=builder(),
        started=started.isoformat(),
        finished=datetime.now(UTC).isoformat(),
    ).write(target)


def bases(image: str) -> dict[str, str]:
    """Return the images that an image stands on, as its build would take them now."""
    if not is_built(image):
        return {"IMAGE": third_party.reference(image)}
    text = read_text(Path(image, "Dockerfile"))
    return {
        found["variable"]: os.environ.get(found["variable"]) or found["reference"]
        for found in BASE.finditer(text)
    }


def builder() -> str:
    """Say who builds: the workflow's page on GitHub, or a machine that nobody vouches for."""
    if os.environ.get("GITHUB_ACTIONS") != "true":
        return "https://localhost/"
    server, repository = os.environ["GITHUB_SERVER_URL"], os.environ["GITHUB_REPOSITORY"]
    ref = os.environ["GITHUB_REF"]
    return f"{server}/{repository}/.github/workflows/container-build.yml@{ref}"


def targets(image: str | None, platform: str | None) -> list[Target]:
    """Return what is meant: one image or all, on a platform or on the engine's own.

    Raises:
        InputError: A release has no such image or platform.
        MissingToolError: No platform is given, and no engine answers.
    """
    platform = platform or own_platform()
    if platform not in platforms():
        raise InputError(
            f"no such platform: `{platform}`", hint=f"there are: {', '.join(platforms())}"
        )
    return [Target(name, platform) for name in chosen(image)]


def own_platform() -> str:
    """Return the platform that the engine itself runs on.

    Raises:
        MissingToolError: None answers.
    """
    require("docker")
    return answer(docker.platform()).strip()


def can_build(platform: str) -> bool:
    """Say whether this engine's builder makes images for a platform, itself or by emulation."""
    listed = re.search(r"(?m)^Platforms:\s*(.*)$", read(["docker", "buildx", "inspect"]).stdout)
    return listed is not None and platform in re.split(r",\s*", listed[1].replace("*", ""))
