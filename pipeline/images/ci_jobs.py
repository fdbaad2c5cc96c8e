"""The two CI jobs of images: check one where it is built, and release all."""

import json
from pathlib import Path

from pipeline.config import main_branch
from pipeline.errors import InconclusiveError, clear_inconclusive
from pipeline.git import head
from pipeline.github.actions import is_push_to, set_output
from pipeline.images import push, signing
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

_RELEASE_CHECK = "release-image"
IMAGE_TESTS = Path("tests", "acceptance", "images")


def check_image(image: str, platform: str) -> None:
    """Build an image, write its SBOM, test it as in production, and scan it.

    Args:
        image: Its name.
        platform: Its platform.

    Raises:
        InconclusiveError: No engine answers, or it cannot build for that platform.
        CheckFailedError: A step failed.
    """
    name = f"image {image} {platform}".replace("/", "-")
    if not is_engine_available():
        raise no_engine_error(name)
    if not can_build(platform):
        raise InconclusiveError(
            name,
            "the builder does not support this platform",
            detail=platform,
            hint="run it on a machine of that platform, or install emulation",
        )
    chosen = resolve_targets(image, platform)
    build(chosen)
    sbom(chosen)
    if is_built(image):
        _test_image(chosen[0])
    scan(chosen)
    clear_inconclusive(name)


def _test_image(target: Target) -> None:
    """Test an image as in production, together with the other images that Compose builds.

    Args:
        target: The image; this engine can run its platform.

    Raises:
        CheckFailedError: A test failed.
    """
    others = [name for name in image_names() if is_built(name) and name != target.image]
    run_commands([docker.tag(local_name(target), f"local/{target.image}:dev")])
    if others:  # without names, Compose would build this one again too
        run_commands([docker.compose("build", *others)])
    run_commands([("pytest", str(IMAGE_TESTS), f"--image={target.image}")])


def release_images(signer: Signer) -> None:
    """Push the archives of all images, sign them, and verify them as a deploy does.

    Args:
        signer: The key or identity that signs.

    Raises:
        InconclusiveError: No engine answers, or an image was not built here.
        VerificationError: A deploy would refuse an image.
    """
    if not is_engine_available():
        raise no_engine_error(_RELEASE_CHECK)
    if not _may_push():
        raise InconclusiveError(
            _RELEASE_CHECK,
            "only CI on main pushes to the real registry",
            hint="use a local registry: IMAGES_REGISTRY=127.0.0.1:5000/name",
        )
    require_tools("cosign")
    login()
    incomplete = _push_available()
    signing.sign(image_names(), signer)
    commit = head().sha
    digests = {image: entry.reference for image, entry in load_release(commit).items()}
    verify([*digests.values()], signer, commit, allow_unscanned=incomplete is not None)
    print(json.dumps(digests))
    set_output("digests", json.dumps(digests))
    if incomplete:
        raise incomplete
    clear_inconclusive(_RELEASE_CHECK)


def _may_push() -> bool:
    """Return whether this run may push.

    It is a push to main on GitHub, or the registry is local.
    """
    return is_push_to(main_branch()) or is_local(repository_for(""))


def _push_available() -> InconclusiveError | None:
    """Push all images; return the error for those that were not built here."""
    try:
        push.push(image_names(), platforms())
    except InconclusiveError as error:
        return error
    return None
