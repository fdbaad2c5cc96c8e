"""Verify that a digest may be deployed: its signature, and its attestations."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from pipeline.config import load
from pipeline.errors import CheckFailedError, InputError, VerificationError
from pipeline.git import head
from pipeline.images.commands import cosign
from pipeline.images.commands.cosign import Signer
from pipeline.images.pin import pinned_reference
from pipeline.images.registry import platform_digests
from pipeline.images.statements import answer_problems
from pipeline.images.targets import Command, ImageRef, platforms
from pipeline.images.tools import require_tools
from pipeline.process import CommandResult, capture

VERIFIED_CACHE: dict[Command, CommandResult] = {}
"""Cosign's successful answers in this process."""

ATTESTATIONS = {
    "spdxjson": "bill of materials (SPDX)",
    "cyclonedx": "bill of materials (CycloneDX)",
    "vuln": "scan",
    "slsaprovenance1": "provenance",
}
"""Cosign's name of each required attestation, and its name in messages."""

WAIVER_ANNOTATION = {"exceptions": "attested"}
"""Annotation of a signature with exceptions, so that their attestation cannot be removed."""
WAIVER_ATTESTATIONS = {"openvex": "exceptions"}
"""Cosign's name of that attestation, and its name in messages."""


@dataclass(frozen=True)
class _CosignCommands:
    """The Cosign commands for one digest.

    Attributes:
        problems: Problems of its manifest.
        commands: For each attestation: its type, its name in messages, and the command.
    """

    problems: Sequence[str]
    commands: Sequence[tuple[str, str, Command]] = ()


def verify(
    references: Sequence[str],
    signer: Signer,
    commit: str,
    *,
    platforms: Sequence[str] = (),
    allow_unscanned: bool = False,
) -> None:
    """Verify digests.

    Args:
        references: Each `repository@sha256:…`.
        signer: The key or identity that must have signed.
        commit: The commit that they must be built from.
        platforms: The platforms that each must support; if empty, those that it has.
        allow_unscanned: Whether to accept the statement that no scanner ran.

    Raises:
        InputError: A reference is a tag.
        VerificationError: Names all problems of each digest.
    """
    found = find_problems(
        references, signer, commit, platforms=platforms, allow_unscanned=allow_unscanned
    )
    if wrong := {reference: problems for reference, problems in found.items() if problems}:
        blocks = [
            "\n".join([f"{reference} failed verification:", *problems])
            for reference, problems in wrong.items()
        ]
        raise VerificationError(
            "\n".join(blocks),
            hint="deploy an image that CI on main signed: see the job release-image of that commit",
        )


def verify_all(
    references: Sequence[str], signer: Signer, commit: str | None, *, local: bool
) -> None:
    """Verify digests, and print them.

    Args:
        references: What to verify.
        signer: The key or identity that must have signed.
        commit: The commit that they must be built from; HEAD, if not given.
        local: Whether they are for this machine only; then one platform is enough, without a scan.

    Raises:
        VerificationError: Names all problems of each digest.
    """
    require_tools("docker", "cosign")
    wanted = () if local else platforms()
    verify(references, signer, commit or head().sha, platforms=wanted, allow_unscanned=local)
    print(*references, sep="\n")


def find_problems(
    references: Sequence[str],
    signer: Signer,
    commit: str,
    *,
    platforms: Sequence[str] = (),
    allow_unscanned: bool = False,
) -> dict[str, list[str]]:
    """Return the problems of each digest; the arguments are those of `verify`.

    All commands run in one thread pool, as they wait for the network.
    """
    images = [ImageRef(reference) for reference in references]
    with ThreadPoolExecutor() as pool:
        digests = [
            *pool.map(lambda each: _cosign_commands(each, signer, commit, platforms), images)
        ]
        flat = [command for each in digests for _, _, command in each.commands]
        answers = dict(zip(flat, pool.map(_run_cached, flat), strict=True))
    return {
        reference: [
            *each.problems,
            *(
                f"{name}: {fault}"
                for kind, name, command in each.commands
                for fault in answer_problems(
                    kind, answers[command], allow_unscanned=allow_unscanned
                )
            ),
        ]
        for reference, each in zip(references, digests, strict=True)
    }


def _cosign_commands(
    reference: ImageRef, signer: Signer, commit: str, platforms: Sequence[str]
) -> _CosignCommands:
    """Read the manifest of a digest, and return the Cosign commands for it."""
    try:
        found = platform_digests(reference)
    except CheckFailedError as error:
        return _CosignCommands([f"its manifest cannot be read: {error}"])
    if not found:
        return _CosignCommands(["it contains no image"])
    missing = [platform for platform in platforms if platform not in found]
    problems = [f"it is not for {platform}, only for {', '.join(found)}" for platform in missing]
    try:
        annotations = expected_annotations(reference.repository.rpartition("/")[2], commit)
    except InputError as error:
        return _CosignCommands([f"its commit is unknown: {error}"])
    with_waivers = cosign.verify(signer, reference, annotations | WAIVER_ANNOTATION)
    kinds = (
        ATTESTATIONS if _run_cached(with_waivers).returncode else ATTESTATIONS | WAIVER_ATTESTATIONS
    )
    statements = [
        (kind, f"{name} of {platform}", cosign.verify_attestation(signer, image, kind))
        for platform, digest in found.items()
        for kind, name in kinds.items()
        for image in [f"{reference.repository}@{digest}"]
    ]
    signature = ("", "signature", cosign.verify(signer, reference, annotations))
    return _CosignCommands(problems, [signature, *statements])


def _run_cached(command: Command) -> CommandResult:
    """Run Cosign, and cache a successful answer in this process.

    Signatures of a digest do not change, so `invoke sign verify` runs it once.
    """
    if command not in VERIFIED_CACHE:
        answer = capture(command)
        if answer.returncode:
            return answer
        VERIFIED_CACHE[command] = answer
    return VERIFIED_CACHE[command]


def expected_annotations(image: str, commit: str) -> dict[str, str]:
    """Return the annotations that a signature must have.

    A third-party image is the same in many commits. Its signature has its reference instead of a
    commit, so that it is signed once; all signatures of a digest are read at verification.

    Raises:
        InputError: The commit does not exist here, or does not name the image.
    """
    if image in load().images.third_party:
        return {"named": pinned_reference(image, commit)}
    return {"commit": commit}
