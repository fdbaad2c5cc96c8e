"""Find everything wrong with a deployment before anything is touched, and all of it at once."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from pipeline.deploy.cluster.stackfile import Release, new_deploy_id
from pipeline.deploy.confirmation import current_actor, utc_now
from pipeline.deploy.environment_secrets import secret_object_name
from pipeline.deploy.state.journal import DeploymentRecord
from pipeline.environments import Environment
from pipeline.errors import InputError
from pipeline.git import Commit, current_ref, head, resolve_commit
from pipeline.images.registry import resolve_digest
from pipeline.images.targets import image_names, repository_for, require_tag


@dataclass(frozen=True)
class ReleaseCandidate:
    """What is to be deployed: a version, the commit that it is, and its images by digest."""

    version: str
    commit: str
    images: Mapping[str, str]


def resolve_candidate(environment: Environment, release: str | None) -> ReleaseCandidate:
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
        require_clean_worktree(commit)
    version = release if release and release.startswith("v") else None
    if version:
        require_tag(version)
    ref = version or current_ref()
    if not environment.allows_ref(ref):
        raise InputError(
            f"{environment.name} takes {', '.join(environment.allowed_refs)}, not `{ref}`",
            hint="deploy from such a branch or tag, or correct `refs` in pipeline.toml",
        )
    sha = commit.sha if release is None else resolve_commit(release, tag=version is not None)
    tag = f"sha-{sha[:12]}"
    names = image_names()
    with ThreadPoolExecutor() as pool:
        found = dict(zip(names, pool.map(lambda image: tagged(image, tag), names), strict=True))
    return ReleaseCandidate(version or tag, sha, found)


def tagged(image: str, tag: str) -> str:
    """Return the digest of an image that has a tag just now."""
    name = repository_for(image)
    return f"{name}@{resolve_digest(f'{name}:{tag}')}"


def require_clean_worktree(commit: Commit) -> None:
    """Refuse to deploy a commit that is not all there is.

    Raises:
        InputError: Files were changed.
    """
    if not commit.clean:
        raise InputError(
            "the tree holds changes that no commit has, so that no image has them either",
            hint="git status; git commit or git stash",
        )


def create_release(
    environment: Environment, found: ReleaseCandidate, credentials: Mapping[str, str]
) -> Release:
    """Return a candidate as this deployment of it."""
    names = [name for name in environment.app_secrets if name in credentials]
    return Release(
        deploy_id=new_deploy_id(),
        version=found.version,
        commit=found.commit,
        images=found.images,
        secrets={
            name: secret_object_name(environment.stack, name, credentials[name]) for name in names
        },
    )


def new_record(
    release: Release,
    services: Mapping[str, object],
    known: Sequence[DeploymentRecord],
    kind: str,
    restores: int = 0,
) -> DeploymentRecord:
    """Return what the journal is to say of a deployment."""
    return DeploymentRecord(
        number=known[-1].number + 1 if known else 1,
        kind=kind,
        by=current_actor(),
        started=utc_now(),
        deploy_id=release.deploy_id,
        version=release.version,
        commit=release.commit,
        images=dict(release.images),
        services=dict(services),
        restores=restores,
    )
