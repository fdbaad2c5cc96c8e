"""Without a key, only this repository's release workflow on main is believed.

GitHub's identity cannot be had here. A certificate as Sigstore issues it, from an authority of our
own, takes its place: what is run is the kit's own command, with the certificate authority to trust.
"""

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.deploy.rollout.signatures import DEPLOY_WORKFLOW
from pipeline.images.commands import cosign
from pipeline.images.commands.cosign import ISSUER, RELEASE_WORKFLOW, Signer
from tests.acceptance.signing.conftest import Make, sh
from tests.acceptance.signing.project import Project, completed
from tests.conftest import Result

OURS = Signer(repository="Octo-Org/Shop", branch="main")
IDENTITY = f"https://github.com/Octo-Org/Shop/.github/workflows/{RELEASE_WORKFLOW}@refs/heads/main"
AUTHORITY = ("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
             "-subj", "/O=test/CN=authority", "-keyout", "ca.key", "-out", "ca.pem",
             "-addext", "keyUsage=critical,keyCertSign,cRLSign")  # fmt: skip
# https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md
EXTENSIONS = f"""\
basicConstraints=critical,CA:FALSE
keyUsage=critical,digitalSignature
extendedKeyUsage=codeSigning
subjectAltName=critical,URI:{IDENTITY}
1.3.6.1.4.1.57264.1.1=DER:{ISSUER.encode().hex(":")}
1.3.6.1.4.1.57264.1.8=ASN1:UTF8String:{ISSUER}
"""
CERTIFIED = ("--certificate=leaf.pem", "--certificate-chain=ca.pem", "--tlog-upload=false")
TRUSTED = ("--ca-roots=ca.pem", "--insecure-ignore-sct", "--insecure-ignore-tlog")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a key, and a certificate of the workflow."""
    folder = tmp_path_factory.mktemp("authority")
    (folder / "extensions").write_text(EXTENSIONS)
    sh("cosign", "generate-key-pair", cwd=folder)
    sh("openssl", *AUTHORITY, cwd=folder)
    sh("openssl", "req", "-new", "-key", "ca.key", "-subj", "/", "-out", "leaf.csr", cwd=folder)
    sh("openssl", "x509", "-req", "-in", "leaf.csr", "-force_pubkey", "cosign.pub", "-CA", "ca.pem",
       "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "extensions", "-out", "leaf.pem",
       cwd=folder)  # fmt: skip
    return folder


@pytest.fixture(scope="module")
def signed(make: Make, tools: Path, authority: Path) -> str:
    """An image that the workflow signed."""
    project: Project = make(tools)
    completed(project.invoke("build", "push"))
    reference: str = project.released()["reference"]
    options = (
        "--yes",
        "--key=cosign.key",
        *cosign.signing_config_option(),
        *cosign.registry_options(reference),
    )
    sh("cosign", "sign", *options, *CERTIFIED, "--annotations=commit=abc", reference, cwd=authority)
    return reference


def verified(reference: str, signer: Signer, folder: Path) -> Result:
    *command, reference = cosign.verify(signer, reference, {"commit": "abc"})
    return subprocess.run(
        [*command, *TRUSTED, reference], cwd=folder, check=False, capture_output=True, text=True
    )


def test_the_workflow_of_this_repository_is_believed(signed: str, authority: Path) -> None:
    completed(verified(signed, OURS, authority))


@pytest.mark.parametrize(
    "other",
    [
        replace(OURS, repository="Mallory/Shop"),
        replace(OURS, repository="octo-org/shop"),
        replace(OURS, workflow=DEPLOY_WORKFLOW),
        replace(OURS, workflow="ci.yml"),
        replace(OURS, branch="feature"),
    ],
)
def test_another_repository_workflow_or_branch_is_not_and_case_counts(
    other: Signer, signed: str, authority: Path
) -> None:
    result = verified(signed, other, authority)
    assert result.returncode
    assert "none of the expected identities matched what was in the certificate" in result.stderr


def test_another_issuer_is_not(
    signed: str, authority: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is expected is changed rather than what signed, which comes to the same."""
    monkeypatch.setattr(cosign, "ISSUER", "https://accounts.example.com")
    result = verified(signed, OURS, authority)
    assert result.returncode
    assert "none of the expected identities matched what was in the certificate" in result.stderr
