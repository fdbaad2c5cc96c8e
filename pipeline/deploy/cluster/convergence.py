"""Know for sure what became of a service: from its specification and its tasks, never by hope.

The engine has no deadline of its own, and its state can lie: after a rollback it may say
`completed` with the old release in place. What decides is which image and which deployment the
service is meant to run, and that every task of it does.
"""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from pipeline.deploy.cluster import start_failures
from pipeline.deploy.cluster.client import Object, Swarm, image_of, variable_of
from pipeline.deploy.cluster.failure_causes import Cause
from pipeline.deploy.cluster.retry import POLL_SECONDS, EngineAwayError, patiently
from pipeline.deploy.progress import say
from pipeline.errors import CheckFailedError

BROKEN = {"failed", "rejected", "orphaned"}
NOTICE_SECONDS = 15
"""After that time it is said why no node has begun with a replica; the wait goes on."""
GONE = "it is gone"
STUCK = {"paused", "rollback_paused"}


@dataclass(frozen=True)
class Wanted:
    """What a service has to come to."""

    service: str
    image: str
    deploy_id: str
    replicas: int
    least: int = 0
    """How many replicas will do, of a release that lacked some before."""


class NotConvergedError(CheckFailedError):
    """A service did not come to what was wanted."""


def fault(wanted: Wanted, service: Object | None, tasks: Sequence[Object]) -> str | None:
    """Say what has gone wrong for good, if anything has.

    Args:
        wanted: What the service has to come to.
        service: The service as the engine has it.
        tasks: Its tasks.
    """
    if service is None:
        return GONE
    if image_of(service) != wanted.image or variable_of(service, "DEPLOY_ID") != wanted.deploy_id:
        return "the engine put the release before it back"
    state = (service.get("UpdateStatus") or {}).get("State", "")
    if state in STUCK or state.startswith("rollback"):
        return f"the engine stopped: {state}"
    return next((described(task) for task in own(wanted, tasks) if broken(task)), None)


def converged(wanted: Wanted, service: Object, tasks: Sequence[Object]) -> bool:
    """Say whether all replicas run, none of them another image, and the engine is done."""
    state = (service.get("UpdateStatus") or {}).get("State", "completed")
    meant = [task for task in tasks if task["DesiredState"] == "running"]
    mine = own(wanted, meant)
    running = [task for task in mine if task["Status"]["State"] == "running"]
    if wanted.least:
        return len(running) >= wanted.least
    return state == "completed" and len(running) == len(meant) == wanted.replicas


def own(wanted: Wanted, tasks: Sequence[Object]) -> list[Object]:
    """Return the tasks that belong to this deployment."""
    return [
        task
        for task in tasks
        if f"DEPLOY_ID={wanted.deploy_id}" in (task["Spec"]["ContainerSpec"].get("Env") or [])
    ]


def broken(task: Object) -> bool:
    """Say whether a task ended that should run: a restart that recovered is a fault as well."""
    return task["Status"]["State"] in BROKEN or (
        task["Status"]["State"] == "complete" and task["DesiredState"] == "shutdown"
    )


def described(task: Object) -> str:
    """Say what became of a task."""
    status = task["Status"]
    code = (status.get("ContainerStatus") or {}).get("ExitCode")
    why = status.get("Err") or status.get("Message", "")
    return f"a replica {status['State']}: {why}" + (f" (exit code {code})" if code else "")


def watch(
    swarm: Swarm,
    wanted: Wanted,
    seconds: float,
    *,
    again: bool = False,
    look: Callable[[], None] = lambda: None,
) -> None:
    """Wait until a service has come to what is wanted.

    Args:
        swarm: Where it is.
        wanted: What it has to come to.
        seconds: How long it may take.
        again: Whether this ran before, so that its old tasks that ended are no fault.
        look: Looks at something else as well, again and again, and raises what it finds wrong.

    Raises:
        NotConvergedError: It went wrong, or took too long.
    """
    notice = time.monotonic() + NOTICE_SECONDS
    for service, tasks in looks(swarm, wanted, seconds):
        if not again and (wrong := fault(wanted, service, tasks)):
            raise caused(swarm, wanted, wrong)
        if service and converged(wanted, service, tasks):
            return
        if time.monotonic() > notice and (waiting := unstarted(wanted, tasks)):
            say_why(swarm, wanted.service, waiting)
            notice = math.inf
        look()
    raise caused(swarm, wanted, f"it did not come up within {seconds:.0f} s")


def hold(
    swarm: Swarm,
    wanted: Sequence[Wanted],
    seconds: float,
    *,
    look: Callable[[], None] = lambda: None,
) -> None:
    """See to it that services stay as they are for a while.

    Args:
        swarm: Where they are.
        wanted: What they have to stay.
        seconds: How long.
        look: Looks at something else as well, as in `watch`.

    Raises:
        NotConvergedError: One did not.
    """
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for each in wanted:
            service, tasks = asked_again(swarm, each.service, end)
            wrong = fault(each, service, tasks)
            if wrong or service is None or not converged(each, service, tasks):
                raise caused(swarm, each, wrong or "a replica is not running any more")
        look()
        time.sleep(POLL_SECONDS)


def is_up(swarm: Swarm, service: str) -> bool:
    """Say whether a service is there, and all that is meant to run of it runs."""
    meant = [task for task in swarm.tasks(service) if task["DesiredState"] == "running"]
    return bool(meant) and all(task["Status"]["State"] == "running" for task in meant)


def wait_until_running(swarm: Swarm, service: str, seconds: float) -> None:
    """Wait until every task of a service runs.

    Raises:
        CheckFailedError: They do not in time; what the service said last is part of it.
    """
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if is_up(swarm, service):
            return
        time.sleep(POLL_SECONDS)
    why = held_up(swarm, service, swarm.tasks(service))
    raise CheckFailedError(
        f"{service} did not come up within {seconds:.0f} s{why.sentence}\n{swarm.logs(service)}",
        hint=why.hint,
    )


def looks(
    swarm: Swarm, wanted: Wanted, seconds: float
) -> Iterator[tuple[Object | None, list[Object]]]:
    """Look at a service again and again, until the time is over."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield asked_again(swarm, wanted.service, end)
        time.sleep(POLL_SECONDS)


def asked_again(swarm: Swarm, name: str, end: float) -> tuple[Object | None, list[Object]]:
    """Return a service and its tasks; an engine that is away for a moment is asked again.

    Raises:
        EngineAwayError: It is away for longer than there is time.
    """
    return patiently(lambda: (swarm.service(name), swarm.tasks(name)), end)


def refusal(swarm: Swarm, wanted: Wanted, why: str) -> NotConvergedError:
    """Say what a replica said last, and return the fault of its service, to be raised."""
    with suppress(EngineAwayError):
        if words := last_words(swarm, wanted):
            say(f"the last words of {wanted.service}:\n{words}")
    return NotConvergedError(
        f"{wanted.service}: {why}", hint=f"docker service ps --no-trunc {wanted.service}"
    )


def caused(swarm: Swarm, wanted: Wanted, why: str) -> NotConvergedError:
    """Do as `refusal`, and say what keeps the replicas of this deployment from running."""
    error = refusal(swarm, wanted, why)
    if why == GONE:
        hint = "docker events --since=1h --until=0s --filter=type=service; deploy again"
        return NotConvergedError(str(error), hint=hint)
    with suppress(EngineAwayError):
        cause = held_up(swarm, wanted.service, own(wanted, swarm.tasks(wanted.service)))
        return NotConvergedError(f"{error}{cause.sentence}", hint=cause.hint)
    return error


def held_up(swarm: Swarm, service: str, tasks: Sequence[Object]) -> Cause:
    """Return what keeps tasks of a service from running, to be said behind what came of that."""
    hint = f"docker service ps --no-trunc {service}"
    idle = sorted(filter(is_idle, tasks), key=broken, reverse=True)
    if not idle:
        return Cause("", hint)
    image, stack = idle[0]["Spec"]["ContainerSpec"]["Image"], service.partition("_")[0]
    if broken(idle[0]):  # what became of it is said by then
        known = start_failures.meaning(swarm, stack, image, idle[0])
        return Cause(f" ({known.sentence})", known.hint) if known else Cause("", hint)
    found = start_failures.cause(swarm, stack, image, idle)
    return Cause(f": {found.sentence}", found.hint or hint)


def unstarted(wanted: Wanted, tasks: Sequence[Object]) -> list[Object]:
    """Return the tasks of this deployment that should run, and that no node has begun with."""
    mine = [task for task in own(wanted, tasks) if task["DesiredState"] == "running"]
    return [task for task in mine if task["Status"]["State"] in start_failures.UNSTARTED]


def say_why(swarm: Swarm, service: str, waiting: Sequence[Object]) -> None:
    """Say what replicas wait for, while there is time for the operator to mend it."""
    with suppress(EngineAwayError):
        why = held_up(swarm, service, waiting)
        say(f"{service} waits{why.sentence}; hint: {why.hint}")


def is_idle(task: Object) -> bool:
    """Say whether a task has not begun that should run, or has ended."""
    waits = task["Status"]["State"] in start_failures.UNSTARTED | start_failures.BEGUN
    return broken(task) or (waits and task["DesiredState"] == "running")


def last_words(swarm: Swarm, wanted: Wanted) -> str:
    """Return what a replica of this deployment said last: of one that ended, if any did."""
    mine = own(wanted, swarm.tasks(wanted.service))
    return next((swarm.logs(task["ID"]) for task in sorted(mine, key=broken, reverse=True)), "")
