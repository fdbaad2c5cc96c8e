"""Decide whether a digest may be deployed: who signed it, and what is attested of it."""

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

from pipeline.config import load
from pipeline.errors import CheckFailedError, InputError, UntrustedError
from pipeline.git import head
from pipeline.images import cosign
from pipeline.images.act import require
from pipeline.images.cosign import Signer
from pipeline.images.inspection import NOT_JUDGED
from pipeline.images.manifests import members
from pipeline.images.names import Command, by_digest, platforms
from pipeline.images.pinning import named
from pipeline.run import Output, read

GOOD: dict[Command, Output] = {}
"""What Cosign has found good in this process."""

ATTESTATIONS = {
    "spdxjson": "bill of materials (SPDX)",
    "cyclonedx": "bill of materials (CycloneDX)",
    "vuln": "scan",
    "slsaprovenance1": "provenance",
}
"""Cosign's name of each statement that a release must carry, and ours."""

EXCEPTED = {"exceptions": "attested"}
"""What a signature says where there are exceptions: nobody can then take their statement away."""
EXCEPTIONS = {"openvex": "exceptions"}
"""That statement, by Cosign's name and ours."""


def verify(
    reference: str,
    signer: Signer,
    commit: str,
    *,
    platforms: Sequence[str] = (),
    unjudged: bool = False,
) -> None:
    """Refuse a digest that is not signed, or lacks a statement.

    Args:
        reference: `repository@sha256:…`.
        signer: Who has to have signed.
        commit: What it has to be built from.
        platforms: What it has to run on; without any, what it has is enough.
        unjudged: Whether a scan may say that there was no scanner; only a rehearsal may.

    Raises:
        InputError: The reference is a tag.
        UntrustedError: Names everything that is wrong.
    """
    if found := faults(reference, signer, commit, platforms=platforms, unjudged=unjudged):
        raise UntrustedError(
            f"{reference} is not to be trusted:\n" + "\n".join(found),
            hint="deploy what main has signed: look at the job release-image of that commit",
        )


def verify_all(
    references: Sequence[str], signer: Signer, commit: str | None, *, local: bool
) -> None:
    """Refuse if one of several digests is not to be trusted, and print those that are.

    Args:
        references: What to verify.
        signer: Who has to have signed.
        commit: What they have to be built from; the one that is checked out, if not given.
        local: Whether they are to run on this machine only, where one platform is enough, and
            nobody needs to have scanned.

    Raises:
        UntrustedError: Names everything that is wrong with the first that is not to be trusted.
    """
    require("docker", "cosign")
    wanted = () if local else platforms()
    for reference in references:
        sha = commit or head().sha
        verify(reference, signer, sha, platforms=wanted, unjudged=local)
        print(reference)


def faults(
    reference: str,
    signer: Signer,
    commit: str,
    *,
    platforms: Sequence[str] = (),
    unjudged: bool = False,
) -> list[str]:
    """Return what is wrong with a digest; the arguments are those of `verify`."""
    repository, _ = by_digest(reference)
    try:
        found = members(reference)
    except CheckFailedError as error:
        return [f"its manifest cannot be read: {error}"]
    if not found:
        return ["it holds no image"]
    missing = [platform for platform in platforms if platform not in found]
    wrong = [f"it is not for {platform}, only for {', '.join(found)}" for platform in missing]
    try:
        said = said_of(repository.rpartition("/")[2], commit)
    except InputError as error:
        return [f"nobody knows what it should be of: {error}"]
    signature = cosign.verify(signer, reference, said)
    excepted = cosign.verify(signer, reference, said | EXCEPTED)
    kinds = ATTESTATIONS if heard(excepted).returncode else ATTESTATIONS | EXCEPTIONS
    asked = [("", "signature", signature)]
    asked += [
        (kind, f"{name} of {platform}", cosign.verify_attestation(signer, image, kind))
        for platform, digest in found.items()
        for kind, name in kinds.items()
        for image in [f"{repository}@{digest}"]
    ]
    with ThreadPoolExecutor() as pool:
        answers = list(pool.map(lambda entry: heard(entry[2]), asked))
    for (kind, name, _), answer in zip(asked, answers, strict=True):
        wrong += [f"{name}: {fault}" for fault in judged(kind, answer, unjudged=unjudged)]
    return wrong


def heard(command: Command) -> Output:
    """Return Cosign's answer; what it has found good once, it is not asked again in this process.

    Signatures are of digests and stay what they are, so that `invoke sign verify` asks once.
    """
    if command not in GOOD:
        answer = read(command)
        if answer.returncode:
            return answer
        GOOD[command] = answer
    return GOOD[command]


def judged(kind: str, answer: Output, *, unjudged: bool) -> Iterator[str]:
    """Return what is wrong with one answer of Cosign's."""
    if answer.returncode:
        yield said_by_cosign(answer.stderr)
    elif kind == "vuln":
        yield from scan_faults(newest_scan(answer.stdout), unjudged=unjudged)


def said_by_cosign(errors: str) -> str:
    """Return the sentence in what Cosign prints when it refuses."""
    lines = [line.strip(" :") for line in errors.splitlines() if line.strip(" :")]
    sentences = [line for line in lines if line.startswith("Error: ")]
    return (sentences or lines or ["cosign said nothing"])[-1].removeprefix("Error: ")


def said_of(image: str, commit: str) -> dict[str, str]:
    """Return what a signature says besides the digest: what it is of.

    An image of others is the same in many commits. Its signature is of the name that they have for
    it, so that it is signed once, and not for each of them: whoever verifies reads all there are.

    Raises:
        InputError: The commit is not here, or does not name the image.
    """
    if image in load().images.third_party:
        return {"named": named(image, commit)}
    return {"commit": commit}


def newest_scan(envelopes: str) -> Mapping[str, Any]:
    """Return the last of the scans that were attested, from Cosign's lines of JSON."""
    scans = [statement(line)["predicate"] for line in envelopes.splitlines() if line.strip()]
    return max(scans, key=finished)


def statement(envelope: str) -> dict[str, Any]:
    """Return the statement in an envelope: https://github.com/secure-systems-lab/dsse."""
    content: dict[str, Any] = json.loads(base64.b64decode(json.loads(envelope)["payload"]))
    return content


def scan_faults(scan: Mapping[str, Any], *, unjudged: bool) -> Iterator[str]:
    """Return what is wrong with a scan: nobody scanned, or too long ago."""
    if NOT_JUDGED in (scan["scanner"].get("result") or {}) and not unjudged:
        yield "it says that nobody scanned"
    days = load().images.scan_days
    if datetime.now(UTC) - finished(scan) > timedelta(days=days):
        yield f"it is older than {days} days"


def finished(scan: Mapping[str, Any]) -> datetime:
    """Return when a scan was done."""
    return datetime.fromisoformat(scan["metadata"]["scanFinishedOn"])
