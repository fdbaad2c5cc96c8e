"""The files of pages, old and new, in a volume of each node, where the edge finds them.

Beside them lies, for each page, the list of its files; so it is known which are nobody's any more.
"""

from collections.abc import Iterable

from pipeline.deploy.jobs import Job, run_job, script_of
from pipeline.deploy.swarm import Swarm
from pipeline.environments import Environment

PUBLISH, PRUNE = "publish.sh", "prune.sh"


def publish(swarm: Swarm, environment: Environment, image: str) -> None:
    """Lay a page's files beside those of others, on every node.

    Raises:
        JobFailedError: A node could not.
    """
    on_every_node(swarm, environment, image, "assets", PUBLISH, page(image))


def prune(swarm: Swarm, environment: Environment, image: str, kept: Iterable[str]) -> None:
    """Remove the files that only other pages than these have, on every node.

    Args:
        swarm: Where.
        environment: Whose files.
        image: A frontend, whose shell does it.
        kept: The frontends of which all files stay.

    Raises:
        JobFailedError: A node could not.
    """
    pages = sorted({page(each) for each in kept})
    on_every_node(swarm, environment, image, "prune", PRUNE, *pages)


def on_every_node(
    swarm: Swarm, environment: Environment, image: str, name: str, script: str, *given: str
) -> None:
    """Run a script of deploy/ where the edge's files are, on every node.

    Raises:
        JobFailedError: A node could not.
    """
    stack = environment.stack
    volume = f"--mount=type=volume,source={stack}-assets,destination=/published"
    options = [volume, "--user=0:0", "--entrypoint=sh"]
    job = Job(f"{stack}-{name}", image, script_of(script, *given), {}, options)
    run_job(swarm, stack, job, environment.timings.start, everywhere=True)


def page(image: str) -> str:
    """Return what the list of a page's files is called: by its digest, since that is the page."""
    return image.rpartition(":")[2]
