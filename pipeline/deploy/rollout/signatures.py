"""Ask who signed a release, before it is deployed; and state, signed, where it has served."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from pipeline.deploy.confirmation import utc_now
from pipeline.deploy.progress import log
from pipeline.deploy.rollout.candidate import ReleaseCandidate
from pipeline.deploy.state.journal import DeploymentRecord
from pipeline.environments import Environment
from pipeline.errors import InputError, VerificationError
from pipeline.images.commands import cosign
from pipeline.images.commands.cosign import Signer
from pipeline.images.pin import pinned_reference
from pipeline.images.signing import require_unused_tags
from pipeline.images.targets import is_built, split_digest
from pipeline.images.tools import command_output
from pipeline.images.verification import verify
from pipeline.process import capture

DEPLOY_WORKFLOW = "deploy.yml"
"""The workflow that deploys to what comes before production, and says so."""


def verify_candidate(
    environment: Environment, found: ReleaseCandidate, signer: Signer, live: DeploymentRecord | None
) -> None:
    """Refuse images that are not signed, or lack a statement, or whose version is another's.

    Args:
        environment: Where they are to go.
        found: What is to be deployed.
        signer: Who has to have signed.
        live: What is live there: images of others that it has as well are not verified again.

    Raises:
        UntrustedError: Names everything that is wrong with each of them.
    """
    known = unchanged_images(found, live)
    if known and live:
        log(f"verified when {live.version} was deployed, and not again: {', '.join(known)}")
    new = [reference for image, reference in found.images.items() if image not in known]
    verify(new, signer, found.commit, unjudged=environment.is_local)
    require_unused_tags(version_tags(found))
    if environment.promote_from:
        require_deployed_to(environment.promote_from, found, signer)


def unchanged_images(found: ReleaseCandidate, live: DeploymentRecord | None) -> list[str]:
    """Return the images of others that the live release has by the same digest and name.

    They were verified when it was deployed, and a digest stays what it is. Their scan may be too
    old by now, or the key another one; but they run already, and to refuse the next release would
    not end that. The name is compared since a tag could lead back to an older image.
    """
    if live is None:
        return []
    others = [image for image in found.images if not is_built(image)]
    same = [image for image in others if live.images.get(image) == found.images[image]]
    try:
        return [
            image
            for image in same
            if pinned_reference(image, found.commit) == pinned_reference(image, live.commit)
        ]
    except InputError:  # the commit that is live is not here
        return []


def version_tags(found: ReleaseCandidate) -> dict[str, str]:
    """Return the names of a candidate with a version, and the digest that each is to stand for."""
    if not found.version.startswith("v"):
        return {}
    references = [split_digest(reference) for reference in found.images.values()]
    return {f"{name}:{found.version}": digest for name, digest in references}


def require_deployed_to(after: str, found: ReleaseCandidate, signer: Signer) -> None:
    """Refuse what has not served in another environment.

    Raises:
        UntrustedError: It has not, by any statement that the signer's deployments made.
    """
    deployer = replace(signer, workflow=DEPLOY_WORKFLOW)
    ours = built_images(found)
    asked = [
        cosign.verify_attestation(deployer, each, deployment_predicate_type(after)) for each in ours
    ]
    with ThreadPoolExecutor() as pool:
        answers = [*pool.map(capture, asked)]
    for reference, said in zip(ours, answers, strict=True):
        if said.returncode:
            raise VerificationError(
                f"{reference} has not served in {after}",
                hint=f"invoke deploy --env={after} --release={found.version}",
            )


def attest_deployment(environment: Environment, found: ReleaseCandidate, signer: Signer) -> None:
    """State, signed, that a release serves in an environment.

    Raises:
        CheckFailedError: It cannot be signed.
    """
    content = {"environment": environment.name, "version": found.version, "at": utc_now()}
    with TemporaryDirectory() as folder:
        predicate = Path(folder, "deployed.json")
        predicate.write_text(json.dumps(content))
        kind = deployment_predicate_type(environment.name)
        stating = [cosign.attest(signer, each, kind, predicate) for each in built_images(found)]
        with ThreadPoolExecutor() as pool:
            [*pool.map(command_output, stating)]


def built_images(found: ReleaseCandidate) -> list[str]:
    """Return the images of a candidate that are built here."""
    return [reference for image, reference in found.images.items() if is_built(image)]


def deployment_predicate_type(environment: str) -> str:
    """Return the type of the statement that a release serves in an environment."""
    return f"urn:deployed-to:{environment}"
