"""For each problem of an image `invoke verify` exits with 5, names it, and changes nothing.

Each case is a repository of its own in the registry, with the same image, complete but for one
thing. Signatures and attestations are the real Cosign's.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.images.commands import cosign
from pipeline.images.commands.cosign import Signer
from pipeline.images.inspection import NOT_SCANNED
from pipeline.images.registry import resolve_digest
from pipeline.images.verification import ATTESTATIONS
from tests.acceptance.signing.conftest import Make, ask, sh, tags
from tests.acceptance.signing.images import (
    KINDS,
    add_all_attestations,
    assert_refused,
    attest,
    copy_manifest,
    platform_image,
    published,
    scanned,
    sign,
    verify,
)
from tests.acceptance.signing.project import AMD, ARM, Project, completed, effectful_commands


@pytest.fixture(scope="module")
def project(make: Make, scanner: Path) -> Project:
    """A project with an image that is pushed for two platforms, and not signed."""
    project = make(scanner)
    for platform in (AMD, ARM):
        project.configure([platform])
        project.commit()
        option = f"--platform={platform}"
        completed(project.invoke("build", option, "sbom", option, "scan", option, "push"))
    project.configure([AMD])
    return project


@pytest.fixture(scope="module")
def ours(keys: Path) -> Signer:
    return Signer(key=keys / "ours.key")


def test_an_image_that_nothing_is_wrong_with_is_named(project: Project, ours: Signer) -> None:
    reference = add_all_attestations(project, ours)
    assert completed(verify(project, reference)).stdout == f"{reference}\n"


def test_an_unsigned_image(project: Project, ours: Signer) -> None:
    reference = published(project)
    attest(project, reference, ours, KINDS)
    assert_refused(verify(project, reference), "signature: no signatures found")


def test_an_image_with_nothing_at_all(project: Project) -> None:
    missing = [f"{name} of {AMD}: no matching attestations" for name in ATTESTATIONS.values()]
    result = verify(project, published(project))
    assert_refused(result, "signature: no signatures found", *missing)


def test_what_another_key_signed(project: Project, ours: Signer, keys: Path) -> None:
    reference = published(project)
    attest(project, reference, ours, KINDS)
    sign(reference, Signer(key=keys / "other.key"), project.sha)
    assert_refused(
        verify(project, reference), "signature: no matching signatures: invalid signature"
    )


def test_what_another_key_attested(project: Project, ours: Signer, keys: Path) -> None:
    reference = published(project)
    attest(project, reference, ours, [kind for kind in KINDS if kind != "vuln"])
    attest(project, reference, Signer(key=keys / "other.key"), ["vuln"])
    sign(reference, ours, project.sha)
    fault = f"scan of {AMD}: none of the attestations matched the predicate type: vuln"
    assert_refused(verify(project, reference), fault)


@pytest.mark.parametrize("kind", KINDS)
def test_a_missing_attestation(kind: str, project: Project, ours: Signer) -> None:
    reference = published(project)
    attest(project, reference, ours, [other for other in KINDS if other != kind])
    sign(reference, ours, project.sha)
    fault = f"{ATTESTATIONS[kind]} of {AMD}: none of the attestations matched the predicate type"
    assert_refused(verify(project, reference), fault)


def test_exceptions_that_were_promised_and_are_not_there(project: Project, ours: Signer) -> None:
    reference = published(project)
    attest(project, reference, ours, KINDS)
    sign(reference, ours, project.sha, excepted=True)
    fault = f"exceptions of {AMD}: none of the attestations matched the predicate type: openvex"
    assert_refused(verify(project, reference), fault)
    paper = project.folder / "dist" / "vex.json"
    paper.write_text('{"@context": "https://openvex.dev/ns/v0.2.0", "statements": []}')
    sh(*cosign.attest(ours, platform_image(reference), "openvex", paper))
    completed(verify(project, reference))


def test_what_was_signed_as_another_commit(project: Project, ours: Signer) -> None:
    reference = published(project)
    attest(project, reference, ours, KINDS)
    sign(reference, ours, "0" * 40)
    fault = "signature: no matching signatures: missing or incorrect annotation"
    assert_refused(verify(project, reference), fault)


def test_the_signature_of_another_digest(project: Project, ours: Signer) -> None:
    """The signature is moved to where Cosign looks for that of another image in its repository."""
    reference = published(project)
    name = reference.partition("@")[0]
    copy_manifest(name, "1", "2", end=b"\n")
    other = f"{name}@{resolve_digest(f'{name}:2')}"
    assert other != reference
    attest(project, reference, ours, KINDS)
    sign(reference, ours, project.sha)
    old, new = (f"{whole.partition('@')[2].replace(':', '-')}.sig" for whole in (reference, other))
    copy_manifest(name, old, new)
    fault = "signature: no matching signatures: invalid or missing digest in claim"
    assert_refused(verify(project, other), fault)


def test_a_manifest_that_was_deleted_though_its_signature_is_there(
    project: Project, ours: Signer
) -> None:
    reference = add_all_attestations(project, ours)
    host, _, name = reference.partition("@")[0].partition("/")
    ask(f"{host}/v2/{name}/manifests/{reference.partition('@')[2]}", "DELETE")
    assert [tag for tag in tags(f"{host}/{name}") if tag.endswith(".sig")]
    assert_refused(verify(project, reference), "its manifest cannot be read: ")


def test_an_old_scan(project: Project, ours: Signer) -> None:
    reference = published(project)
    attest(project, reference, ours, [kind for kind in KINDS if kind != "vuln"])
    sign(reference, ours, project.sha)
    then = (datetime.now(UTC) - timedelta(days=8)).isoformat()
    scanned(project, reference, ours, {"metadata": {"scanStartedOn": then, "scanFinishedOn": then}})
    assert_refused(verify(project, reference), f"scan of {AMD}: it is older than 7 days")
    scanned(project, reference, ours, {})
    completed(verify(project, reference))


def test_a_scan_by_nobody_is_for_this_machine_only(project: Project, ours: Signer) -> None:
    reference = published(project)
    attest(project, reference, ours, [kind for kind in KINDS if kind != "vuln"])
    sign(reference, ours, project.sha)
    scanned(
        project, reference, ours, {"scanner": {"result": {NOT_SCANNED: "there was no scanner"}}}
    )
    assert_refused(verify(project, reference), f"scan of {AMD}: no scanner ran")
    completed(verify(project, reference, "--env=local"))


def test_an_image_for_another_architecture(project: Project, ours: Signer) -> None:
    reference = published(project, ARM)
    attest(project, reference, ours, KINDS)
    sign(reference, ours, project.sha)
    assert_refused(verify(project, reference), f"it is not for {AMD}, only for {ARM}")
    completed(verify(project, reference, "--env=local"))


def test_a_tag_is_not_even_looked_at(project: Project) -> None:
    result = verify(project, f"{published(project).partition('@')[0]}:1")
    assert result.returncode == 2
    assert "does not name an image by its digest" in result.stderr
    assert effectful_commands(result) == []
