"""The command lines of Cosign 2 and 3, which sign digests and verify signatures.

Without a key Cosign signs with the identity of the workflow that runs
(https://docs.sigstore.dev/cosign/signing/overview/); with a key it needs no service.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pipeline.config import main_branch
from pipeline.errors import InputError
from pipeline.git import local_branch_ref, origin_repository
from pipeline.images.targets import Command, is_local
from pipeline.process import capture

ISSUER = "https://token.actions.githubusercontent.com"
RELEASE_WORKFLOW = "image-release.yml"
"""The workflow that signs the images of the main branch."""


@dataclass(frozen=True)
class Signer:
    """The identity that signs: a workflow on a branch of a repository, or a key."""

    key: Path | None = None
    repository: str | None = None
    workflow: str = RELEASE_WORKFLOW
    branch: str = ""

    @property
    def sign_options(self) -> Command:
        """Options of `cosign sign` and `cosign attest`."""
        if self.key is None:
            return ("--yes",)
        return ("--yes", f"--key={self.key}", "--tlog-upload=false", *signing_config_option())

    @property
    def verify_options(self) -> Command:
        """Options of `cosign verify` that accept this signer only."""
        if self.key is None:
            workflows = f"https://github.com/{self.repository}/.github/workflows"
            identity = f"{workflows}/{self.workflow}@{local_branch_ref(self.branch)}"
            return (f"--certificate-identity={identity}", f"--certificate-oidc-issuer={ISSUER}")
        return (f"--key={self.key.with_suffix('.pub')}", "--insecure-ignore-tlog=true")


def resolve_signer(key: str | None) -> Signer:
    """Return the signer for this machine.

    Args:
        key: Path of a private key, with the public key next to it as `.pub`; by default COSIGN_KEY,
            and without that variable the workflow of this repository.

    Raises:
        InputError: There is no public key, or neither a key nor a repository on GitHub.
    """
    if path := key or os.environ.get("COSIGN_KEY"):
        if not Path(path).with_suffix(".pub").is_file():
            raise InputError(
                f"there is no public key next to `{path}`",
                hint="cosign generate-key-pair",
            )
        return Signer(key=Path(path))
    repository = origin_repository()
    if repository is None:
        raise InputError(
            "there is no key, and git has no remote `origin` on GitHub",
            hint="git remote add origin …, or give --key=cosign.key",
        )
    return Signer(repository=repository, branch=main_branch())


def sign(signer: Signer, reference: str, annotations: Mapping[str, str]) -> Command:
    """Sign a digest with annotations."""
    options = [f"--annotations={name}={value}" for name, value in annotations.items()]
    return (
        "cosign",
        "sign",
        *signer.sign_options,
        *registry_options(reference),
        *options,
        reference,
    )


def attest(signer: Signer, reference: str, kind: str, predicate: Path) -> Command:
    """Attest a predicate file of a digest."""
    statement = (f"--type={kind}", f"--predicate={predicate}")
    return (
        "cosign",
        "attest",
        *signer.sign_options,
        *registry_options(reference),
        *statement,
        reference,
    )


def verify(signer: Signer, reference: str, annotations: Mapping[str, str]) -> Command:
    """Verify the signature of a digest and its annotations."""
    options = [f"--annotations={name}={value}" for name, value in annotations.items()]
    return (
        "cosign",
        "verify",
        *signer.verify_options,
        *registry_options(reference),
        *options,
        reference,
    )


def verify_attestation(signer: Signer, reference: str, kind: str) -> Command:
    """Verify an attestation of a digest, and print it."""
    statement = f"--type={kind}"
    options = (*signer.verify_options, *registry_options(reference), statement)
    return ("cosign", "verify-attestation", *options, reference)


def registry_options(reference: str) -> Command:
    """Return the options for a registry on this machine, which uses HTTP."""
    local = ("--allow-http-registry", "--allow-insecure-registry")
    return local if is_local(reference) else ()


@cache
def signing_config_option() -> Command:
    """Return the option that disables the services of Cosign 3; Cosign 2.5 has no such option."""
    flag = "--use-signing-config"
    return (f"{flag}=false",) if flag in capture(["cosign", "sign", "--help"]).stdout else ()
