"""Remove assets, images, secrets and configs that no kept release of the stack needs.

The cleanup also removes expired sessions of users from the database.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from pipeline.config import load
from pipeline.deploy.cluster.client import JSONObject, SwarmClient, service_image
from pipeline.deploy.cluster.deploy_target import DeployTarget
from pipeline.deploy.cluster.management_commands import management_arguments
from pipeline.deploy.cluster.one_shot_jobs import finish, job_for_service, running_job
from pipeline.deploy.progress import log, timed_step
from pipeline.deploy.rollout.assets import prune as prune_assets
from pipeline.deploy.signals import raise_on_signal
from pipeline.deploy.state import journal
from pipeline.deploy.state.deploy_lock import CLEANUP, hold_lock
from pipeline.deploy.state.journal import DeploymentRecord
from pipeline.images.targets import is_digest_reference


def clean_up(target: DeployTarget) -> None:
    """Clean up after a deployment; a failure changes no exit code, because the release serves.

    The cleanup holds the deploy lock: it would delete the assets that another deployment publishes
    at the same time. The next deployment waits for it, and removes what an interrupted cleanup
    left.
    """
    try:
        with raise_on_signal(), hold_lock(target.swarm, target.stack, CLEANUP):
            timed_step("cleanup", partial(prune_releases, target))
    except (Exception, KeyboardInterrupt) as fault:  # noqa: BLE001 - a bug here must not fail the deploy
        why = "interrupted" if isinstance(fault, KeyboardInterrupt) else fault
        log(f"cleanup incomplete, the next deployment continues it: {why}")


def prune_releases(target: DeployTarget) -> None:
    """Keep the last good releases, and remove everything that only older releases need.

    Raises:
        CheckFailedError: Something cannot be removed.
    """
    known = journal.entries(target.swarm, target.stack)
    kept = journal.prune(target.swarm, target.stack)
    with _clearing_expired_sessions(target, journal.last_successful(kept)):
        if len(kept) < len(known):
            pages = [image for entry in kept if (image := entry.page_image)]
            if pages:
                prune_assets(target, pages[-1], pages)
            running = _all_services(target.swarm)
            _remove_old_images(target.swarm, kept[0], running)
            _remove_unused_secrets_and_configs(target.swarm, target.stack, kept, running)


def _remove_old_images(
    swarm: SwarmClient, oldest: DeploymentRecord, running: Sequence[JSONObject]
) -> None:
    """Remove unused images on this node that are older than the oldest kept release.

    Images of other nodes cannot be removed from here. The engine keeps an image of a stopped
    container; the next cleanup tries again.
    """
    used = {service_image(service) for service in running} | journal.all_images(swarm)
    for reference in oldest.images.values():
        older = (f"--filter=reference={reference.repository}", f"--filter=before={reference}")
        listed = swarm.run("image", "ls", *older, "--format={{.Repository}}@{{.Digest}}").stdout
        for image in listed.split():
            if is_digest_reference(image) and image not in used:
                swarm.run("image", "rm", image)


def _remove_unused_secrets_and_configs(
    swarm: SwarmClient, stack: str, kept: Sequence[DeploymentRecord], running: Sequence[JSONObject]
) -> None:
    """Remove the secrets and configs that no kept release and no service uses.

    Raises:
        CheckFailedError: The engine does not list them.
    """
    named = {name for entry in kept for name in _secret_names(entry)}
    for kind, field in (("secret", "Secrets"), ("config", "Configs")):
        mounted = {name for service in running for name in _mounted_names(service, field)}
        option = f"--filter=label=pipeline.stack={stack}"
        for name in swarm.check_output(kind, "ls", option, "--format={{.Name}}").split():
            if name not in mounted | named and is_content_addressed(name, stack):
                swarm.run(kind, "rm", name)


@contextmanager
def _clearing_expired_sessions(
    target: DeployTarget, live: DeploymentRecord | None
) -> Iterator[None]:
    """Run the job that removes expired sessions at the same time as the block.

    Raises:
        JobFailedError: The job failed, or took longer than the migrate timeout.
    """
    if live is None:
        yield
        return
    command = management_arguments(load().app.commands.clear_sessions)
    job = job_for_service(target.stack, "sessions", live.api, command)
    with running_job(target.swarm, target.stack, job):
        yield
        finish(target, job, target.environment.timings.migrate_timeout)


def _all_services(swarm: SwarmClient) -> list[JSONObject]:
    """Return all services of the engine, of every stack."""
    return swarm.inspect("service", *swarm.check_output("service", "ls", "--quiet").split())


def _mounted_names(service: JSONObject, field: str) -> list[str]:
    """Return the names of the secrets or configs that a service mounts."""
    mounted = service["Spec"]["TaskTemplate"]["ContainerSpec"].get(field) or []
    return [entry[f"{field[:-1]}Name"] for entry in mounted]


def _secret_names(entry: DeploymentRecord) -> Iterable[str]:
    """Return the names of the secrets of a release."""
    for service in entry.services.values():
        yield from (secret["source"] for secret in service["secrets"])


def is_content_addressed(name: str, stack: str) -> bool:
    """Return whether a name belongs to this stack and ends with a hash of its content."""
    return re.fullmatch(rf"{stack}-.+-[0-9a-f]{{8}}", name) is not None
