"""Decide whether a digest may be deployed: who signed it, and what is attested of it."""

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
from pipeline.images.targets import Command, platforms, split_digest
from pipeline.images.tools import require_tools
from pipeline.process import CommandResult, capture

VERIFIED_CACHE: dict[Command, CommandResult] = {}
"""What Cosign has found good in this process."""

ATTESTATIONS = {
    "spdxjson": "bill of materials (SPDX)",
    "cyclonedx": "bill of materials (CycloneDX)",
    "vuln": "scan",
    "slsaprovenance1": "provenance",
}
"""Cosign's name of each statement that a release must carry, and ours."""

WAIVER_ANNOTATION = {"exceptions": "attested"}
"""What a signature says where there are exceptions: nobody can then take their statement away."""
WAIVER_ATTESTATIONS = {"openvex": "exceptions"}
"""That statement, by Cosign's name and ours."""


@dataclass(frozen=True)
class Questions:
    """What Cosign is asked about one digest, after what its manifest says.

    Attributes:
        wrong: What is wrong with it already.
        asked: The kind of each statement, its name for people, and the command that verifies it.
    """

    wrong: Sequence[str]
    asked: Sequence[tuple[str, str, Command]] = ()


def verify(
    references: Sequence[str],
    signer: Signer,
    commit: str,
    *,
    platforms: Sequence[str] = (),
    unjudged: bool = False,
) -> None:
    """Refuse digests of which one is not signed, or lacks a statement.

    Args:
        references: Each `repository@sha256:…`.
        signer: Who has to have signed.
        commit: What they have to be built from.
        platforms: What each has to run on; without any, what it has is enough.
        unjudged: Whether a scan may say that there was no scanner; only a rehearsal may.

    Raises:
        InputError: A reference is a tag.
        UntrustedError: Names everything that is wrong with each.
    """
    found = find_problems(references, signer, commit, platforms=platforms, unjudged=unjudged)
    if wrong := {reference: said for reference, said in found.items() if said}:
        blocks = [
            "\n".join([f"{reference} is not to be trusted:", *said])
            for reference, said in wrong.items()
        ]
        raise VerificationError(
            "\n".join(blocks),
            hint="deploy what main has signed: look at the job release-image of that commit",
        )


def verify_all(
    references: Sequence[str], signer: Signer, commit: str | None, *, local: bool
) -> None:
    """Refuse if one of several digests is not to be trusted, and print them if all are.

    Args:
        references: What to verify.
        signer: Who has to have signed.
        commit: What they have to be built from; the one that is checked out, if not given.
        local: Whether they are to run on this machine only, where one platform is enough, and
            nobody needs to have scanned.

    Raises:
        UntrustedError: Names everything that is wrong with each that is not to be trusted.
    """
    require_tools("docker", "cosign")
    wanted = () if local else platforms()
    verify(references, signer, commit or head().sha, platforms=wanted, unjudged=local)
    print(*references, sep="\n")


def find_problems(
    references: Sequence[str],
    signer: Signer,
    commit: str,
    *,
    platforms: Sequence[str] = (),
    unjudged: bool = False,
) -> dict[str, list[str]]:
    """Return what is wrong with each digest; the arguments are those of `verify`.

    One pool of threads asks about all of them: an answer is a matter of the network.
    """
    for reference in references:
        split_digest(reference)
    with ThreadPoolExecutor() as pool:
        looked = [*pool.map(lambda each: questions(each, signer, commit, platforms), references)]
        commands = [command for each in looked for _, _, command in each.asked]
        answers = dict(zip(commands, pool.map(run_cached, commands), strict=True))
    return {
        reference: [
            *each.wrong,
            *(
                f"{name}: {fault}"
                for kind, name, command in each.asked
                for fault in answer_problems(kind, answers[command], unjudged=unjudged)
            ),
        ]
        for reference, each in zip(references, looked, strict=True)
    }


def questions(reference: str, signer: Signer, commit: str, platforms: Sequence[str]) -> Questions:
    """Read the manifest of a digest, and return what is to be asked about it."""
    repository, _ = split_digest(reference)
    try:
        found = platform_digests(reference)
    except CheckFailedError as error:
        return Questions([f"its manifest cannot be read: {error}"])
    if not found:
        return Questions(["it holds no image"])
    missing = [platform for platform in platforms if platform not in found]
    wrong = [f"it is not for {platform}, only for {', '.join(found)}" for platform in missing]
    try:
        said = expected_annotations(repository.rpartition("/")[2], commit)
    except InputError as error:
        return Questions([f"the commit of its source is not known: {error}"])
    excepted = cosign.verify(signer, reference, said | WAIVER_ANNOTATION)
    kinds = ATTESTATIONS if run_cached(excepted).returncode else ATTESTATIONS | WAIVER_ATTESTATIONS
    statements = [
        (kind, f"{name} of {platform}", cosign.verify_attestation(signer, image, kind))
        for platform, digest in found.items()
        for kind, name in kinds.items()
        for image in [f"{repository}@{digest}"]
    ]
    signature = ("", "signature", cosign.verify(signer, reference, said))
    return Questions(wrong, [signature, *statements])


def run_cached(command: Command) -> CommandResult:
    """Return Cosign's answer; what it has found good once, it is not asked again in this process.

    Signatures are of digests and stay what they are, so that `invoke sign verify` asks once.
    """
    if command not in VERIFIED_CACHE:
        answer = capture(command)
        if answer.returncode:
            return answer
        VERIFIED_CACHE[command] = answer
    return VERIFIED_CACHE[command]


def expected_annotations(image: str, commit: str) -> dict[str, str]:
    """Return what a signature says besides the digest: what it is of.

    An image of others is the same in many commits. Its signature is of the name that they have for
    it, so that it is signed once, and not for each of them: whoever verifies reads all there are.

    Raises:
        InputError: The commit is not here, or does not name the image.
    """
    if image in load().images.third_party:
        return {"named": pinned_reference(image, commit)}
    return {"commit": commit}
