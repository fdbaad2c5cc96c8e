"""One-shot jobs in a swarm: a service without restarts, whose tasks give the result.

The command line may wait for ever for a failed job, so the tasks are polled instead. The engine's
own job modes are not used: after a new leader is elected, their tasks run again and again
(https://github.com/moby/moby/issues/53632).
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
from pipeline.deploy.cluster.deploy_target import DeployTarget
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
from pipeline.errors import CheckFailedError
from pipeline.files import read_text

_LOG_INTERVAL = 10
"""Seconds between two messages about a wait."""
END_MARKER = "that is all"
"""The last line of a job whose output is parsed: the engine may lose the end of a log."""


@dataclass(frozen=True)
class Job:
    """A command that runs once in an image, on one node or on each.

    Attributes:
        name: Name of the service.
        image: Image by digest.
        command: Command instead of the image's own.
        environment: Environment variables.
        options: More options of `docker service create`.
    """

    name: str
    image: str
    command: Sequence[str]
    environment: Mapping[str, str]
    options: Sequence[str] = ()


class JobFailedError(CheckFailedError):
    """A job failed, or did not finish in time."""


class JobNotStartedError(JobFailedError):
    """A job did nothing: no node started it in time, or its node rejected it."""


def run_job(
    target: DeployTarget,
    job: Job,
    seconds: float,
    *,
    everywhere: bool = False,
) -> str:
    """Run a job to its end, and remove it.

    Args:
        target: The environment.
        job: The job.
        seconds: The time limit.
        everywhere: Whether it runs on each node, instead of on one.

    Returns:
        Its standard output, of all nodes.

    Raises:
        JobNotStartedError: No node started it.
        JobFailedError: It failed on a node, or took too long; the message has its last log lines.
    """
    with running_job(target.swarm, target.stack, job, everywhere=everywhere):
        finish(target, job, seconds)
        if everywhere and (away := start_failures.unavailable_nodes(target.swarm)):
            log(f"{job.name} skipped unavailable nodes: {', '.join(away)}")
        return target.swarm.full_logs(job.name).stdout


def finish(target: DeployTarget, job: Job, seconds: float) -> None:
    """Wait until a job has succeeded.

    Raises:
        JobNotStartedError: No node started it, so there are no logs.
        JobFailedError: It failed on a node, or took too long; the message has its last log lines.
    """
    try:
        _raise_for_failure(target.swarm, target.stack, job, wait_for_job(target, job, seconds))
    except JobNotStartedError:
        raise
    except JobFailedError as error:
        logs = target.swarm.tail_logs(job.name)
        raise JobFailedError(f"{error}\n{logs}".strip(), hint=error.hint) from None


def run_and_read_lines(target: DeployTarget, job: Job, seconds: float) -> list[str]:
    """Run a job that prints END_MARKER at its end, and return the lines before.

    Raises:
        JobFailedError: It failed, or the engine lost a part of the output.
    """
    lines = run_job(target, job, seconds).splitlines()
    if END_MARKER not in lines:
        hint = (
            "try again; docker info --format='{{.LoggingDriver}}': json-file and local can be read"
        )
        raise JobFailedError(f"the engine lost the output of {job.name}", hint=hint)
    return lines[: lines.index(END_MARKER)]


@contextmanager
def running_job(
    swarm: SwarmClient, stack: str, job: Job, *, everywhere: bool = False
) -> Iterator[None]:
    """Start a job, and remove it after the block.

    Raises:
        CheckFailedError: The engine rejects it, or an earlier one cannot be removed.
    """
    begin(swarm, stack, job, everywhere=everywhere)
    try:
        yield
    finally:
        swarm.remove_services(job.name)


def begin(swarm: SwarmClient, stack: str, job: Job, *, everywhere: bool = False) -> None:
    """Start a job; the caller waits for its end, and removes it.

    Raises:
        CheckFailedError: The engine rejects it, or an earlier one cannot be removed.
    """
    swarm.remove_services(job.name)  # left by a killed deployer
    if swarm.service(job.name):
        hint = f"docker service rm {job.name}"
        raise CheckFailedError(f"{job.name} cannot be removed", hint=hint)
    swarm.create("service", job.name, *service_create_args(stack, job, everywhere=everywhere))


def wait_for_leftover_job(swarm: SwarmClient, name: str, seconds: float) -> None:
    """Wait for the job of a killed deployer to end on its own.

    Its statement in the database would go on if the job were removed.

    Args:
        swarm: The client of the swarm.
        name: Name of the service.
        seconds: The time limit.

    Raises:
        JobFailedError: It still runs.
    """
    began = logged = time.monotonic()
    while is_in_progress(query_service(swarm, name, began + seconds)[1]):
        now = time.monotonic()
        if now > began + seconds:
            raise JobFailedError(
                f"{name} of an earlier deployment still runs after {seconds:.0f} s",
                hint=f"docker service logs {name}; docker service rm {name}",
            )
        if now >= logged:
            log(f"{name} of an earlier deployment still runs; waiting for {now - began:.0f} s")
            logged = now + _LOG_INTERVAL
        time.sleep(POLL_INTERVAL)


def wait_for_job(
    target: DeployTarget, job: Job, seconds: float, look: Callable[[], None] = lambda: None
) -> list[JSONObject]:
    """Wait until a job is complete on every node, or has failed on one; return a task of each.

    Args:
        target: The environment.
        job: The job.
        seconds: The time limit.
        look: Called in every poll.

    Raises:
        JobNotStartedError: No node started it.
        JobFailedError: The time is over, or it was removed by hand.
    """
    began = moved = time.monotonic()
    logged = began + target.environment.timings.start_timeout - _LOG_INTERVAL
    while True:
        service, tasks = query_service(target.swarm, job.name, began + seconds)
        if service is None:
            hint = "invoke history; docker events --since=10m --until=0s --filter=type=service"
            raise JobFailedError(f"{job.name} was removed by hand", hint=hint)
        look()
        found, now = representative_tasks(tasks), time.monotonic()
        if found and (all(map(is_complete, found)) or any(map(is_failed, found))):
            return found
        if found and not any(map(is_unstarted, found)):
            moved = now
        if now > min(moved + target.environment.timings.start_timeout, began + seconds):
            _require_start(target.swarm, target.stack, job, found, now - moved)
        if now > began + seconds:
            raise _timeout_error(target.swarm, target.stack, job, found, seconds)
        if now > logged + _LOG_INTERVAL:
            _warn_if_busy(target.swarm, target.stack, job, found, now - began)
            logged = now
        time.sleep(POLL_INTERVAL)


def _require_start(
    swarm: SwarmClient, stack: str, job: Job, tasks: Sequence[JSONObject], seconds: float
) -> None:
    """Raise if no node started a task of a job.

    Raises:
        JobNotStartedError: A task has not started.
    """
    idle = list(filter(is_unstarted, tasks))
    if idle or not tasks:
        why = start_failures.start_failure(swarm, stack, job.image, idle)
        what = f"{job.name} has not started after {seconds:.0f} s: {why.sentence}"
        raise JobNotStartedError(what, hint=why.hint or "docker node ls")


def _warn_if_busy(
    swarm: SwarmClient, stack: str, job: Job, tasks: Sequence[JSONObject], seconds: float
) -> None:
    """Log why a job takes long to start, for example for the pull of its image."""
    if busy := [
        task for task in tasks if task["Status"]["State"] in start_failures.IN_PROGRESS_STATES
    ]:
        why = start_failures.start_failure(swarm, stack, job.image, busy)
        log(f"{job.name} has not started after {seconds:.0f} s: {why.sentence}")


def _timeout_error(
    swarm: SwarmClient, stack: str, job: Job, tasks: Sequence[JSONObject], seconds: float
) -> JobFailedError:
    """Return the error of a job that did not finish in time."""
    why = start_failures.start_failure(
        swarm, stack, job.image, [each for each in tasks if not is_complete(each)]
    )
    hint = why.hint or "see its last log lines above; pg_stat_activity shows waiting sessions"
    return JobFailedError(f"{job.name} took more than {seconds:.0f} s: {why.sentence}", hint=hint)


def _raise_for_failure(
    swarm: SwarmClient, stack: str, job: Job, tasks: Sequence[JSONObject]
) -> None:
    """Raise if a task of a finished job failed.

    Raises:
        JobNotStartedError: A node rejected it.
        JobFailedError: A task failed.
    """
    require_run(swarm, stack, job, tasks)
    for task in filter(is_failed, tasks):
        why = _failed_task_cause(swarm, stack, job, task)
        raise JobFailedError(why.sentence, hint=why.hint)


def require_run(swarm: SwarmClient, stack: str, job: Job, tasks: Sequence[JSONObject]) -> None:
    """Raise if a task of a job never ran.

    Raises:
        JobNotStartedError: A node rejected it, for example because its image is missing.
    """
    for task in filter(is_rejected, tasks):
        why = _failed_task_cause(swarm, stack, job, task)
        raise JobNotStartedError(why.sentence, hint=why.hint)


def _failed_task_cause(swarm: SwarmClient, stack: str, job: Job, task: JSONObject) -> Cause:
    """Return the reason of a failed task, and its hint."""
    why = start_failures.task_cause(swarm, stack, job.image, task)
    known = f" ({why.sentence})" if why else ""
    hint = why.hint if why else "see its output above"
    return Cause(f"{job.name}: {failure_reason(task)}{known}", hint)


def service_create_args(stack: str, job: Job, *, everywhere: bool) -> list[str]:
    """Return the options of `docker service create`."""
    mode = "global" if everywhere else "replicated"
    variables = [f"--env={name}={value}" for name, value in job.environment.items()]
    fixed = [
        "--detach",
        "--no-resolve-image",
        "--with-registry-auth",
        "--no-healthcheck",
        "--quiet",
    ]
    hardened = ["--read-only", "--cap-drop=ALL", "--mount=type=tmpfs,destination=/tmp"]
    place = [f"--name={job.name}", f"--mode={mode}", "--restart-condition=none"]
    options = [*place, f"--network={stack}-app", *fixed, *hardened, *variables, *job.options]
    return [*options, job.image, *job.command]


def job_for_service(stack: str, name: str, service: Service, command: Sequence[str]) -> Job:
    """Return a job with the image, variables and secrets of a service.

    Args:
        stack: The stack of the service.
        name: Name of the job, without the stack.
        service: The service, as in a stack file.
        command: The command.
    """
    program, *rest = command
    files = [secret_option(secret) for secret in service["secrets"]]
    options = [*files, f"--entrypoint={program}"]
    return Job(f"{stack}-{name}", service["image"], rest, service["environment"], options)


def script_command(name: str, *arguments: str) -> list[str]:
    """Return the arguments of a shell that run a script of deploy/, which the image lacks."""
    return ["-euc", read_text(Path("deploy", name)), name, *arguments]


def secret_option(secret: Mapping[str, Any]) -> str:
    """Return the option that mounts a secret like in its service."""
    owner = f"uid={secret['uid']},gid={secret['gid']},mode=0400"
    return f"--secret=source={secret['source']},target={secret['target']},{owner}"
