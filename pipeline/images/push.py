"""Push the archives, and create an index of all platforms."""

import json
from collections.abc import Iterable, Sequence

from pipeline import filesystem
from pipeline.errors import CheckFailedError, InconclusiveError, InputError, clear_inconclusive
from pipeline.git import Commit, head
from pipeline.images.build import inspect_image, local_name
from pipeline.images.commands import docker
from pipeline.images.records import (
    BuildRecord,
    ReleasedImage,
    load_build,
    load_release,
    write_release,
)
from pipeline.images.registry import exists, resolve_digest
from pipeline.images.targets import Command, ImageRef, Target, repository_for
from pipeline.images.tools import command_output, require_tools, run_commands

_DIGEST_PLACEHOLDER = "sha256:…"
_PUSH = "push"


def push(images: Iterable[str], platforms: Sequence[str], *, dry_run: bool = False) -> None:
    """Push the archives of all platforms, and tag an index of them with the commit.

    Args:
        images: What to push.
        platforms: The platforms of a release.
        dry_run: Whether to only print the commands.

    Raises:
        InputError: An image was not built, or not from a clean commit.
        MissingToolError: No engine answers.
        InconclusiveError: A platform was not built here; the others were pushed.
        CheckFailedError: The registry refused, or an archive contains another image.
    """
    if not dry_run:
        require_tools("docker")
    commit, missing = head(), set()
    for image in images:
        targets = [Target(image, platform) for platform in platforms]
        if dry_run:
            run_commands(_push_commands(targets, commit), dry_run=True)
            continue
        missing |= {target.platform for target in targets if not target.archive.exists()}
        _push_image(image, [target for target in targets if target.archive.exists()], commit)
    if missing:
        raise InconclusiveError(
            _PUSH,
            "some platforms were not built here and not pushed",
            detail=", ".join(sorted(missing)),
            hint="copy dist/images from a machine of that platform, then: invoke push",
        )
    if not dry_run:
        clear_inconclusive(_PUSH)


def _push_commands(targets: Sequence[Target], commit: Commit) -> list[Command]:
    """Return the commands that push one image, with placeholders for digests."""
    name = f"{repository_for(targets[0].image)}:{commit.tag}"
    pushes = [
        command
        for target in targets
        for command in (
            docker.load(target.archive),
            docker.tag(local_name(target), f"{name}-{target.arch}"),
            docker.push(f"{name}-{target.arch}"),
        )
    ]
    images = [f"{repository_for(target.image)}@{_DIGEST_PLACEHOLDER}" for target in targets]
    return [*pushes, docker.create_index(name, *images)]


def _push_image(image: str, targets: Sequence[Target], commit: Commit) -> None:
    """Push one image, unless the registry has it.

    Raises:
        InputError: It was not built, or not from a clean commit.
    """
    builds = {target: require_build(target, commit) for target in targets}
    if not builds:
        raise InputError(f"{image} was not built", hint=f"invoke build --image={image}")
    before = load_release(commit.sha)
    digests = {
        target.platform: _push_target(target, build, commit) for target, build in builds.items()
    }
    if image in before and _is_pushed(before[image], repository_for(image), digests):
        return
    name = f"{repository_for(image)}:{commit.tag}"
    run_commands(
        [
            docker.create_index(
                name, *(f"{repository_for(image)}@{digest}" for digest in digests.values())
            )
        ]
    )
    entry = ReleasedImage(ImageRef(f"{repository_for(image)}@{resolve_digest(name)}"), digests)
    write_release(commit.sha, {**before, image: entry})


def _is_pushed(entry: ReleasedImage, name: str, digests: dict[str, str]) -> bool:
    """Return whether a repository has an index of exactly these images."""
    return (
        entry.reference.repository == name
        and entry.platforms == digests
        and exists(entry.reference)
    )


def require_build(target: Target, commit: Commit) -> BuildRecord:
    """Return the build record of a target.

    Raises:
        InputError: It was not built from exactly this commit.
    """
    build = load_build(target)
    if build is None or build.commit != commit.sha or not build.clean:
        raise InputError(
            f"{target} was not built from commit {commit.sha[:12]} without other changes",
            hint="git commit, then: invoke build",
        )
    return build


def _push_target(target: Target, build: BuildRecord, commit: Commit) -> str:
    """Push a target's image, and return its digest in the registry.

    Raises:
        CheckFailedError: The archive contains another image, or the registry refused.
    """
    pushed = target.directory / "pushed.json"
    name = repository_for(target.image)
    known = json.loads(pushed.read_text()) if pushed.exists() else {}
    if known.get("image_id") == build.image_id and exists(f"{name}@{known['digest']}"):
        return str(known["digest"])
    _load_archive(target, build)
    reference = f"{name}:{commit.tag}-{target.arch}"
    run_commands([docker.tag(build.image_id, reference), docker.push(reference)])
    digest = resolve_digest(reference)
    filesystem.write_files({pushed: json.dumps({"image_id": build.image_id, "digest": digest})})
    return digest


def _load_archive(target: Target, build: BuildRecord) -> None:
    """Load an archive into the engine; it may come from another machine.

    Raises:
        CheckFailedError: It contains another image.
    """
    loaded = command_output(docker.load(target.archive)).strip()
    if inspect_image(target)["Id"] != build.image_id or not loaded.endswith(
        f" {local_name(target)}"
    ):
        raise CheckFailedError(
            f"{target.archive} does not contain the image of its build record",
            hint=f"rm {target.archive}, then: invoke build --image={target.image}",
        )
