"""Remove what no kept release needs any more: by name, and only what is this stack's own."""

import re
from collections.abc import Iterable, Sequence

from pipeline.deploy import journal
from pipeline.deploy.assets import prune as prune_assets
from pipeline.deploy.environments import Environment
from pipeline.deploy.journal import Entry
from pipeline.deploy.progress import say
from pipeline.deploy.swarm import Object, Swarm, image_of
from pipeline.errors import PipelineError


def prune(swarm: Swarm, environment: Environment) -> None:
    """Keep the last good releases with all that they need, and remove what only older ones did.

    A fault here is said, and nothing else: what was deployed serves.
    """
    try:
        known = journal.entries(swarm, environment.stack)
        kept = journal.prune(swarm, environment.stack)
        forgotten = known[: len(known) - len(kept)]
        if forgotten:
            remove(swarm, environment, kept, forgotten)
    except PipelineError as error:
        say(f"not all that is old was removed: {error}")


def remove(
    swarm: Swarm, environment: Environment, kept: Sequence[Entry], forgotten: Sequence[Entry]
) -> None:
    """Remove what forgotten releases left: assets, images, secrets and configurations.

    Raises:
        CheckFailedError: Something could not be removed.
    """
    pages = [entry.images["frontend"] for entry in kept]
    prune_assets(swarm, environment, pages[-1], pages)
    running = services(swarm)
    used = {image_of(service) for service in running} | set(journal.all_images(swarm))
    for image in sorted({image for entry in forgotten for image in entry.images.values()} - used):
        swarm.ask("image", "rm", image)  # of other nodes nothing can be removed from here
    named = {name for entry in kept for name in secrets_of(entry)}
    label = f"pipeline.stack={environment.stack}"
    for kind, field in (("secret", "Secrets"), ("config", "Configs")):
        mounted = {name for service in running for name in names(service, field)}
        listed = swarm.tell(kind, "ls", f"--filter=label={label}", "--format={{.Name}}").split()
        for name in listed:
            if name not in mounted | named and is_hashed(name, environment.stack):
                swarm.ask(kind, "rm", name)


def services(swarm: Swarm) -> list[Object]:
    """Return all services of the engine, whosever they are."""
    return swarm.inspect("service", *swarm.tell("service", "ls", "--quiet").split())


def names(service: Object, field: str) -> list[str]:
    """Return the names of the secrets or configurations that a service has."""
    mounted = service["Spec"]["TaskTemplate"]["ContainerSpec"].get(field) or []
    return [entry[f"{field[:-1]}Name"] for entry in mounted]


def secrets_of(entry: Entry) -> Iterable[str]:
    """Return the names of the secrets of a release."""
    for service in entry.services.values():
        yield from (secret["source"] for secret in service["secrets"])


def is_hashed(name: str, stack: str) -> bool:
    """Say whether a name is this stack's, and ends with what its content hashes to."""
    return re.fullmatch(rf"{stack}-.+-[0-9a-f]{{8}}", name) is not None
