"""What a registry keeps under a name: an image, or an index of images.

https://github.com/opencontainers/image-spec/blob/main/image-index.md
"""

import hashlib
import json
from collections.abc import Mapping

from pipeline.errors import CheckFailedError
from pipeline.images.commands import docker
from pipeline.images.tools import command_output
from pipeline.process import capture, last_error_line

ANSWERS_WITHIN = 60
"""The seconds that a registry is given for an answer."""
ATTESTATION_PLATFORM = "unknown/unknown"
"""The platform of what a builder attaches to an index; it runs on none."""


class NotFoundError(CheckFailedError):
    """A registry that answers has no such thing."""


def exists(reference: str) -> bool:
    """Say whether a registry has this manifest."""
    return capture(docker.raw_manifest(reference)).returncode == 0


def resolve_digest(reference: str) -> str:
    """Return the digest of what a name stands for now.

    Raises:
        CheckFailedError: The registry does not answer.
        NotThereError: It has no such thing.
    """
    return manifest_digest(raw_manifest(reference))


def digest_or_none(reference: str) -> str | None:
    """Return the digest of what a name stands for now; None, if the registry has no such thing.

    Raises:
        CheckFailedError: It does not answer, which tells nothing.
    """
    try:
        return resolve_digest(reference)
    except NotFoundError:
        return None


def raw_manifest(reference: str) -> str:
    """Return the manifest that a registry keeps under a name, byte by byte.

    Raises:
        CheckFailedError: The registry does not answer.
        NotThereError: It has no such thing.
    """
    output = capture(docker.raw_manifest(reference), seconds=ANSWERS_WITHIN)
    if output.returncode == 0:
        return output.stdout
    said = last_error_line(output)
    if said.endswith("not found"):
        raise NotFoundError(
            f"the registry has no {reference}", hint="has that commit been built and pushed?"
        )
    raise CheckFailedError(
        f"the registry does not answer for {reference}: {said}",
        hint="is it up, and does `docker login` let you in?",
    )


def manifest_digest(manifest: str) -> str:
    """Return the digest of a manifest."""
    return f"sha256:{hashlib.sha256(manifest.encode()).hexdigest()}"


def platform_digests(reference: str) -> dict[str, str]:
    """Return the digests of the images behind a name, by platform; an index may have one only.

    Raises:
        CheckFailedError: The registry has no such thing, does not answer, or gives another.
    """
    text = raw_manifest(reference)
    _, by_digest, wanted = reference.partition("@")
    if by_digest and manifest_digest(text) != wanted:
        raise CheckFailedError(
            f"the registry gives {manifest_digest(text)} for {reference}", hint="trust it no more"
        )
    manifest = json.loads(text)
    if "manifests" not in manifest:
        return {
            format_platform(
                json.loads(command_output(docker.image_config(reference)))
            ): resolve_digest(reference)
        }
    entries = [
        (format_platform(entry["platform"]), entry["digest"]) for entry in manifest["manifests"]
    ]
    return {platform: digest for platform, digest in entries if platform != ATTESTATION_PLATFORM}


def format_platform(described: Mapping[str, str]) -> str:
    """Return what an image runs on, as `linux/amd64`."""
    return f"{described['os']}/{described['architecture']}"
