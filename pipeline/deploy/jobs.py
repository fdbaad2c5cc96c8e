"""One-shot jobs of a release in a swarm, judged by their tasks.

The command line that starts a job may wait for ever when it fails; its tasks tell at once. A job
is a service that is not restarted, and none of the engine's own kind: once managers have chosen
another leader, those run again and again (https://github.com/moby/moby/issues/53632).
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.deploy.patience import POLL_SECONDS
from pipeline.deploy.progress import say
from pipeline.deploy.stack import Service
from pipeline.deploy.swarm import Object, Swarm
from pipeline.deploy.watch import asked_again
from pipeline.errors import CheckFailedError
from pipeline.files import read_text

FAILED = {"failed", "rejected", "orphaned", "remove"}
SAID_EVERY = 10
"""The seconds between two words about what is waited for."""
END = "that is all"
"""What a job says last whose words count: the engine may lose the end of a log."""


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


def run_job(swarm: Swarm, stack: str, job: Job, seconds: float, *, everywhere: bool = False) -> str:
    """Run a job, wait for its end, and leave nothing of it.

    Args:
        swarm: Where it runs.
        stack: Whose network it is in.
        job: What runs.
        seconds: How long it may take.
        everywhere: Whether it runs on each node, instead of on one.

    Returns:
        What it printed on its standard output, on all nodes.

    Raises:
        JobFailedError: It failed on a node, or took too long; what it said last is part of it.
    """
    with begun(swarm, stack, job, everywhere=everywhere):
        finish(swarm, job, seconds)
        return swarm.said(job.name).stdout


def finish(swarm: Swarm, job: Job, seconds: float) -> None:
    """Wait for the good end of a job.

    Raises:
        JobFailedError: It failed on a node, or took too long; what it said last is part of it.
    """
    try:
        succeed(wait(swarm, job, seconds), job)
    except JobFailedError as error:
        said = swarm.logs(job.name)
        raise JobFailedError(f"{error}\n{said}".strip(), hint=error.hint) from None


def lines(swarm: Swarm, stack: str, job: Job, seconds: float) -> list[str]:
    """Run a job that ends with `echo` of END, and return what it printed before.

    Raises:
        JobFailedError: It failed, or the engine does not tell all that it said.
    """
    said = run_job(swarm, stack, job, seconds).splitlines()
    if END not in said:
        raise JobFailedError(f"the engine has lost what {job.name} said", hint="try again")
    return said[: said.index(END)]


@contextmanager
def begun(swarm: Swarm, stack: str, job: Job, *, everywhere: bool = False) -> Iterator[None]:
    """Have a job as long as the block runs.

    Raises:
        CheckFailedError: The engine does not take it, or does not let go of one of before.
    """
    begin(swarm, stack, job, everywhere=everywhere)
    try:
        yield
    finally:
        swarm.remove(job.name)


def begin(swarm: Swarm, stack: str, job: Job, *, everywhere: bool = False) -> None:
    """Begin a job; the caller waits for its end, and removes it.

    Raises:
        CheckFailedError: The engine does not take it, or does not let go of one of before.
    """
    swarm.remove(job.name)  # of a deployer who died in it
    if swarm.service(job.name):
        hint = f"docker service rm {job.name}"
        raise CheckFailedError(f"{job.name} cannot be removed", hint=hint)
    swarm.make("service", job.name, *arguments(stack, job, everywhere=everywhere))


def let_end(swarm: Swarm, name: str, seconds: float) -> None:
    """Wait until a job of a deployment before, whose deployer died, has ended by itself.

    What it began in a database would go on there after it is removed here.

    Args:
        swarm: Where it runs.
        name: What its service is called.
        seconds: How long it may take.

    Raises:
        JobFailedError: It runs still.
    """
    began = said = time.monotonic()
    while under_way(asked_again(swarm, name, began + seconds)[1]):
        now = time.monotonic()
        if now > began + seconds:
            raise JobFailedError(
                f"{name} of a deployment before runs still, {seconds:.0f} s later",
                hint=f"docker service logs {name}; docker service rm {name} ends it",
            )
        if now >= said:
            say(f"{name} of a deployment before still runs; waiting for {now - began:.0f} s")
            said = now + SAID_EVERY
        time.sleep(POLL_SECONDS)


def under_way(tasks: Sequence[Object]) -> bool:
    """Say whether a task of a job runs, or is to."""
    return any(not (complete(task) or failed(task) or withdrawn(task)) for task in tasks)


def wait(
    swarm: Swarm, job: Job, seconds: float, meanwhile: Callable[[], None] = lambda: None
) -> list[Object]:
    """Wait until a job is complete in every place, or has failed in one; return a task of each.

    Args:
        swarm: Where it runs.
        job: What runs.
        seconds: How long it may take.
        meanwhile: What is done again and again until then.

    Raises:
        JobFailedError: The time is over.
    """
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        _, tasks = asked_again(swarm, job.name, end)
        meanwhile()
        found = best(tasks)
        if found and (all(map(complete, found)) or any(map(failed, found))):
            return found
        time.sleep(POLL_SECONDS)
    raise JobFailedError(f"{job.name} took more than {seconds:.0f} s", hint="look at the database")


def best(tasks: Sequence[Object]) -> list[Object]:
    """Return the task of each node, or the only one: the engine may begin anew what is lost.

    Where there are several, one that is complete counts, and else one that may still be. What will
    never end by itself does not count: its node is away, or is to run nothing any more.
    """
    found: dict[object, Object] = {}
    left = [task for task in tasks if complete(task) or failed(task) or not withdrawn(task)]
    for task in sorted(left, key=lambda task: (complete(task), not failed(task))):
        found[task.get("Slot") or task.get("NodeID")] = task
    return [*found.values()]


def succeed(tasks: Sequence[Object], job: Job) -> None:
    """See to it that a job that ended did so without a fault.

    Raises:
        JobFailedError: One of its tasks failed.
    """
    if broken := [task for task in tasks if failed(task)]:
        raise JobFailedError(f"{job.name}: {reason(broken[0])}", hint=advice(broken[0]))


def complete(task: Object) -> bool:
    """Say whether a task of a job ended well."""
    return bool(task["Status"]["State"] == "complete")


def failed(task: Object) -> bool:
    """Say whether a task of a job ended with a fault."""
    return task["Status"]["State"] in FAILED


def withdrawn(task: Object) -> bool:
    """Say whether a task is not to run any more."""
    return bool(task["DesiredState"] == "shutdown")


def exit_code(task: Object) -> int:
    """Return the exit code of a task; 1, if it never ran."""
    if not failed(task):
        return 0
    return int((task["Status"].get("ContainerStatus") or {}).get("ExitCode") or 1)


def reason(task: Object) -> str:
    """Say why a task failed."""
    status = task["Status"]
    code = (status.get("ContainerStatus") or {}).get("ExitCode")
    return f"exit code {code}" if code else str(status.get("Err") or status["State"])


def advice(task: Object) -> str:
    """Say where to look after a task that failed.

    Why a node could not fetch an image is in its own log alone: the engine starts what it has.
    """
    if "No such image" not in reason(task):
        return "what it said is above"
    node = task.get("NodeID", "self")
    return (
        f"a full disk, or no way to the registry? look there: docker node inspect --pretty {node}"
    )


def arguments(stack: str, job: Job, *, everywhere: bool) -> list[str]:
    """Return the options of `docker service create`."""
    mode = "global" if everywhere else "replicated"
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


def of_service(stack: str, name: str, service: Service, command: Sequence[str]) -> Job:
    """Return a job of a service's image, with its variables and secrets.

    Args:
        stack: Whose service it is.
        name: What the job is called, within the stack.
        service: The service as the engine is told to have it.
        command: What runs.
    """
    program, *rest = command
    files = [file_option(secret) for secret in service["secrets"]]
    options = [*files, f"--entrypoint={program}"]
    return Job(f"{stack}-{name}", service["image"], rest, service["environment"], options)


def script_of(name: str, *given: str) -> list[str]:
    """Return what a shell is told, to run a script of deploy/ in an image that has it not."""
    return ["-euc", read_text(Path("deploy", name)), name, *given]


def file_option(secret: Mapping[str, Any]) -> str:
    """Return the option that mounts a secret as the service has it."""
    owner = f"uid={secret['uid']},gid={secret['gid']},mode=0400"
    return f"--secret=source={secret['source']},target={secret['target']},{owner}"
