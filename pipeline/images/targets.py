"""What there is to build, what it is called, and where its papers lie.

A target is one image on one platform. Its folder under `dist/images` holds all that is known of
it: how it was built, its archive, its bills of materials, its scans. A released image is an index
of such targets, and is only ever named by its digest.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from pipeline.addresses import is_loopback
from pipeline.config import load
from pipeline.errors import InputError
from pipeline.git import origin_repository

Command = tuple[str, ...]
"""A program and its arguments."""

DIST_DIR = Path("dist", "images")
TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
"""https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests"""
DIGEST_REFERENCE = re.compile(r"(?P<repository>[^@\s]+)@(?P<digest>sha256:[0-9a-f]{64})")
PORT = re.compile(r":\d+$")


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
        """Where this target's papers lie."""
        return DIST_DIR / self.image / self.arch

    @property
    def archive(self) -> Path:
        """The image itself, as `docker save` writes it."""
        return self.directory / "image.tar"

    def __str__(self) -> str:
        return f"{self.image} on {self.platform}"


def image_names() -> list[str]:
    """Return the names of all images: ours, and those of others that we ship."""
    known = load().images
    return [*known.built, *known.third_party]


def is_built(image: str) -> bool:
    """Say whether an image is built here, rather than taken from others."""
    return image in load().images.built


def select_images(image: str | None) -> list[str]:
    """Return the one image that is asked for, or all.

    Raises:
        InputError: There is no such image.
    """
    known = image_names()
    if image is None:
        return known
    if image not in known:
        raise InputError(f"no such image: `{image}`", hint=f"there are: {', '.join(known)}")
    return [image]


def platforms() -> list[str]:
    """Return the platforms that a release is made for."""
    return [*load().images.platforms]


def repository_for(image: str) -> str:
    """Return where an image is pushed to: `ghcr.io/octo-org/shop/backend`.

    IMAGES_REGISTRY overrides the registry with its path, as a rehearsal on one machine does.

    Raises:
        InputError: Neither it nor the git remote says whose the images are.
    """
    if override := os.environ.get("IMAGES_REGISTRY"):
        return f"{override.rstrip('/')}/{image}"
    if owner_and_name := origin_repository():
        return f"{load().images.registry}/{owner_and_name.lower()}/{image}"
    raise InputError(
        "nobody knows where the images belong: git has no remote `origin` with an owner",
        hint="git remote add origin …, or set IMAGES_REGISTRY=registry/path",
    )


def source_url() -> str:
    """Return the page of the repository that is built from; nothing, if git has no remote."""
    return f"https://github.com/{repository}" if (repository := origin_repository()) else ""


def is_local(reference: str) -> bool:
    """Say whether a registry is on this machine, where plain HTTP harms nobody."""
    host = PORT.sub("", reference.partition("/")[0])
    return is_loopback(host.strip("[]"))


def require_tag(version: str) -> None:
    """Refuse a version that no image can bear, though git takes it, such as `v1.0.0+build.5`.

    Raises:
        InputError: It holds something else than letters, digits and `. _ -`.
    """
    if not TAG.fullmatch(version):
        raise InputError(
            f"`{version}` cannot be the tag of an image",
            hint="name the version with letters, digits and . _ - alone: v1.4.0",
        )


def split_digest(reference: str) -> tuple[str, str]:
    """Split `repository@sha256:…`.

    Raises:
        InputError: It is no digest: a tag can be moved between a look and a use.
    """
    found = DIGEST_REFERENCE.fullmatch(reference)
    if not found:
        raise InputError(
            f"`{reference}` does not name an image by its digest",
            hint="write repository@sha256:…; docker buildx imagetools inspect shows a tag's digest",
        )
    return found["repository"], found["digest"]
