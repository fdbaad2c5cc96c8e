"""Sign what was pushed, with its papers, and give it a version."""

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
    """Sign the digests of a release, and the papers of each platform.

    Args:
        images: What to sign.
        signer: Who signs.
        dry_run: Whether to only print the commands.

    Raises:
        InputError: Something was not pushed, or lacks a paper.
        MissingToolError: Cosign or the engine is not here.
        CheckFailedError: Signing failed.
    """
    if not dry_run:
        require_tools("docker", "cosign")
    commit = head()
    for image, entry in require_released(commit.sha, list(images)).items():
        digest = entry.reference
        if not dry_run and not find_problems([digest], signer, commit.sha, unjudged=True)[digest]:
            continue
        for platform in entry.platforms:
            complete_attestations(Target(image, platform), commit, dry_run=dry_run)
        if (excepted := vex.image_waivers(image, [*entry.platforms])) and not dry_run:
            vex.write_vex(image, entry, excepted, commit)
        run_commands(
            sign_commands(image, entry, signer, commit, excepted=bool(excepted)), dry_run=dry_run
        )
        VERIFIED_CACHE.clear()


def sign_commands(
    image: str, entry: ReleasedImage, signer: Signer, commit: Commit, *, excepted: bool
) -> list[Command]:
    """Return how to sign an image: the papers first, so that what is signed is complete."""
    more = {kind: vex.vex_path(image) for kind in WAIVER_ATTESTATIONS if excepted}
    commands = []
    for platform, digest in entry.platforms.items():
        reference = f"{entry.repository}@{digest}"
        for kind, paper in (attestation_files(Target(image, platform)) | more).items():
            commands.append(cosign.attest(signer, reference, kind, paper))
    said = expected_annotations(image, commit.sha) | (WAIVER_ANNOTATION if excepted else {})
    return [*commands, cosign.sign(signer, entry.reference, said)]


def attestation_files(target: Target) -> dict[str, Path]:
    """Return what is attested of a target, by the kind of statement."""
    found = {
        "spdxjson": syft.OUTPUT_FILES["spdx-json"],
        "cyclonedx": syft.OUTPUT_FILES["cyclonedx-json"],
        "vuln": trivy.OUTPUT_FILES["cosign-vuln"],
        "slsaprovenance1": provenance.FILE,
    }
    return {kind: target.directory / found[kind] for kind in ATTESTATIONS}


def complete_attestations(target: Target, commit: Commit, *, dry_run: bool) -> None:
    """Write the last of a target's papers, its provenance, and look at the others.

    Raises:
        InputError: A paper is missing, or the scan is too old to be of any use.
    """
    build = require_build(target, commit)
    if not dry_run:
        provenance.write_provenance(target, build, source_url())
    others = {
        kind: paper
        for kind, paper in attestation_files(target).items()
        if kind != "slsaprovenance1"
    }
    if missing := [str(paper) for paper in others.values() if not paper.exists()]:
        raise InputError(f"not written yet: {', '.join(missing)}", hint="invoke sbom scan")
    for fault in scan_problems(read_json(others["vuln"]), unjudged=True):
        raise InputError(f"the scan of {target} is of no use: {fault}", hint="invoke scan")


def resolve_references(images: Sequence[str], reference: str | None) -> list[str]:
    """Return the digest that is asked for, or those that this commit has pushed.

    Raises:
        InputError: Something was not pushed.
    """
    if reference:
        return [reference]
    return [entry.reference for entry in require_released(head().sha, list(images)).values()]


def promote(
    images: Sequence[str], tag: str, signer: Signer, *, local: bool = False, dry_run: bool = False
) -> None:
    """Give the images of this commit a version, once all are verified; nothing is built again.

    Args:
        images: What to promote.
        tag: The version, such as `v1.4.0`.
        signer: Who has to have signed.
        local: Whether they are to run on this machine only; see `verify_all`.
        dry_run: Whether to only print the commands.

    Raises:
        InputError: No image can bear that version.
        UntrustedError: An image is not what was signed, or was never pushed, or the version is
            another commit's already.
        CheckFailedError: The registry changed a digest on the way.
    """
    require_tag(tag)
    require_tools("docker", "cosign")
    commit = head()
    digests = {
        repository_for(image): commit_digest(repository_for(image), commit) for image in images
    }
    verified = [f"{name}@{digest}" for name, digest in digests.items()]
    verify_all(verified, signer, commit.sha, local=local)
    versions = {f"{name}:{tag}": digest for name, digest in digests.items()}
    require_unused_tags(versions)
    tag_digests(versions, dry_run=dry_run)


def tag_digests(versions: Mapping[str, str], *, dry_run: bool = False) -> None:
    """Give digests their versions; nothing is built again.

    Args:
        versions: The digest that each `repository:version` is to stand for.
        dry_run: Whether to only print the commands.

    Raises:
        CheckFailedError: The registry changed a digest on the way.
    """
    for version, digest in versions.items():
        run_commands(
            [docker.create_index(version, f"{version.rpartition(':')[0]}@{digest}")],
            dry_run=dry_run,
        )
        if not dry_run and resolve_digest(version) != digest:
            raise CheckFailedError(
                f"{version} became another digest than {digest}", hint="look at the registry"
            )


def require_unused_tags(versions: Mapping[str, str]) -> None:
    """Refuse a version that stands for something else: it is promised to stay what it is.

    Raises:
        CheckFailedError: The registry does not answer.
        UntrustedError: Names all that do.
    """
    there = {version: digest_or_none(version) for version in versions}
    if taken := [each for each, digest in there.items() if digest not in (None, versions[each])]:
        raise VerificationError(
            f"taken by another commit's images: {', '.join(taken)}", hint="choose the next version"
        )


def commit_digest(name: str, commit: Commit) -> str:
    """Return the digest that was pushed of a commit; what it is worth, `verify` finds out.

    Raises:
        UntrustedError: None was.
    """
    try:
        return resolve_digest(f"{name}:{commit.tag}")
    except CheckFailedError as error:
        raise VerificationError(
            f"{name} has nothing of commit {commit.sha[:12]}: {error}",
            hint="main pushes it: look at the job release-image of that commit",
        ) from None
