"""Read manifests from a registry: of an image, or of an index of images.

https://github.com/opencontainers/image-spec/blob/main/image-index.md
"""

import hashlib
import json
from collections.abc import Mapping

from pipeline.errors import CheckFailedError
from pipeline.images.commands import docker
from pipeline.images.tools import command_output
from pipeline.process import capture, last_error_line

_REGISTRY_TIMEOUT = 60
"""Seconds to wait for a registry."""
_ATTESTATION_PLATFORM = "unknown/unknown"
"""The platform of attestations that a builder attaches to an index."""


class NotFoundError(CheckFailedError):
    """The registry answers, but has no such manifest."""


def exists(reference: str) -> bool:
    """Return whether a registry has this manifest."""
    return capture(docker.raw_manifest(reference)).returncode == 0


def resolve_digest(reference: str) -> str:
    """Return the digest of a reference.

    Raises:
        CheckFailedError: The registry does not answer.
        NotFoundError: It has no such manifest.
    """
    return manifest_digest(raw_manifest(reference))


def digest_or_none(reference: str) -> str | None:
    """Return the digest of a reference; None, if the registry has no such manifest.

    Raises:
        CheckFailedError: The registry does not answer.
    """
    try:
        return resolve_digest(reference)
    except NotFoundError:
        return None


def raw_manifest(reference: str) -> str:
    """Return the manifest of a reference, byte by byte.

    Raises:
        CheckFailedError: The registry does not answer.
        NotFoundError: It has no such manifest.
    """
    output = capture(docker.raw_manifest(reference), seconds=_REGISTRY_TIMEOUT)
    if output.returncode == 0:
        return output.stdout
    error = last_error_line(output)
    if error.endswith("not found"):
        raise NotFoundError(
            f"the registry has no {reference}", hint="check that the commit was built and pushed"
        )
    raise CheckFailedError(
        f"the registry does not answer for {reference}: {error}",
        hint="check that it runs, and that `docker login` succeeds",
    )


def manifest_digest(manifest: str) -> str:
    """Return the digest of a manifest."""
    return f"sha256:{hashlib.sha256(manifest.encode()).hexdigest()}"


def platform_digests(reference: str) -> dict[str, str]:
    """Return the digests of the images of a reference, by platform.

    Raises:
        CheckFailedError: The registry has no such manifest, does not answer, or sends another one.
    """
    text = raw_manifest(reference)
    _, by_digest, wanted = reference.partition("@")
    if by_digest and manifest_digest(text) != wanted:
        raise CheckFailedError(
            f"the registry sent {manifest_digest(text)} for {reference}",
            hint="do not use this registry",
        )
    manifest = json.loads(text)
    if "manifests" not in manifest:
        return {
            _format_platform(
                json.loads(command_output(docker.image_config(reference)))
            ): resolve_digest(reference)
        }
    entries = [
        (_format_platform(entry["platform"]), entry["digest"]) for entry in manifest["manifests"]
    ]
    return {platform: digest for platform, digest in entries if platform != _ATTESTATION_PLATFORM}


def _format_platform(config: Mapping[str, str]) -> str:
    """Return the platform of an image, as `linux/amd64`."""
    return f"{config['os']}/{config['architecture']}"
