"""Records of builds and pushes, which later steps read."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipeline import filesystem
from pipeline.errors import InputError
from pipeline.images.targets import DIST_DIR, ImageRef, Target

_RELEASE_FILE = DIST_DIR / "release.json"


@dataclass(frozen=True)
class BuildRecord:
    """How an image was built.

    Attributes:
        image_id: Its id in the engine: the digest of its configuration.
        commit: The commit that was checked out.
        clean: Whether there were no other changes.
        bases: Its base images, by the name of the build argument.
        builder: The builder id.
        started: Time of the start, in ISO 8601.
        finished: Time of the end.
    """

    image_id: str
    commit: str
    clean: bool
    bases: dict[str, str]
    builder: str
    started: str
    finished: str

    def write(self, target: Target) -> None:
        """Write it to the target's folder."""
        filesystem.write_files({target.directory / "build.json": _pretty(asdict(self))})


@dataclass(frozen=True)
class ReleasedImage:
    """One image of a release: the index, and the image of each platform, by digest."""

    reference: ImageRef
    platforms: dict[str, str]


def load_build(target: Target) -> BuildRecord | None:
    """Return the build record of a target, if there is one."""
    path = target.directory / "build.json"
    return BuildRecord(**json.loads(path.read_text())) if path.exists() else None


def load_release(commit: str) -> dict[str, ReleasedImage]:
    """Return the pushed images of a commit, by name."""
    if not _RELEASE_FILE.exists():
        return {}
    release = json.loads(_RELEASE_FILE.read_text())
    if release["commit"] != commit:
        return {}
    return {
        image: ReleasedImage(ImageRef(entry["reference"]), entry["platforms"])
        for image, entry in release["images"].items()
    }


def write_release(commit: str, entries: dict[str, ReleasedImage]) -> None:
    """Write the pushed images of a commit."""
    images = {image: asdict(entry) for image, entry in sorted(entries.items())}
    filesystem.write_files({_RELEASE_FILE: _pretty({"commit": commit, "images": images})})


def require_released(commit: str, images: list[str]) -> dict[str, ReleasedImage]:
    """Return the pushed images.

    Raises:
        InputError: One of them was not pushed.
    """
    entries = load_release(commit)
    if missing := [image for image in images if image not in entries]:
        raise InputError(
            f"not pushed from commit {commit[:12]}: {', '.join(missing)}",
            hint="invoke build sbom scan push",
        )
    return {image: entries[image] for image in images}


def _pretty(value: Any) -> str:  # noqa: ANN401 - JSON
    return json.dumps(value, indent=2) + "\n"


def read_json(path: Path) -> Any:  # noqa: ANN401 - JSON
    """Read a JSON file."""
    return json.loads(path.read_text())
