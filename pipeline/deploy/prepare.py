"""Find everything wrong with a deployment before anything is touched, and all of it at once."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from pipeline.deploy.credentials import object_name
from pipeline.deploy.journal import Entry
from pipeline.deploy.people import actor, now
from pipeline.deploy.stack import Release, new_id
from pipeline.environments import Environment
from pipeline.errors import InputError, UntrustedError
from pipeline.git import Commit, branch, head, resolved
from pipeline.images import cosign
from pipeline.images.act import answer
from pipeline.images.cosign import Signer
from pipeline.images.manifests import digest_of
from pipeline.images.names import by_digest, images, is_built, repository, require_tag
from pipeline.images.release import require_free
from pipeline.images.trust import verify
from pipeline.run import read

DEPLOYMENTS = "deploy.yml"
"""The workflow that deploys to what comes before production, and says so."""


@dataclass(frozen=True)
class Candidate:
    """What is to be deployed: a version, the commit that it is, and its images by digest."""

    version: str
    commit: str
    images: Mapping[str, str]


def candidate(environment: Environment, release: str | None) -> Candidate:
    """Return what is asked for, each image's digest looked up once.

    Args:
        environment: Where it is to go.
        release: A version tag or a commit; the commit that is checked out, if not given.

    Raises:
        InputError: The ref may not go there, the tree is not clean, there is no such commit, or no
            image can bear that version.
        CheckFailedError: The registry has no such images.
    """
    commit = head()
    if release is None:
        require_clean(commit)
    version = release if release and release.startswith("v") else None
    if version:
        require_tag(version)
    ref = version or branch()
    if not environment.allows(ref):
        raise InputError(
            f"{environment.name} takes {', '.join(environment.refs)}, not `{ref}`",
            hint="deploy from such a branch or tag, or correct `refs` in pipeline.toml",
        )
    sha = commit.sha if release is None else resolved(release, tag=version is not None)
    tag = f"sha-{sha[:12]}"
    references = {image: repository(image) for image in images()}
    found = {image: f"{name}@{digest_of(f'{name}:{tag}')}" for image, name in references.items()}
    return Candidate(version or tag, sha, found)


def require_clean(commit: Commit) -> None:
    """Refuse to deploy a commit that is not all there is.

    Raises:
        InputError: Files were changed.
    """
    if not commit.clean:
        raise InputError(
            "the tree holds changes that no commit has, so that no image has them either",
            hint="git status; git commit or git stash",
        )


def trust(environment: Environment, found: Candidate, signer: Signer) -> None:
    """Refuse images that are not signed, or lack a statement, or whose version is another's.

    Raises:
        UntrustedError: Names everything that is wrong with the first of them.
    """
    for reference in found.images.values():
        verify(reference, signer, found.commit, unjudged=environment.is_local)
    require_free(versions(found))
    if environment.after:
        require_vouched(environment.after, found, signer)


def versions(found: Candidate) -> dict[str, str]:
    """Return the names of a candidate with a version, and the digest that each is to stand for."""
    if not found.version.startswith("v"):
        return {}
    references = [by_digest(reference) for reference in found.images.values()]
    return {f"{name}:{found.version}": digest for name, digest in references}


def require_vouched(after: str, found: Candidate, signer: Signer) -> None:
    """Refuse what has not served in another environment.

    Raises:
        UntrustedError: It has not, by any statement that the signer's deployments made.
    """
    deployer = replace(signer, workflow=DEPLOYMENTS)
    for reference in our_own(found):
        if read(cosign.verify_attestation(deployer, reference, statement_of(after))).returncode:
            raise UntrustedError(
                f"{reference} has not served in {after}",
                hint=f"invoke deploy --env={after} --release={found.version}",
            )


def vouch(environment: Environment, found: Candidate, signer: Signer) -> None:
    """State, signed, that a release serves in an environment.

    Raises:
        CheckFailedError: It cannot be signed.
    """
    content = {"environment": environment.name, "version": found.version, "at": now()}
    with TemporaryDirectory() as folder:
        predicate = Path(folder, "deployed.json")
        predicate.write_text(json.dumps(content))
        for reference in our_own(found):
            answer(cosign.attest(signer, reference, statement_of(environment.name), predicate))


def our_own(found: Candidate) -> list[str]:
    """Return the images of a candidate that are built here."""
    return [reference for image, reference in found.images.items() if is_built(image)]


def statement_of(environment: str) -> str:
    """Return the type of the statement that a release serves in an environment."""
    return f"urn:deployed-to:{environment}"


def release_of(
    environment: Environment, found: Candidate, credentials: Mapping[str, str]
) -> Release:
    """Return a candidate as this deployment of it."""
    names = [name for name in environment.for_the_app if name in credentials]
    return Release(
        deploy_id=new_id(),
        version=found.version,
        commit=found.commit,
        images=found.images,
        secrets={name: object_name(environment.stack, name, credentials[name]) for name in names},
    )


def entry_of(
    release: Release,
    services: Mapping[str, object],
    known: Sequence[Entry],
    kind: str,
    restores: int = 0,
) -> Entry:
    """Return what the journal is to say of a deployment."""
    return Entry(
        number=known[-1].number + 1 if known else 1,
        kind=kind,
        by=actor(),
        started=now(),
        deploy_id=release.deploy_id,
        version=release.version,
        commit=release.commit,
        images=dict(release.images),
        services=dict(services),
        restores=restores,
    )
