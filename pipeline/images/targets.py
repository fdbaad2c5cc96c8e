"""The images to build, their names, and the folders of their files.

A target is one image on one platform. Its folder in `dist/images` contains its build record, its
archive, its SBOMs and its scans. A released image is an index of targets, referenced by digest.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pipeline.addresses import is_loopback
from pipeline.config import load
from pipeline.errors import InputError
from pipeline.git import origin_repository

Command = tuple[str, ...]
"""A program and its arguments."""

DIST_DIR = Path("dist", "images")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
"""https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests"""
_DIGEST_REFERENCE = re.compile(r"[^@\s]+@sha256:[0-9a-f]{64}")
_PORT = re.compile(r":\d+$")


class ImageRef(str):
    """An image by its digest: `ghcr.io/octo-org/shop/api@sha256:…`.

    A tag may point to another image between a check and its use; a digest cannot. It is a text, so
    that stack files and the journal contain it as it is.

    Raises:
        InputError: The text is not a reference with a digest.
    """

    __slots__ = ()

    def __new__(cls, reference: str) -> Self:
        if not is_digest_reference(reference):
            raise InputError(
                f"`{reference}` does not name an image by its digest",
                hint="write repository@sha256:…; docker buildx imagetools inspect shows the digest",
            )
        return super().__new__(cls, reference)

    @property
    def repository(self) -> str:
        """The part before the digest."""
        return self.partition("@")[0]

    @property
    def digest(self) -> str:
        """The digest, with the name of its algorithm."""
        return self.partition("@")[2]


def is_digest_reference(reference: str) -> bool:
    """Return whether a reference ends in a digest."""
    return bool(_DIGEST_REFERENCE.fullmatch(reference))


@dataclass(frozen=True, order=True)
class Target:
    """One image on one platform."""

    image: str
    platform: str

    @property
    def arch(self) -> str:
        """The platform as a part of a tag or a path: `linux-amd64`."""
        return self.platform.replace("/", "-")

    @property
    def directory(self) -> Path:
        """The folder of this target's files."""
        return DIST_DIR / self.image / self.arch

    @property
    def archive(self) -> Path:
        """The image, as `docker save` writes it."""
        return self.directory / "image.tar"

    def __str__(self) -> str:
        return f"{self.image} on {self.platform}"


def image_names() -> list[str]:
    """Return the names of all images, built here or third-party."""
    known = load().images
    return [*known.built, *known.third_party]


def is_built(image: str) -> bool:
    """Return whether an image is built here, not third-party."""
    return image in load().images.built


def select_images(image: str | None) -> list[str]:
    """Return the image of this name, or all.

    Raises:
        InputError: There is no such image.
    """
    known = image_names()
    if image is None:
        return known
    if image not in known:
        raise InputError(f"no such image: `{image}`", hint=f"images: {', '.join(known)}")
    return [image]


def platforms() -> list[str]:
    """Return the platforms of a release."""
    return [*load().images.platforms]


def repository_for(image: str) -> str:
    """Return the repository of an image: `ghcr.io/octo-org/shop/api`.

    IMAGES_REGISTRY overrides the registry and its path.

    Raises:
        InputError: Neither the variable nor the git remote gives the owner.
    """
    if override := os.environ.get("IMAGES_REGISTRY"):
        return f"{override.rstrip('/')}/{image}"
    if owner_and_name := origin_repository():
        return f"{load().images.registry}/{owner_and_name.lower()}/{image}"
    raise InputError(
        "the image repository is unknown: git has no remote `origin` with an owner",
        hint="git remote add origin …, or set IMAGES_REGISTRY=registry/path",
    )


def source_url() -> str:
    """Return the page of the repository; an empty text, if git has no remote."""
    return f"https://github.com/{repository}" if (repository := origin_repository()) else ""


def is_local(reference: str) -> bool:
    """Return whether a registry is on this machine, and so may use plain HTTP."""
    host = _PORT.sub("", reference.partition("/")[0])
    return is_loopback(host.strip("[]"))


def require_tag(version: str) -> None:
    """Check that a version is a valid image tag, which `v1.0.0+build.5` is not.

    Raises:
        InputError: It contains other characters than letters, digits and `. _ -`.
    """
    if not _TAG.fullmatch(version):
        raise InputError(
            f"`{version}` cannot be the tag of an image",
            hint="use only letters, digits and . _ -, as in v1.4.0",
        )
