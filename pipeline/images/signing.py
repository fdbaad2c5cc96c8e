"""Sign pushed images with their attestations, and promote them to a version."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from pipeline.errors import CheckFailedError, InputError, VerificationError
from pipeline.git import Commit, head
from pipeline.images import provenance, vex
from pipeline.images.commands import cosign, docker, syft, trivy
from pipeline.images.commands.cosign import Signer
from pipeline.images.push import require_build
from pipeline.images.records import ReleasedImage, read_json, require_released
from pipeline.images.registry import digest_or_none, resolve_digest
from pipeline.images.statements import scan_problems
from pipeline.images.targets import Command, Target, repository_for, require_tag, source_url
from pipeline.images.tools import require_tools, run_commands
from pipeline.images.verification import (
    ATTESTATIONS,
    VERIFIED_CACHE,
    WAIVER_ANNOTATION,
    WAIVER_ATTESTATIONS,
    expected_annotations,
    find_problems,
    verify_all,
)


def sign(images: Sequence[str], signer: Signer, *, dry_run: bool = False) -> None:
    """Sign the digests of a release, and attest the files of each platform.

    Args:
        images: What to sign.
        signer: The key or identity that signs.
        dry_run: Whether to only print the commands.

    Raises:
        InputError: An image was not pushed, or a file of it is missing.
        MissingToolError: Cosign or the engine is missing.
        CheckFailedError: Signing failed.
    """
    if not dry_run:
        require_tools("docker", "cosign")
    commit = head()
    for image, entry in require_released(commit.sha, list(images)).items():
        digest = entry.reference
        if (
            not dry_run
            and not find_problems([digest], signer, commit.sha, allow_unscanned=True)[digest]
        ):
            continue
        for platform in entry.platforms:
            _complete_attestations(Target(image, platform), commit, dry_run=dry_run)
        if (waivers := vex.image_waivers(image, [*entry.platforms])) and not dry_run:
            vex.write_vex(image, entry, waivers, commit)
        run_commands(
            _sign_commands(image, entry, signer, commit, waivers=bool(waivers)), dry_run=dry_run
        )
        VERIFIED_CACHE.clear()


def _sign_commands(
    image: str, entry: ReleasedImage, signer: Signer, commit: Commit, *, waivers: bool
) -> list[Command]:
    """Return the commands that sign an image; attestations first, so a signed image has all."""
    more = {kind: vex.vex_path(image) for kind in WAIVER_ATTESTATIONS if waivers}
    commands = []
    for platform, digest in entry.platforms.items():
        reference = f"{entry.reference.repository}@{digest}"
        for kind, file in (_attestation_files(Target(image, platform)) | more).items():
            commands.append(cosign.attest(signer, reference, kind, file))
    annotations = expected_annotations(image, commit.sha) | (WAIVER_ANNOTATION if waivers else {})
    return [*commands, cosign.sign(signer, entry.reference, annotations)]


def _attestation_files(target: Target) -> dict[str, Path]:
    """Return the attested files of a target, by predicate type."""
    found = {
        "spdxjson": syft.OUTPUT_FILES["spdx-json"],
        "cyclonedx": syft.OUTPUT_FILES["cyclonedx-json"],
        "vuln": trivy.OUTPUT_FILES["cosign-vuln"],
        "slsaprovenance1": provenance.FILE,
    }
    return {kind: target.directory / found[kind] for kind in ATTESTATIONS}


def _complete_attestations(target: Target, commit: Commit, *, dry_run: bool) -> None:
    """Write a target's provenance, and check that its other files exist.

    Raises:
        InputError: A file is missing, or the scan is too old.
    """
    build = require_build(target, commit)
    if not dry_run:
        provenance.write_provenance(target, build, source_url())
    others = {
        kind: file for kind, file in _attestation_files(target).items() if kind != "slsaprovenance1"
    }
    if missing := [str(file) for file in others.values() if not file.exists()]:
        raise InputError(f"missing files: {', '.join(missing)}", hint="invoke sbom scan")
    for fault in scan_problems(read_json(others["vuln"]), allow_unscanned=True):
        raise InputError(f"the scan of {target} cannot be attested: {fault}", hint="invoke scan")


def resolve_references(images: Sequence[str], reference: str | None) -> list[str]:
    """Return the given digest, or those that this commit has pushed.

    Raises:
        InputError: An image was not pushed.
    """
    if reference:
        return [reference]
    return [entry.reference for entry in require_released(head().sha, list(images)).values()]


def promote(
    images: Sequence[str], tag: str, signer: Signer, *, local: bool = False, dry_run: bool = False
) -> None:
    """Tag the verified images of this commit with a version; no image is built.

    Args:
        images: What to promote.
        tag: The version, such as `v1.4.0`.
        signer: The key or identity that must have signed.
        local: Whether they are for this machine only; see `verify_all`.
        dry_run: Whether to only print the commands.

    Raises:
        InputError: The version is not a valid tag.
        VerificationError: An image fails verification or was not pushed, or the tag exists already.
        CheckFailedError: The registry changed a digest.
    """
    require_tag(tag)
    require_tools("docker", "cosign")
    commit = head()
    digests = {
        repository_for(image): _commit_digest(repository_for(image), commit) for image in images
    }
    verified = [f"{name}@{digest}" for name, digest in digests.items()]
    verify_all(verified, signer, commit.sha, local=local)
    versions = {f"{name}:{tag}": digest for name, digest in digests.items()}
    require_unused_tags(versions)
    tag_digests(versions, dry_run=dry_run)


def tag_digests(versions: Mapping[str, str], *, dry_run: bool = False) -> None:
    """Tag digests.

    Args:
        versions: The digest for each `repository:version`.
        dry_run: Whether to only print the commands.

    Raises:
        CheckFailedError: The registry changed a digest.
    """
    for version, digest in versions.items():
        run_commands(
            [docker.create_index(version, f"{version.rpartition(':')[0]}@{digest}")],
            dry_run=dry_run,
        )
        if not dry_run and resolve_digest(version) != digest:
            raise CheckFailedError(
                f"{version} has another digest than {digest}", hint="check the registry"
            )


def require_unused_tags(versions: Mapping[str, str]) -> None:
    """Check that no tag exists with another digest, as a version must not change.

    Raises:
        CheckFailedError: The registry does not answer.
        VerificationError: Names all tags that do.
    """
    existing = {version: digest_or_none(version) for version in versions}
    if taken := [each for each, digest in existing.items() if digest not in (None, versions[each])]:
        raise VerificationError(
            f"tags of another commit's images: {', '.join(taken)}", hint="choose the next version"
        )


def _commit_digest(name: str, commit: Commit) -> str:
    """Return the digest that was pushed for a commit; it is not verified here.

    Raises:
        VerificationError: There is none.
    """
    try:
        return resolve_digest(f"{name}:{commit.tag}")
    except CheckFailedError as error:
        raise VerificationError(
            f"{name} has no image of commit {commit.sha[:12]}: {error}",
            hint="CI on main pushes it: see the job release-image of that commit",
        ) from None
