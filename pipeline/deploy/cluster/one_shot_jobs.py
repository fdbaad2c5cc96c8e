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

from pipeline.deploy.cluster import start_failures
from pipeline.deploy.cluster.client import Object, Swarm
from pipeline.deploy.cluster.convergence import asked_again
from pipeline.deploy.cluster.failure_causes import Cause
from pipeline.deploy.cluster.retry import POLL_SECONDS
from pipeline.deploy.cluster.stackfile import Service
from pipeline.deploy.cluster.tasks import (
    best,
    complete,
    failed,
    reason,
    rejected,
    under_way,
    unstarted,
)
from pipeline.deploy.progress import say
from pipeline.environments import Environment
from pipeline.errors import CheckFailedError
from pipeline.files import read_text

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


class JobNotStartedError(JobFailedError):
    """A job did nothing: no node has begun with it in time, or the one that had to rejected it."""


def run_job(
    swarm: Swarm, environment: Environment, job: Job, seconds: float, *, everywhere: bool = False
) -> str:
    """Run a job, wait for its end, and leave nothing of it.

    Args:
        swarm: Where it runs.
        environment: Whose network it is in, and how long a service may take to start there.
        job: What runs.
        seconds: How long it may take.
        everywhere: Whether it runs on each node, instead of on one.

    Returns:
        What it printed on its standard output, on all nodes.

    Raises:
        JobNotStartedError: No node has begun with it.
        JobFailedError: It failed on a node, or took too long; what it said last is part of it.
    """
    with begun(swarm, environment.stack, job, everywhere=everywhere):
        finish(swarm, environment, job, seconds)
        if everywhere and (away := start_failures.idle(swarm)):
            say(f"{job.name} passed over nodes that take no work: {', '.join(away)}")
        return swarm.said(job.name).stdout


def finish(swarm: Swarm, environment: Environment, job: Job, seconds: float) -> None:
    """Wait for the good end of a job.

    Raises:
        JobNotStartedError: No node has begun with it, so that it has said nothing.
        JobFailedError: It failed on a node, or took too long; what it said last is part of it.
    """
    try:
        succeed(swarm, environment.stack, job, wait(swarm, environment, job, seconds))
    except JobNotStartedError:
        raise
    except JobFailedError as error:
        said = swarm.logs(job.name)
        raise JobFailedError(f"{error}\n{said}".strip(), hint=error.hint) from None


def lines(swarm: Swarm, environment: Environment, job: Job, seconds: float) -> list[str]:
    """Run a job that ends with `echo` of END, and return what it printed before.

    Raises:
        JobFailedError: It failed, or the engine does not tell all that it said.
    """
    said = run_job(swarm, environment, job, seconds).splitlines()
    if END not in said:
        hint = (
            "try again; docker info --format='{{.LoggingDriver}}': json-file and local can be read"
        )
        raise JobFailedError(f"the engine has lost what {job.name} said", hint=hint)
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


def wait(
    swarm: Swarm,
    environment: Environment,
    job: Job,
    seconds: float,
    meanwhile: Callable[[], None] = lambda: None,
) -> list[Object]:
    """Wait until a job is complete in every place, or has failed in one; return a task of each.

    Args:
        swarm: Where it runs.
        environment: How long a service may take to start there.
        job: What runs.
        seconds: How long it may take.
        meanwhile: What is done again and again until then.

    Raises:
        JobNotStartedError: No node has begun with it.
        JobFailedError: The time is over, or it was removed by hand.
    """
    began = moved = time.monotonic()
    said = began + environment.timings.start - SAID_EVERY
    while True:
        service, tasks = asked_again(swarm, job.name, began + seconds)
        if service is None:
            hint = "invoke history; docker events --since=10m --until=0s --filter=type=service"
            raise JobFailedError(f"{job.name} was removed by hand", hint=hint)
        meanwhile()
        found, now = best(tasks), time.monotonic()
        if found and (all(map(complete, found)) or any(map(failed, found))):
            return found
        if found and not any(map(unstarted, found)):
            moved = now
        if now > min(moved + environment.timings.start, began + seconds):
            require_start(swarm, environment.stack, job, found, now - moved)
        if now > began + seconds:
            raise late(swarm, environment.stack, job, found, seconds)
        if now > said + SAID_EVERY:
            tell_of_busy(swarm, environment.stack, job, found, now - began)
            said = now
        time.sleep(POLL_SECONDS)


def require_start(
    swarm: Swarm, stack: str, job: Job, tasks: Sequence[Object], seconds: float
) -> None:
    """Give a job up that no node begins with.

    Raises:
        JobNotStartedError: It has not begun in some place.
    """
    idle = list(filter(unstarted, tasks))
    if idle or not tasks:
        why = start_failures.cause(swarm, stack, job.image, idle)
        what = f"{job.name} has not begun after {seconds:.0f} s: {why.sentence}"
        raise JobNotStartedError(what, hint=why.hint or "docker node ls")


def tell_of_busy(
    swarm: Swarm, stack: str, job: Job, tasks: Sequence[Object], seconds: float
) -> None:
    """Say of a job that takes long to begin what its node is busy with."""
    if busy := [task for task in tasks if task["Status"]["State"] in start_failures.BEGUN]:
        why = start_failures.cause(swarm, stack, job.image, busy)
        say(f"{job.name} has not begun after {seconds:.0f} s: {why.sentence}")


def late(
    swarm: Swarm, stack: str, job: Job, tasks: Sequence[Object], seconds: float
) -> JobFailedError:
    """Return the fault of a job that did not end in time, to be raised."""
    why = start_failures.cause(
        swarm, stack, job.image, [each for each in tasks if not complete(each)]
    )
    hint = why.hint or "what it said last is above; a database tells in pg_stat_activity who waits"
    return JobFailedError(f"{job.name} took more than {seconds:.0f} s: {why.sentence}", hint=hint)


def succeed(swarm: Swarm, stack: str, job: Job, tasks: Sequence[Object]) -> None:
    """See to it that a job that ended did so without a fault.

    Raises:
        JobNotStartedError: A node has rejected it.
        JobFailedError: One of its tasks failed.
    """
    require_run(swarm, stack, job, tasks)
    for task in filter(failed, tasks):
        why = ended(swarm, stack, job, task)
        raise JobFailedError(why.sentence, hint=why.hint)


def require_run(swarm: Swarm, stack: str, job: Job, tasks: Sequence[Object]) -> None:
    """See to it that a job has run, however it ended.

    Raises:
        JobNotStartedError: A node has rejected it, such as where its image is gone.
    """
    for task in filter(rejected, tasks):
        why = ended(swarm, stack, job, task)
        raise JobNotStartedError(why.sentence, hint=why.hint)


def ended(swarm: Swarm, stack: str, job: Job, task: Object) -> Cause:
    """Return what became of a task of a job that failed, and where to look."""
    why = start_failures.meaning(swarm, stack, job.image, task)
    known = f" ({why.sentence})" if why else ""
    hint = why.hint if why else "what it said is above"
    return Cause(f"{job.name}: {reason(task)}{known}", hint)


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
