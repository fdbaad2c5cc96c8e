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
from pipeline.deploy.cluster.client import JSONObject, SwarmClient
from pipeline.deploy.cluster.convergence import query_service
from pipeline.deploy.cluster.failure_causes import Cause
from pipeline.deploy.cluster.retry import POLL_INTERVAL
from pipeline.deploy.cluster.stackfile import Service
from pipeline.deploy.cluster.tasks import (
    failure_reason,
    is_complete,
    is_failed,
    is_in_progress,
    is_rejected,
    is_unstarted,
    representative_tasks,
)
from pipeline.deploy.progress import log
from pipeline.environments import Environment
from pipeline.errors import CheckFailedError
from pipeline.files import read_text

LOG_INTERVAL = 10
"""The seconds between two words about what is waited for."""
END_MARKER = "that is all"
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
    environment: Mapping[str, str]
    options: Sequence[str] = ()


class JobFailedError(CheckFailedError):
    """A job ended with a fault, or did not end."""


class JobNotStartedError(JobFailedError):
    """A job did nothing: no node has begun with it in time, or the one that had to rejected it."""


def run_job(
    swarm: SwarmClient,
    environment: Environment,
    job: Job,
    seconds: float,
    *,
    everywhere: bool = False,
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
    with running_job(swarm, environment.stack, job, everywhere=everywhere):
        finish(swarm, environment, job, seconds)
        if everywhere and (away := start_failures.unavailable_nodes(swarm)):
            log(f"{job.name} passed over nodes that take no work: {', '.join(away)}")
        return swarm.full_logs(job.name).stdout


def finish(swarm: SwarmClient, environment: Environment, job: Job, seconds: float) -> None:
    """Wait for the good end of a job.

    Raises:
        JobNotStartedError: No node has begun with it, so that it has said nothing.
        JobFailedError: It failed on a node, or took too long; what it said last is part of it.
    """
    try:
        raise_for_failure(
            swarm, environment.stack, job, wait_for_job(swarm, environment, job, seconds)
        )
    except JobNotStartedError:
        raise
    except JobFailedError as error:
        said = swarm.tail_logs(job.name)
        raise JobFailedError(f"{error}\n{said}".strip(), hint=error.hint) from None


def run_and_read_lines(
    swarm: SwarmClient, environment: Environment, job: Job, seconds: float
) -> list[str]:
    """Run a job that ends with `echo` of END, and return what it printed before.

    Raises:
        JobFailedError: It failed, or the engine does not tell all that it said.
    """
    said = run_job(swarm, environment, job, seconds).splitlines()
    if END_MARKER not in said:
        hint = (
            "try again; docker info --format='{{.LoggingDriver}}': json-file and local can be read"
        )
        raise JobFailedError(f"the engine has lost what {job.name} said", hint=hint)
    return said[: said.index(END_MARKER)]


@contextmanager
def running_job(
    swarm: SwarmClient, stack: str, job: Job, *, everywhere: bool = False
) -> Iterator[None]:
    """Have a job as long as the block runs.

    Raises:
        CheckFailedError: The engine does not take it, or does not let go of one of before.
    """
    begin(swarm, stack, job, everywhere=everywhere)
    try:
        yield
    finally:
        swarm.remove_services(job.name)


def begin(swarm: SwarmClient, stack: str, job: Job, *, everywhere: bool = False) -> None:
    """Begin a job; the caller waits for its end, and removes it.

    Raises:
        CheckFailedError: The engine does not take it, or does not let go of one of before.
    """
    swarm.remove_services(job.name)  # of a deployer who died in it
    if swarm.service(job.name):
        hint = f"docker service rm {job.name}"
        raise CheckFailedError(f"{job.name} cannot be removed", hint=hint)
    swarm.create("service", job.name, *service_create_args(stack, job, everywhere=everywhere))


def wait_for_leftover_job(swarm: SwarmClient, name: str, seconds: float) -> None:
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
    while is_in_progress(query_service(swarm, name, began + seconds)[1]):
        now = time.monotonic()
        if now > began + seconds:
            raise JobFailedError(
                f"{name} of a deployment before runs still, {seconds:.0f} s later",
                hint=f"docker service logs {name}; docker service rm {name} ends it",
            )
        if now >= said:
            log(f"{name} of a deployment before still runs; waiting for {now - began:.0f} s")
            said = now + LOG_INTERVAL
        time.sleep(POLL_INTERVAL)


def wait_for_job(
    swarm: SwarmClient,
    environment: Environment,
    job: Job,
    seconds: float,
    meanwhile: Callable[[], None] = lambda: None,
) -> list[JSONObject]:
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
    said = began + environment.timings.start_timeout - LOG_INTERVAL
    while True:
        service, tasks = query_service(swarm, job.name, began + seconds)
        if service is None:
            hint = "invoke history; docker events --since=10m --until=0s --filter=type=service"
            raise JobFailedError(f"{job.name} was removed by hand", hint=hint)
        meanwhile()
        found, now = representative_tasks(tasks), time.monotonic()
        if found and (all(map(is_complete, found)) or any(map(is_failed, found))):
            return found
        if found and not any(map(is_unstarted, found)):
            moved = now
        if now > min(moved + environment.timings.start_timeout, began + seconds):
            require_start(swarm, environment.stack, job, found, now - moved)
        if now > began + seconds:
            raise late(swarm, environment.stack, job, found, seconds)
        if now > said + LOG_INTERVAL:
            warn_if_busy(swarm, environment.stack, job, found, now - began)
            said = now
        time.sleep(POLL_INTERVAL)


def require_start(
    swarm: SwarmClient, stack: str, job: Job, tasks: Sequence[JSONObject], seconds: float
) -> None:
    """Give a job up that no node begins with.

    Raises:
        JobNotStartedError: It has not begun in some place.
    """
    idle = list(filter(is_unstarted, tasks))
    if idle or not tasks:
        why = start_failures.start_failure(swarm, stack, job.image, idle)
        what = f"{job.name} has not begun after {seconds:.0f} s: {why.sentence}"
        raise JobNotStartedError(what, hint=why.hint or "docker node ls")


def warn_if_busy(
    swarm: SwarmClient, stack: str, job: Job, tasks: Sequence[JSONObject], seconds: float
) -> None:
    """Say of a job that takes long to begin what its node is busy with."""
    if busy := [
        task for task in tasks if task["Status"]["State"] in start_failures.IN_PROGRESS_STATES
    ]:
        why = start_failures.start_failure(swarm, stack, job.image, busy)
        log(f"{job.name} has not begun after {seconds:.0f} s: {why.sentence}")


def late(
    swarm: SwarmClient, stack: str, job: Job, tasks: Sequence[JSONObject], seconds: float
) -> JobFailedError:
    """Return the fault of a job that did not end in time, to be raised."""
    why = start_failures.start_failure(
        swarm, stack, job.image, [each for each in tasks if not is_complete(each)]
    )
    hint = why.hint or "what it said last is above; a database tells in pg_stat_activity who waits"
    return JobFailedError(f"{job.name} took more than {seconds:.0f} s: {why.sentence}", hint=hint)


def raise_for_failure(
    swarm: SwarmClient, stack: str, job: Job, tasks: Sequence[JSONObject]
) -> None:
    """See to it that a job that ended did so without a fault.

    Raises:
        JobNotStartedError: A node has rejected it.
        JobFailedError: One of its tasks failed.
    """
    require_run(swarm, stack, job, tasks)
    for task in filter(is_failed, tasks):
        why = ended(swarm, stack, job, task)
        raise JobFailedError(why.sentence, hint=why.hint)


def require_run(swarm: SwarmClient, stack: str, job: Job, tasks: Sequence[JSONObject]) -> None:
    """See to it that a job has run, however it ended.

    Raises:
        JobNotStartedError: A node has rejected it, such as where its image is gone.
    """
    for task in filter(is_rejected, tasks):
        why = ended(swarm, stack, job, task)
        raise JobNotStartedError(why.sentence, hint=why.hint)


def ended(swarm: SwarmClient, stack: str, job: Job, task: JSONObject) -> Cause:
    """Return what became of a task of a job that failed, and where to look."""
    why = start_failures.task_cause(swarm, stack, job.image, task)
    known = f" ({why.sentence})" if why else ""
    hint = why.hint if why else "what it said is above"
    return Cause(f"{job.name}: {failure_reason(task)}{known}", hint)


def service_create_args(stack: str, job: Job, *, everywhere: bool) -> list[str]:
    """Return the options of `docker service create`."""
    mode = "global" if everywhere else "replicated"
    told = [f"--env={name}={value}" for name, value in job.environment.items()]
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


def job_for_service(stack: str, name: str, service: Service, command: Sequence[str]) -> Job:
    """Return a job of a service's image, with its variables and secrets.

    Args:
        stack: Whose service it is.
        name: What the job is called, within the stack.
        service: The service as the engine is told to have it.
        command: What runs.
    """
    program, *rest = command
    files = [secret_option(secret) for secret in service["secrets"]]
    options = [*files, f"--entrypoint={program}"]
    return Job(f"{stack}-{name}", service["image"], rest, service["environment"], options)


def script_command(name: str, *given: str) -> list[str]:
    """Return what a shell is told, to run a script of deploy/ in an image that has it not."""
    return ["-euc", read_text(Path("deploy", name)), name, *given]


def secret_option(secret: Mapping[str, Any]) -> str:
    """Return the option that mounts a secret as the service has it."""
    owner = f"uid={secret['uid']},gid={secret['gid']},mode=0400"
    return f"--secret=source={secret['source']},target={secret['target']},{owner}"
