"""What is written down about images, so that later steps need not guess."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipeline import filesystem
from pipeline.errors import InputError
from pipeline.images.targets import DIST_DIR, Target

RELEASE_FILE = DIST_DIR / "release.json"


@dataclass(frozen=True)
class BuildRecord:
    """How an image came to be.

    Attributes:
        image_id: The engine's name for it: the digest of its configuration.
        commit: The commit that was checked out.
        clean: Whether the tree held nothing else.
        bases: The images that it stands on, by the variable that names them.
        builder: Who built it.
        started: When, in ISO 8601.
        finished: When it was done.
    """

    image_id: str
    commit: str
    clean: bool
    bases: dict[str, str]
    builder: str
    started: str
    finished: str

    def write(self, target: Target) -> None:
        """Write it among the target's papers."""
        filesystem.write_files({target.directory / "build.json": _pretty(asdict(self))})


@dataclass(frozen=True)
class ReleasedImage:
    """One image of a release: the index, and the image of each platform, all by digest."""

    reference: str
    platforms: dict[str, str]

    @property
    def repository(self) -> str:
        """Where it was pushed to."""
        return self.reference.partition("@")[0]


def load_build(target: Target) -> BuildRecord | None:
    """Return how a target was built, if it was."""
    path = target.directory / "build.json"
    return BuildRecord(**json.loads(path.read_text())) if path.exists() else None


def load_release(commit: str) -> dict[str, ReleasedImage]:
    """Return what was pushed of a commit, by image."""
    if not RELEASE_FILE.exists():
        return {}
    release = json.loads(RELEASE_FILE.read_text())
    if release["commit"] != commit:
        return {}
    return {image: ReleasedImage(**entry) for image, entry in release["images"].items()}


def write_release(commit: str, entries: dict[str, ReleasedImage]) -> None:
    """Write down what was pushed of a commit."""
    images = {image: asdict(entry) for image, entry in sorted(entries.items())}
    filesystem.write_files({RELEASE_FILE: _pretty({"commit": commit, "images": images})})


def require_released(commit: str, images: list[str]) -> dict[str, ReleasedImage]:
    """Return what was pushed of these images.

    Raises:
        InputError: Some were not.
    """
    entries = load_release(commit)
    if missing := [image for image in images if image not in entries]:
        raise InputError(
            f"not pushed from commit {commit[:12]}: {', '.join(missing)}",
            hint="invoke build sbom scan push",
        )
    return {image: entries[image] for image in images}


def _pretty(value: Any) -> str:  # noqa: ANN401 - whatever JSON can hold
    return json.dumps(value, indent=2) + "\n"


def read_json(path: Path) -> Any:  # noqa: ANN401 - as above
    """Read a paper that another tool wrote."""
    return json.loads(path.read_text())
