"""Update the digests of base images in Dockerfiles and docker-compose.yml."""

import re
import sys
from collections.abc import Callable
from difflib import unified_diff
from functools import cache
from pathlib import Path

from pipeline import filesystem, streams, yaml
from pipeline.config import load
from pipeline.errors import InputError
from pipeline.files import read_text
from pipeline.git import read_file_at
from pipeline.images.registry import resolve_digest

_COMPOSE = "docker-compose.yml"
IMAGE_DEFAULT = re.compile(
    r"\b(?P<variable>[A-Z_]+_IMAGE)(?P<is>=|:-)(?P<tag>[^@\s}]+)(?:@sha256:[0-9a-f]{64})?"
)
"""An image in the ARG of a Dockerfile, or in the default of a variable in Compose."""


def files_with_images() -> list[Path]:
    """Return the files that name base images: docker-compose.yml, and the Dockerfiles."""
    return [Path(_COMPOSE), *(Path(image, "Dockerfile") for image in load().images.built)]


def pinned_reference(image: str, commit: str) -> str:
    """Return the reference of a third-party image in a commit, without overrides by variables.

    Raises:
        InputError: The commit does not exist here, or has no such image.
    """
    compose = yaml.parse_yaml(
        f"{_COMPOSE} of {commit[:12]}", read_file_at(commit, _COMPOSE) or "{}"
    )
    reference = compose.get("services", {}).get(image, {}).get("image", "")
    if found := IMAGE_DEFAULT.search(reference):
        return str(reference[found.start("tag") : found.end()])
    if not reference:
        raise InputError(f"{_COMPOSE} of {commit[:12]} names no {image}", hint="correct it")
    return str(reference)


def with_digests(text: str, find: Callable[[str], str]) -> str:
    """Return the text of a file with the digest of each tag after it.

    Args:
        text: A Dockerfile or a Compose file with variables called `…_IMAGE`.
        find: Returns the digest of a tag.
    """
    return IMAGE_DEFAULT.sub(
        lambda found: f"{found['variable']}{found['is']}{found['tag']}@{find(found['tag'])}",
        text,
    )


def pin_base_images(*, dry_run: bool = False) -> None:
    """Pin every base image to the current digest of its tag, and print the diff.

    All digests are requested before a file is written.

    Args:
        dry_run: Whether to leave the files unchanged.

    Raises:
        CheckFailedError: A registry has no such tag, or does not answer.
    """
    find = cache(resolve_digest)
    before = {path: read_text(path) for path in files_with_images()}
    after = {path: with_digests(text, find) for path, text in before.items()}
    for path in before:
        old, new = (text[path].splitlines(keepends=True) for text in (before, after))
        streams.write_raw("".join(unified_diff(old, new, str(path), str(path), n=0)), sys.stdout)
    if not dry_run:
        filesystem.write_files(after)
