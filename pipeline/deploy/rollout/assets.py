"""The files of pages, old and new, in a volume of each node, where the edge finds them.

Beside them lies, for each page, the list of its files; so it is known which are nobody's any more.
"""

from collections.abc import Iterable

from pipeline.deploy.cluster.client import SwarmClient
from pipeline.deploy.cluster.one_shot_jobs import Job, begin, finish, run_job, script_command
from pipeline.environments import Environment

PUBLISHING, CLEARING = "assets", "prune"
"""What the jobs are called, within the stack."""


def begin_publishing(swarm: SwarmClient, environment: Environment, image: str) -> None:
    """Begin to lay a page's files beside those of others, on every node."""
    stack = environment.stack
    # of a deployer who died in it: it does not keep this page
    swarm.remove_services(f"{stack}-{CLEARING}")
    begin(swarm, stack, publishing(stack, image), everywhere=True)


def end_publishing(swarm: SwarmClient, environment: Environment, image: str) -> None:
    """Wait until a page's files are on every node.

    Raises:
        JobFailedError: A node could not.
    """
    job = publishing(environment.stack, image)
    finish(swarm, environment, job, environment.timings.start_timeout)
    swarm.remove_services(job.name)


def publishing(stack: str, image: str) -> Job:
    """Return the job that lays a page's files beside those of others."""
    return where_files_are(stack, image, PUBLISHING, "publish.sh", asset_manifest_name(image))


def prune(swarm: SwarmClient, environment: Environment, image: str, kept: Iterable[str]) -> None:
    """Remove the files that only other pages than these have, on every node.

    Args:
        swarm: Where.
        environment: Whose files.
        image: A frontend, whose shell does it.
        kept: The frontends of which all files stay.

    Raises:
        JobFailedError: A node could not.
    """
    pages = sorted({asset_manifest_name(each) for each in kept})
    run_on_all_nodes(swarm, environment, image, CLEARING, "prune.sh", *pages)


def run_on_all_nodes(
    swarm: SwarmClient, environment: Environment, image: str, name: str, script: str, *given: str
) -> None:
    """Run a script of deploy/ where the edge's files are, on every node.

    Raises:
        JobFailedError: A node could not.
    """
    job = where_files_are(environment.stack, image, name, script, *given)
    run_job(swarm, environment, job, environment.timings.start_timeout, everywhere=True)


def where_files_are(stack: str, image: str, name: str, script: str, *given: str) -> Job:
    """Return a job that runs a script of deploy/ where the edge's files are."""
    volume = f"--mount=type=volume,source={stack}-assets,destination=/published"
    options = [volume, "--user=0:0", "--entrypoint=sh"]
    return Job(f"{stack}-{name}", image, script_command(script, *given), {}, options)


def asset_manifest_name(image: str) -> str:
    """Return what the list of a page's files is called: by its digest, since that is the page."""
    return image.rpartition(":")[2]
