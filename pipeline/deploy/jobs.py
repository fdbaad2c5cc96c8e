"""One-shot jobs of a release in a swarm, judged by their tasks.

The command line that starts a job may wait for ever when it fails; its tasks tell at once.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.deploy.stack import Release, secrets
from pipeline.deploy.swarm import Object, Swarm
from pipeline.deploy.watch import POLL_SECONDS, asked_again
from pipeline.errors import CheckFailedError

FAILED = {"failed", "rejected", "orphaned", "remove"}


@dataclass(frozen=True)
class Job:
    """A command of an image that runs once, on one node or on each.

    Attributes:
        name: What the service is called.
        image: What runs, by digest.
        command: What it runs instead of what the image would.
        variables: What it is told.
        options: More options of `docker service create`.
    """

    name: str
    image: str
    command: Sequence[str]
    variables: Mapping[str, str]
    options: Sequence[str] = ()


class JobFailedError(CheckFailedError):
    """A job ended with a fault, or did not end."""


def run_job(
    swarm: Swarm, stack: str, job: Job, seconds: float, *, everywhere: bool = False
) -> None:
    """Run a job, wait for its end, and leave nothing of it.

    Args:
        swarm: Where it runs.
        stack: Whose network it is in.
        job: What runs.
        seconds: How long it may take.
        everywhere: Whether it runs on each node, instead of on one.

    Raises:
        JobFailedError: It failed on a node, or took too long; what it said last is part of it.
    """
    swarm.remove(job.name)  # of a deployer who died in it
    swarm.tell("service", "create", *arguments(stack, job, everywhere=everywhere))
    try:
        wait(swarm, job, seconds)
    except JobFailedError as error:
        said = swarm.logs(job.name)
        raise JobFailedError(f"{error}\n{said}".strip(), hint=error.hint) from None
    finally:
        swarm.remove(job.name)


def wait(swarm: Swarm, job: Job, seconds: float) -> None:
    """Wait until every task of a job is complete.

    Raises:
        JobFailedError: One failed, or the time is over.
    """
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        _, tasks = asked_again(swarm, job.name, end)
        if broken := [task for task in tasks if task["Status"]["State"] in FAILED]:
            raise JobFailedError(f"{job.name}: {reason(broken[0])}", hint="what it said is above")
        if tasks and all(task["Status"]["State"] == "complete" for task in tasks):
            return
        time.sleep(POLL_SECONDS)
    raise JobFailedError(f"{job.name} took more than {seconds:.0f} s", hint="look at the database")


def reason(task: Object) -> str:
    """Say why a task failed."""
    status = task["Status"]
    code = (status.get("ContainerStatus") or {}).get("ExitCode")
    return f"exit code {code}" if code else str(status.get("Err") or status["State"])


def arguments(stack: str, job: Job, *, everywhere: bool) -> list[str]:
    """Return the options of `docker service create`."""
    mode = "global-job" if everywhere else "replicated-job"
    told = [f"--env={name}={value}" for name, value in job.variables.items()]
    fixed = [
        "--detach",
        "--no-resolve-image",
        "--with-registry-auth",
        "--no-healthcheck",
        "--quiet",
    ]
    hardened = ["--read-only", "--cap-drop=ALL", "--mount=type=tmpfs,destination=/tmp"]
    place = [f"--name={job.name}", f"--mode={mode}", "--restart-condition=none"]
    options = [*place, f"--network={stack}-app", *fixed, *hardened, *told, *job.options]
    return [*options, job.image, *job.command]


def of_backend(
    stack: str, name: str, release: Release, told: Mapping[str, str], command: Sequence[str]
) -> Job:
    """Return a job of the backend's image, with the variables and secrets of the release."""
    files = [
        f"--secret=source={secret['source']},target={secret['target']},"
        f"uid={secret['uid']},gid={secret['gid']},mode=0400"
        for secret in secrets(release)
    ]
    image = release.images["backend"]
    return Job(f"{stack}-{name}", image, command, told, files)
