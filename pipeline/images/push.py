"""Push the archives that were built, and make one index of all platforms."""

import json
from collections.abc import Iterable, Sequence

from pipeline import filesystem
from pipeline.errors import CheckFailedError, InputError, NotJudgedError, judged
from pipeline.git import Commit, head
from pipeline.images.build import inspected, local_name
from pipeline.images.commands import docker
from pipeline.images.records import Build, Released, build_of, released, write_release
from pipeline.images.registry import digest_of, exists
from pipeline.images.targets import Command, Target, repository
from pipeline.images.tools import act, answer, require

PLACEHOLDER = "sha256:…"
PUSH = "push"


def push(images: Iterable[str], platforms: Sequence[str], *, dry: bool = False) -> None:
    """Push the archives of all platforms, and tag one index of them with the commit.

    Args:
        images: What to push.
        platforms: What a release is made for.
        dry: Whether to only print the commands.

    Raises:
        InputError: Something was not built, or not from a clean commit.
        MissingToolError: No engine answers.
        NotJudgedError: A platform was not built here; the others were pushed.
        CheckFailedError: The registry refused, or an archive is not what was built.
    """
    if not dry:
        require("docker")
    commit, absent = head(), set()
    for image in images:
        targets = [Target(image, platform) for platform in platforms]
        if dry:
            act(commands(targets, commit), dry=True)
            continue
        absent |= {target.platform for target in targets if not target.archive.exists()}
        push_image(image, [target for target in targets if target.archive.exists()], commit)
    if absent:
        raise NotJudgedError(
            PUSH,
            "not built here, so left out",
            detail=", ".join(sorted(absent)),
            hint="bring dist/images from a machine of that platform, and then: invoke push",
        )
    if not dry:
        judged(PUSH)


def commands(targets: Sequence[Target], commit: Commit) -> list[Command]:
    """Return what pushing one image takes, where the digests are not known yet."""
    name = f"{repository(targets[0].image)}:{commit.tag}"
    pushes = [
        command
        for target in targets
        for command in (
            docker.load(target.archive),
            docker.tag(local_name(target), f"{name}-{target.arch}"),
            docker.push(f"{name}-{target.arch}"),
        )
    ]
    images = [f"{repository(target.image)}@{PLACEHOLDER}" for target in targets]
    return [*pushes, docker.index(name, *images)]


def push_image(image: str, targets: Sequence[Target], commit: Commit) -> None:
    """Push one image, unless this is just what the registry has.

    Raises:
        InputError: It was not built, or not from a clean commit.
    """
    builds = {target: built(target, commit) for target in targets}
    if not builds:
        raise InputError(f"{image} was not built", hint=f"invoke build --image={image}")
    before = released(commit.sha)
    digests = {
        target.platform: push_target(target, build, commit) for target, build in builds.items()
    }
    if image in before and is_there(before[image], repository(image), digests):
        return
    name = f"{repository(image)}:{commit.tag}"
    act([docker.index(name, *(f"{repository(image)}@{digest}" for digest in digests.values()))])
    entry = Released(f"{repository(image)}@{digest_of(name)}", digests)
    write_release(commit.sha, {**before, image: entry})


def is_there(entry: Released, name: str, digests: dict[str, str]) -> bool:
    """Say whether a repository has an index of just these images, by what was written down."""
    return entry.repository == name and entry.platforms == digests and exists(entry.reference)


def built(target: Target, commit: Commit) -> Build:
    """Return how a target was built.

    Raises:
        InputError: Not from this commit, or not from it alone.
    """
    build = build_of(target)
    if build is None or build.commit != commit.sha or not build.clean:
        raise InputError(
            f"{target} was not built from commit {commit.sha[:12]} alone",
            hint="git commit, and then: invoke build",
        )
    return build


def push_target(target: Target, build: Build, commit: Commit) -> str:
    """Push exactly the image that was built, and return its digest in the registry.

    Raises:
        CheckFailedError: The archive holds another image, or the registry refused.
    """
    pushed = target.folder / "pushed.json"
    name = repository(target.image)
    known = json.loads(pushed.read_text()) if pushed.exists() else {}
    if known.get("image_id") == build.image_id and exists(f"{name}@{known['digest']}"):
        return str(known["digest"])
    load(target, build)
    reference = f"{name}:{commit.tag}-{target.arch}"
    act([docker.tag(build.image_id, reference), docker.push(reference)])
    digest = digest_of(reference)
    filesystem.write({pushed: json.dumps({"image_id": build.image_id, "digest": digest})})
    return digest


def load(target: Target, build: Build) -> None:
    """Read an archive, perhaps of another machine's build, into the engine.

    Raises:
        CheckFailedError: It holds another image than was built.
    """
    loaded = answer(docker.load(target.archive)).strip()
    if inspected(target)["Id"] != build.image_id or not loaded.endswith(f" {local_name(target)}"):
        raise CheckFailedError(
            f"{target.archive} does not hold the image that was built",
            hint=f"rm {target.archive}, and then: invoke build --image={target.image}",
        )
