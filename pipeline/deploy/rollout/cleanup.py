"""Remove what no kept release needs any more: by name, and only what is this stack's own.

With it go the sessions of users that have expired, which nothing else removes from the database.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from pipeline.deploy.cluster.client import JSONObject, SwarmClient, service_image
from pipeline.deploy.cluster.one_shot_jobs import finish, job_for_service, running_job
from pipeline.deploy.progress import log, timed_step
from pipeline.deploy.rollout.assets import prune as prune_assets
from pipeline.deploy.signals import raise_on_signal
from pipeline.deploy.state import journal
from pipeline.deploy.state.deploy_lock import CLEANUP, hold_lock
from pipeline.deploy.state.journal import DeploymentRecord
from pipeline.environments import Environment
from pipeline.images.targets import DIGEST_REFERENCE


def clean_up(swarm: SwarmClient, environment: Environment) -> None:
    """Prune, after a deployment: whatever comes of it, what was deployed serves.

    The lock is taken again for it, since a page that is laid meanwhile would be removed. The next
    deployment waits for it, and removes what is left where it did not come to its end.
    """
    try:
        with raise_on_signal(), hold_lock(swarm, environment.stack, CLEANUP):
            timed_step("cleanup", partial(prune_releases, swarm, environment))
    except (Exception, KeyboardInterrupt) as fault:  # noqa: BLE001 - nor do our own bugs undo it
        why = "interrupted" if isinstance(fault, KeyboardInterrupt) else fault
        log(f"not all that is old was removed, which the next deployment does: {why}")


def prune_releases(swarm: SwarmClient, environment: Environment) -> None:
    """Keep the last good releases with all that they need, and remove what only older ones did.

    Raises:
        CheckFailedError: Something cannot be removed.
    """
    known = journal.entries(swarm, environment.stack)
    kept = journal.prune(swarm, environment.stack)
    with clearing_expired_sessions(swarm, environment, journal.last_successful(kept)):
        if len(kept) < len(known):
            pages = [entry.images["frontend"] for entry in kept]
            prune_assets(swarm, environment, pages[-1], pages)
            running = all_services(swarm)
            remove_old_images(swarm, kept[0], running)
            remove_unused_secrets_and_configs(swarm, environment.stack, kept, running)


def remove_old_images(
    swarm: SwarmClient, oldest: DeploymentRecord, running: Sequence[JSONObject]
) -> None:
    """Remove images that are older than the oldest release that is kept, and nobody's any more.

    Of other nodes nothing can be removed from here. What a container that has ended still holds,
    the engine does not give up, and is tried again after the next deployment.
    """
    used = {service_image(service) for service in running} | journal.all_images(swarm)
    for reference in oldest.images.values():
        repository = reference.partition("@")[0]
        older = (f"--filter=reference={repository}", f"--filter=before={reference}")
        listed = swarm.run("image", "ls", *older, "--format={{.Repository}}@{{.Digest}}").stdout
        for image in listed.split():
            if DIGEST_REFERENCE.fullmatch(image) and image not in used:
                swarm.run("image", "rm", image)


def remove_unused_secrets_and_configs(
    swarm: SwarmClient, stack: str, kept: Sequence[DeploymentRecord], running: Sequence[JSONObject]
) -> None:
    """Remove the secrets and configurations that no kept release and no service names.

    Raises:
        CheckFailedError: The engine does not say which there are.
    """
    named = {name for entry in kept for name in secret_names(entry)}
    for kind, field in (("secret", "Secrets"), ("config", "Configs")):
        mounted = {name for service in running for name in mounted_names(service, field)}
        option = f"--filter=label=pipeline.stack={stack}"
        for name in swarm.check_output(kind, "ls", option, "--format={{.Name}}").split():
            if name not in mounted | named and is_content_addressed(name, stack):
                swarm.run(kind, "rm", name)


@contextmanager
def clearing_expired_sessions(
    swarm: SwarmClient, environment: Environment, live: DeploymentRecord | None
) -> Iterator[None]:
    """Have the release that serves remove the sessions that have expired, beside the block.

    Raises:
        JobFailedError: It cannot, or takes longer than a migration may.
    """
    if live is None:
        yield
        return
    command = ["python", "manage.py", "clearsessions"]
    job = job_for_service(environment.stack, "sessions", live.services["backend"], command)
    with running_job(swarm, environment.stack, job):
        yield
        finish(swarm, environment, job, environment.timings.migrate_timeout)


def all_services(swarm: SwarmClient) -> list[JSONObject]:
    """Return all services of the engine, whosever they are."""
    return swarm.inspect("service", *swarm.check_output("service", "ls", "--quiet").split())


def mounted_names(service: JSONObject, field: str) -> list[str]:
    """Return the names of the secrets or configurations that a service has."""
    mounted = service["Spec"]["TaskTemplate"]["ContainerSpec"].get(field) or []
    return [entry[f"{field[:-1]}Name"] for entry in mounted]


def secret_names(entry: DeploymentRecord) -> Iterable[str]:
    """Return the names of the secrets of a release."""
    for service in entry.services.values():
        yield from (secret["source"] for secret in service["secrets"])


def is_content_addressed(name: str, stack: str) -> bool:
    """Say whether a name is this stack's, and ends with what its content hashes to."""
    return re.fullmatch(rf"{stack}-.+-[0-9a-f]{{8}}", name) is not None
