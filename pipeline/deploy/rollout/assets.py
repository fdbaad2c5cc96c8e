"""The assets of all kept pages, in a volume of each node that the edge serves.

The volume also holds a manifest for each page; assets in no manifest are removed.
"""

from collections.abc import Iterable

from pipeline.deploy.cluster.deploy_target import DeployTarget
from pipeline.deploy.cluster.one_shot_jobs import Job, begin, finish, run_job, script_command

PUBLISHING, _CLEARING = "assets", "prune"
"""Names of the jobs, without the stack."""


def begin_publishing(target: DeployTarget, image: str) -> None:
    """Start the job that copies a page's assets to the volume of every node."""
    stack = target.stack
    # A prune job of a killed deployer would delete the files of this page.
    target.swarm.remove_services(f"{stack}-{_CLEARING}")
    begin(target.swarm, stack, _publish_job(stack, image), everywhere=True)


def end_publishing(target: DeployTarget, image: str) -> None:
    """Wait until a page's assets are on every node.

    Raises:
        JobFailedError: The job failed on a node.
    """
    job = _publish_job(target.stack, image)
    finish(target, job, target.environment.timings.start_timeout)
    target.swarm.remove_services(job.name)


def _publish_job(stack: str, image: str) -> Job:
    return _assets_job(stack, image, PUBLISHING, "publish.sh", _asset_manifest_name(image))


def prune(target: DeployTarget, image: str, kept: Iterable[str]) -> None:
    """Remove the assets that none of the kept pages has, on every node.

    Args:
        target: The environment.
        image: An image of the page, whose shell runs the script.
        kept: The images of the page whose assets stay.

    Raises:
        JobFailedError: The job failed on a node.
    """
    pages = sorted({_asset_manifest_name(each) for each in kept})
    run_on_all_nodes(target, image, _CLEARING, "prune.sh", *pages)


def run_on_all_nodes(
    target: DeployTarget,
    image: str,
    name: str,
    script: str,
    *arguments: str,
) -> None:
    """Run a script of deploy/ with the volume of assets, on every node.

    Raises:
        JobFailedError: The job failed on a node.
    """
    job = _assets_job(target.stack, image, name, script, *arguments)
    run_job(target, job, target.environment.timings.start_timeout, everywhere=True)


def _assets_job(stack: str, image: str, name: str, script: str, *arguments: str) -> Job:
    """Return a job that runs a script of deploy/ with the volume of assets at /published."""
    volume = f"--mount=type=volume,source={stack}-assets,destination=/published"
    options = [volume, "--user=0:0", "--entrypoint=sh"]
    return Job(f"{stack}-{name}", image, script_command(script, *arguments), {}, options)


def _asset_manifest_name(image: str) -> str:
    """Return the file name of a page's manifest: the digest of its image."""
    return image.rpartition(":")[2]
