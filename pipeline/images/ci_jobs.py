"""The two jobs of images: check one where it is built, release all from where they were left."""

import json
from pathlib import Path

from pipeline.config import main_branch
from pipeline.errors import InconclusiveError, clear_inconclusive
from pipeline.git import head
from pipeline.github.actions import is_push_to, set_output
from pipeline.images import push
from pipeline.images import signing as releasing
from pipeline.images.build import build, can_build, local_name, resolve_targets
from pipeline.images.commands import docker
from pipeline.images.commands.cosign import Signer
from pipeline.images.inspection import sbom, scan
from pipeline.images.records import load_release
from pipeline.images.registry_login import login
from pipeline.images.targets import (
    Target,
    image_names,
    is_built,
    is_local,
    platforms,
    repository_for,
)
from pipeline.images.tools import is_engine_available, no_engine_error, require_tools, run_commands
from pipeline.images.verification import verify

RELEASE_CHECK = "release-image"
IMAGE_TESTS = Path("tests", "acceptance", "images")


def check_image(image: str, platform: str) -> None:
    """Build an image, list what is in it, test it as production runs it, and scan it.

    Args:
        image: Which.
        platform: What it is for.

    Raises:
        NotJudgedError: No engine answers, or it cannot build for that platform.
        CheckFailedError: A step failed.
    """
    name = f"image {image} {platform}".replace("/", "-")
    if not is_engine_available():
        raise no_engine_error(name)
    if not can_build(platform):
        raise InconclusiveError(
            name,
            "the builder makes nothing for this platform here",
            detail=platform,
            hint="run it on a machine of that platform, or install emulation",
        )
    chosen = resolve_targets(image, platform)
    build(chosen)
    sbom(chosen)
    if is_built(image):
        test_image(chosen[0])
    scan(chosen)
    clear_inconclusive(name)


def test_image(target: Target) -> None:
    """Test an image as production runs it, beside the others that Compose builds here.

    Args:
        target: What was built; its platform is one that this engine runs.

    Raises:
        CheckFailedError: A test failed.
    """
    others = [name for name in image_names() if is_built(name) and name != target.image]
    run_commands([docker.tag(local_name(target), f"local/{target.image}:dev")])
    if others:  # without a name, Compose would build this one again as well
        run_commands([docker.compose("build", *others)])
    run_commands([("pytest", str(IMAGE_TESTS), f"--image={target.image}")])


def release_images(signer: Signer) -> None:
    """Push the archives of all images, sign them, and verify them as a deploy does.

    Args:
        signer: Who signs.

    Raises:
        NotJudgedError: No engine answers, or something was not built here.
        UntrustedError: What was released would not be deployed.
    """
    if not is_engine_available():
        raise no_engine_error(RELEASE_CHECK)
    if not may_push():
        raise InconclusiveError(
            RELEASE_CHECK,
            "only the run of main pushes to the real registry",
            hint="IMAGES_REGISTRY=127.0.0.1:5000/name rehearses it with a registry here",
        )
    require_tools("cosign")
    login()
    incomplete = push_available()
    releasing.sign(image_names(), signer)
    commit = head().sha
    digests = {image: entry.reference for image, entry in load_release(commit).items()}
    verify([*digests.values()], signer, commit, unjudged=incomplete is not None)
    print(json.dumps(digests))
    set_output("digests", json.dumps(digests))
    if incomplete:
        raise incomplete
    clear_inconclusive(RELEASE_CHECK)


def may_push() -> bool:
    """Say whether this run pushes: it is main's on GitHub, or its registry is on this machine."""
    return is_push_to(main_branch()) or is_local(repository_for(""))


def push_available() -> InconclusiveError | None:
    """Push all images; return what could not be pushed, since it was not built here."""
    try:
        push.push(image_names(), platforms())
    except InconclusiveError as error:
        return error
    return None
