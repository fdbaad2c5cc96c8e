"""Verify signatures and attestations of a release, and attest where it was deployed."""

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
from pipeline.images.targets import ImageRef, is_built
from pipeline.images.tools import command_output
from pipeline.images.verification import verify
from pipeline.process import capture

DEPLOY_WORKFLOW = "deploy.yml"
"""The workflow whose identity attests deployments."""


def verify_candidate(
    environment: Environment, found: ReleaseCandidate, signer: Signer, live: DeploymentRecord | None
) -> None:
    """Refuse images without a signature or an attestation, and versions of another release.

    Args:
        environment: The target environment.
        found: The release to deploy.
        signer: The required signer.
        live: The live release; third-party images that it also runs are not verified again.

    Raises:
        VerificationError: Lists every fault of each image.
    """
    known = _unchanged_images(found, live)
    if known and live:
        log(f"already verified when {live.version} was deployed: {', '.join(known)}")
    new = [reference for image, reference in found.images.items() if image not in known]
    verify(new, signer, found.commit, allow_unscanned=environment.is_local)
    require_unused_tags(version_tags(found))
    if environment.promote_from:
        _require_deployed_to(environment.promote_from, found, signer)


def _unchanged_images(found: ReleaseCandidate, live: DeploymentRecord | None) -> list[str]:
    """Return the third-party images that the live release runs with the same digest and name.

    They were verified when that release was deployed. Their scan may be too old by now, or the key
    may have changed; but they run already, and refusing the next release would not change that. The
    name is compared too, because a tag could point back to an older image.
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
    except InputError:  # a shallow clone may lack the live commit
        return []


def version_tags(found: ReleaseCandidate) -> dict[str, str]:
    """Return the version tags of a candidate, each with its digest."""
    if not found.version.startswith("v"):
        return {}
    return {f"{ref.repository}:{found.version}": ref.digest for ref in found.images.values()}


def _require_deployed_to(after: str, found: ReleaseCandidate, signer: Signer) -> None:
    """Refuse a release without an attestation that it served in another environment.

    Raises:
        VerificationError: Names an image without that attestation.
    """
    deployer = replace(signer, workflow=DEPLOY_WORKFLOW)
    ours = built_images(found)
    commands = [
        cosign.verify_attestation(deployer, each, deployment_predicate_type(after)) for each in ours
    ]
    with ThreadPoolExecutor() as pool:
        answers = [*pool.map(capture, commands)]
    for reference, answer in zip(ours, answers, strict=True):
        if answer.returncode:
            raise VerificationError(
                f"{reference} has not served in {after}",
                hint=f"invoke deploy --env={after} --release={found.version}",
            )


def attest_deployment(environment: Environment, found: ReleaseCandidate, signer: Signer) -> None:
    """Sign an attestation that a release serves in an environment.

    Raises:
        CheckFailedError: Signing failed.
    """
    content = {"environment": environment.name, "version": found.version, "at": utc_now()}
    with TemporaryDirectory() as folder:
        predicate = Path(folder, "deployed.json")
        predicate.write_text(json.dumps(content))
        kind = deployment_predicate_type(environment.name)
        commands = [cosign.attest(signer, each, kind, predicate) for each in built_images(found)]
        with ThreadPoolExecutor() as pool:
            [*pool.map(command_output, commands)]


def built_images(found: ReleaseCandidate) -> list[ImageRef]:
    """Return the images of a candidate that this repository builds."""
    return [reference for image, reference in found.images.items() if is_built(image)]


def deployment_predicate_type(environment: str) -> str:
    """Return the predicate type of a deployment attestation."""
    return f"urn:deployed-to:{environment}"
