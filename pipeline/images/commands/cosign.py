"""The command lines of Cosign 2 and 3, which sign digests and check signatures.

Without a key Cosign signs as the workflow that runs
(https://docs.sigstore.dev/cosign/signing/overview/); with one it signs on a laptop, and asks no
service.
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
"""The workflow that signs what the main branch has built."""


@dataclass(frozen=True)
class Signer:
    """Who signs: a workflow on a branch of a repository, or who has a key."""

    key: Path | None = None
    repository: str | None = None
    workflow: str = RELEASE_WORKFLOW
    branch: str = ""

    @property
    def sign_options(self) -> Command:
        """The options that make a signature."""
        if self.key is None:
            return ("--yes",)
        return ("--yes", f"--key={self.key}", "--tlog-upload=false", *signing_config_option())

    @property
    def verify_options(self) -> Command:
        """The options that accept this signer and no other."""
        if self.key is None:
            workflows = f"https://github.com/{self.repository}/.github/workflows"
            identity = f"{workflows}/{self.workflow}@{local_branch_ref(self.branch)}"
            return (f"--certificate-identity={identity}", f"--certificate-oidc-issuer={ISSUER}")
        return (f"--key={self.key.with_suffix('.pub')}", "--insecure-ignore-tlog=true")


def resolve_signer(key: str | None) -> Signer:
    """Return who signs here.

    Args:
        key: The file of a private key, its public half beside it as `.pub`; COSIGN_KEY, if not
            given; and if that is not set either, the workflow of this repository signs.

    Raises:
        InputError: There is no such key, or nobody to sign.
    """
    if path := key or os.environ.get("COSIGN_KEY"):
        if not Path(path).with_suffix(".pub").is_file():
            raise InputError(
                f"there is no public key beside `{path}`",
                hint="cosign generate-key-pair makes both halves",
            )
        return Signer(key=Path(path))
    repository = origin_repository()
    if repository is None:
        raise InputError(
            "nobody is known who signs: git has no remote `origin` on GitHub, and there is no key",
            hint="git remote add origin …, or give --key=cosign.key",
        )
    return Signer(repository=repository, branch=main_branch())


def sign(signer: Signer, reference: str, annotations: Mapping[str, str]) -> Command:
    """Sign a digest, and what is said of it."""
    said = [f"--annotations={name}={value}" for name, value in annotations.items()]
    return ("cosign", "sign", *signer.sign_options, *registry_options(reference), *said, reference)


def attest(signer: Signer, reference: str, kind: str, predicate: Path) -> Command:
    """Sign a statement about a digest."""
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
    """Check that a digest is signed, and that this was said of it."""
    said = [f"--annotations={name}={value}" for name, value in annotations.items()]
    return (
        "cosign",
        "verify",
        *signer.verify_options,
        *registry_options(reference),
        *said,
        reference,
    )


def verify_attestation(signer: Signer, reference: str, kind: str) -> Command:
    """Check that a statement about a digest is signed, and print it."""
    statement = f"--type={kind}"
    options = (*signer.verify_options, *registry_options(reference), statement)
    return ("cosign", "verify-attestation", *options, reference)


def registry_options(reference: str) -> Command:
    """Return the options for a registry on this machine, which speaks HTTP."""
    local = ("--allow-http-registry", "--allow-insecure-registry")
    return local if is_local(reference) else ()


@cache
def signing_config_option() -> Command:
    """Return the option that keeps Cosign 3 from fetching its services; Cosign 2.5 has none."""
    flag = "--use-signing-config"
    return (f"{flag}=false",) if flag in capture(["cosign", "sign", "--help"]).stdout else ()
