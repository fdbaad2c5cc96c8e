"""Write the accepted vulnerabilities of an image as OpenVEX.

https://github.com/openvex/spec/blob/main/OPENVEX-SPEC.md
"""

import json
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pipeline.git import Commit
from pipeline.images.records import ReleasedImage
from pipeline.images.targets import DIST_DIR, Target
from pipeline.waivers import Waiver, waivers_for


def vex_path(image: str) -> Path:
    """Return the path of an image's document, which covers all platforms."""
    return DIST_DIR / image / "exceptions.vex.json"


def image_waivers(image: str, platforms: Sequence[str]) -> list[Waiver]:
    """Return the exceptions of an image on any of these platforms.

    Raises:
        InputError: security/exceptions.toml is invalid.
    """
    targets = [image, *(str(Target(image, platform)) for platform in platforms)]
    return waivers_for(targets, datetime.now(UTC).date())


def write_vex(image: str, entry: ReleasedImage, found: Sequence[Waiver], commit: Commit) -> None:
    """Write the document of an image.

    Args:
        image: Its name.
        entry: The pushed image.
        found: The exceptions; at least one.
        commit: The commit of its build; its time is that of the document.
    """
    vex_path(image).parent.mkdir(parents=True, exist_ok=True)
    vex_path(image).write_text(json.dumps(_document(image, entry, found, commit), indent=2))


def _document(
    image: str, entry: ReleasedImage, found: Sequence[Waiver], commit: Commit
) -> dict[str, Any]:
    """Return the document."""
    return {
        "@context": "https://openvex.dev/ns/v0.2.0",
        "@id": uuid.uuid5(uuid.NAMESPACE_URL, entry.reference).urn,
        "author": ", ".join(sorted({each.owner for each in found})),
        "timestamp": commit.time.isoformat(),
        "version": 1,
        "statements": [_statement(image, entry, each) for each in found],
    }


def _statement(image: str, entry: ReleasedImage, exemption: Waiver) -> dict[str, Any]:
    """Return the statement about one vulnerability."""
    package = f"pkg:generic/{quote(exemption.package, safe='')}"
    products = [
        {
            "@id": _product(image, entry.reference.repository, digest),
            "hashes": {"sha-256": digest.removeprefix("sha256:")},
            "subcomponents": [{"@id": package}],
        }
        for platform, digest in entry.platforms.items()
        if {image, str(Target(image, platform))} & {*exemption.found_in}
    ]
    return {
        "vulnerability": {"name": exemption.id},
        "products": products,
        "status": "affected",
        "action_statement": f"Accepted by {exemption.owner} until {exemption.expiry}: "
        f"{exemption.reason}",
    }


def _product(image: str, repository: str, digest: str) -> str:
    """Return an image as a package URL: https://github.com/package-url/purl-spec."""
    repository_url = quote(repository, safe="/")
    return f"pkg:oci/{image}@{quote(digest, safe='')}?repository_url={repository_url}"
