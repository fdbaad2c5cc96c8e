"""Images in the registry, each in its own repository, with what is signed and attested of them."""

import itertools
import json
from datetime import UTC, datetime

from pipeline.images.commands import cosign
from pipeline.images.commands.cosign import Signer
from pipeline.images.registry import platform_digests, resolve_digest
from pipeline.images.verification import ATTESTATIONS, WAIVER_ANNOTATION
from tests.acceptance.signing.conftest import ask, sh, tags
from tests.acceptance.signing.project import AMD, Project, effectful_commands
from tests.conftest import Result

NUMBERS = itertools.count()
KINDS = [*ATTESTATIONS]
FILES = {
    "spdxjson": "sbom.spdx.json",
    "cyclonedx": "sbom.cdx.json",
    "vuln": "scan.attestation.json",
    "slsaprovenance1": "provenance.json",
}


def published(project: Project, platform: str = AMD) -> str:
    """Copy the image of a platform to a repository of its own, and return its digest there."""
    name = f"{project.registry}/{project.image}"
    tagged = next(tag for tag in tags(name) if tag.endswith(platform.replace("/", "-")))
    copy = f"{name}-case-{next(NUMBERS)}"
    sh("docker", "buildx", "imagetools", "create", f"--tag={copy}:1", f"{name}:{tagged}")
    return f"{copy}@{resolve_digest(f'{copy}:1')}"


def platform_image(reference: str) -> str:
    """Return the digest of the one image in an index."""
    (found,) = platform_digests(reference).values()
    return f"{reference.partition('@')[0]}@{found}"


def attest(project: Project, reference: str, signer: Signer, kinds: list[str]) -> None:
    """Attest what was written of the image, in these kinds only."""
    provenance = project.documents() / FILES["slsaprovenance1"]
    provenance.write_text('{"buildDefinition": {}, "runDetails": {}}')
    for kind in kinds:
        paper = project.documents() / FILES[kind]
        sh(*cosign.attest(signer, platform_image(reference), kind, paper))


def sign(reference: str, signer: Signer, commit: str, *, excepted: bool = False) -> None:
    sh(
        *cosign.sign(
            signer, reference, {"commit": commit} | (WAIVER_ANNOTATION if excepted else {})
        )
    )


def add_all_attestations(project: Project, signer: Signer) -> str:
    """Publish an image that nothing is wrong with."""
    reference = published(project)
    attest(project, reference, signer, KINDS)
    sign(reference, signer, project.sha)
    return reference


def scanned(project: Project, reference: str, signer: Signer, scan: dict[str, object]) -> None:
    """Attest one more scan."""
    paper = project.folder / "dist" / "scan.json"
    now = datetime.now(UTC).isoformat()
    whole = {"scanner": {"uri": "", "version": "", "db": {}, "result": {}},
             "metadata": {"scanStartedOn": now, "scanFinishedOn": now}}  # fmt: skip
    paper.write_text(json.dumps({"invocation": {}, **whole, **scan}))
    sh(*cosign.attest(signer, platform_image(reference), "vuln", paper))


def verify(project: Project, reference: str, *options: str) -> Result:
    return project.invoke("verify", f"--reference={reference}", f"--commit={project.sha}", *options)


def assert_refused(result: Result, *faults: str) -> None:
    """Insist on the exit code, on all faults and no others, and that nothing was done."""
    message, _, _ = result.stderr.partition("\n\nhint: ")
    first, *lines = message.splitlines()
    assert result.returncode == 5
    assert first.endswith(" failed verification:")
    assert len(lines) == len(faults), lines
    assert all(line.startswith(fault) for line, fault in zip(lines, faults, strict=True)), lines
    assert effectful_commands(result) == []
    assert result.stdout == ""


def copy_manifest(name: str, old: str, new: str, end: bytes = b"") -> None:
    """Give a repository's manifest another tag, and other bytes where an end is added."""
    host, _, path = name.partition("/")
    manifest = ask(f"{host}/v2/{path}/manifests/{old}")
    kind = json.loads(manifest)["mediaType"]
    ask(f"{host}/v2/{path}/manifests/{new}", "PUT", manifest + end, kind)
