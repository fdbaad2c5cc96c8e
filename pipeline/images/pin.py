"""Write the current digests of the base images where the repository names them."""

import re
import sys
from collections.abc import Callable
from difflib import unified_diff
from functools import cache
from pathlib import Path

from pipeline import filesystem, streams, yaml
from pipeline.errors import InputError
from pipeline.files import read_text
from pipeline.git import read_file_at
from pipeline.images.registry import resolve_digest

COMPOSE = "docker-compose.yml"
FILES = [Path(COMPOSE), Path("backend/Dockerfile"), Path("frontend/Dockerfile")]
IMAGE_DEFAULT = re.compile(
    r"\b(?P<variable>[A-Z_]+_IMAGE)(?P<is>=|:-)(?P<tag>[^@\s}]+)(?:@sha256:[0-9a-f]{64})?"
)
"""How a Dockerfile's ARG and Compose's default for a variable name an image."""


def pinned_reference(image: str, commit: str) -> str:
    """Return what a commit names as an image of others, whatever a variable says instead.

    Raises:
        InputError: The commit is not here, or names no such image.
    """
    compose = yaml.parse_yaml(f"{COMPOSE} of {commit[:12]}", read_file_at(commit, COMPOSE) or "{}")
    said = compose.get("services", {}).get(image, {}).get("image", "")
    if found := IMAGE_DEFAULT.search(said):
        return str(said[found.start("tag") : found.end()])
    if not said:
        raise InputError(f"{COMPOSE} of {commit[:12]} names no {image}", hint="correct it")
    return str(said)


def with_digests(text: str, find: Callable[[str], str]) -> str:
    """Return a file's text with the digest of each tag behind it.

    Args:
        text: A Dockerfile or a Compose file that gives images to variables called `…_IMAGE`.
        find: Returns the digest of a tag.
    """
    return IMAGE_DEFAULT.sub(
        lambda found: f"{found['variable']}{found['is']}{found['tag']}@{find(found['tag'])}",
        text,
    )


def pin_base_images(*, dry_run: bool = False) -> None:
    """Pin every base image to what its tag stands for now.

    All digests are asked for before a file is written; what changes is printed as a diff.

    Args:
        dry_run: Whether to leave the files as they are.

    Raises:
        CheckFailedError: A registry has no such tag, or does not answer.
    """
    find = cache(resolve_digest)
    before = {path: read_text(path) for path in FILES}
    after = {path: with_digests(text, find) for path, text in before.items()}
    for path in FILES:
        old, new = (text[path].splitlines(keepends=True) for text in (before, after))
        streams.write_raw("".join(unified_diff(old, new, str(path), str(path), n=0)), sys.stdout)
    if not dry_run:
        filesystem.write_files(after)
