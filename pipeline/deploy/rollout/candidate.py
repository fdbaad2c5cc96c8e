"""Resolve the release to deploy: its version, commit and images, by digest."""

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
from pipeline.images.targets import ImageRef, image_names, repository_for, require_tag


@dataclass(frozen=True)
class ReleaseCandidate:
    """A release to deploy: version, commit, and images by digest."""

    version: str
    commit: str
    images: Mapping[str, ImageRef]


def resolve_candidate(environment: Environment, release: str | None) -> ReleaseCandidate:
    """Return the release, with the digest of each image.

    Each tag is resolved only once, so a tag that moves later changes nothing.

    Args:
        environment: The target environment.
        release: A version tag or a commit; by default the commit that is checked out.

    Raises:
        InputError: The environment does not allow the ref, the worktree is not clean, the commit is
            unknown, or the version is not a valid image tag.
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
            f"{environment.name} allows {', '.join(environment.allowed_refs)}, not `{ref}`",
            hint="deploy from an allowed branch or tag, or change `allowed_refs` in pipeline.toml",
        )
    sha = commit.sha if release is None else resolve_commit(release, tag=version is not None)
    tag = f"sha-{sha[:12]}"
    names = image_names()
    with ThreadPoolExecutor() as pool:
        found = dict(zip(names, pool.map(lambda image: _tagged(image, tag), names), strict=True))
    return ReleaseCandidate(version or tag, sha, found)


def _tagged(image: str, tag: str) -> ImageRef:
    """Return an image by the digest that a tag has now."""
    name = repository_for(image)
    return ImageRef(f"{name}@{resolve_digest(f'{name}:{tag}')}")


def require_clean_worktree(commit: Commit) -> None:
    """Refuse to deploy HEAD while files have uncommitted changes.

    Raises:
        InputError: Files were changed.
    """
    if not commit.clean:
        raise InputError(
            "the worktree has uncommitted changes, which no image contains",
            hint="git status; git commit or git stash",
        )


def create_release(
    environment: Environment, found: ReleaseCandidate, credentials: Mapping[str, str]
) -> Release:
    """Return a candidate with a deploy id and the names of its secrets."""
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
    """Return the journal record of a new deployment."""
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
