"""The deploy lock: one deployment at a time, for every manager of the swarm.

The lock is a config object: names are unique, so of several clients that create it, one succeeds.
Its holder renews a heartbeat every few seconds; without one the lock is stale, and may be taken
over.
"""

import json
import os
import socket
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from pipeline.deploy.cluster.client import JSONObject, SwarmClient, config_text
from pipeline.deploy.cluster.retry import (
    POLL_INTERVAL,
    EngineUnavailableError,
    retry_while_unavailable,
)
from pipeline.deploy.confirmation import current_actor
from pipeline.deploy.progress import log
from pipeline.errors import InputError, LockLostError

HEARTBEAT_INTERVAL = 10
_STALE_AFTER = timedelta(seconds=60)
CLEANUP = "cleanup"
"""Purpose of the lock during a cleanup; another deployment waits for it instead of failing."""
CLEANUP_SECONDS = 120
"""Maximum of seconds that it waits."""


@dataclass(frozen=True)
class _LockHolder:
    """The holder of a lock, and its purpose."""

    who: str
    where: str
    what: str
    token: str = ""
    """A random id, because a process id may be used again."""


class LockedError(InputError):
    """Another deployer holds the lock."""


def _current_holder(what: str) -> _LockHolder:
    """Return this process as a holder."""
    where = f"{socket.gethostname()}, process {os.getpid()}"
    return _LockHolder(current_actor(), where, what, uuid.uuid4().hex)


@dataclass(frozen=True)
class Lock:
    """A lock that this process holds, by the id of its config."""

    swarm: SwarmClient
    stack: str
    config_id: str

    @property
    def is_held(self) -> bool:
        """Whether this process still holds it: another may have taken it over after a pause."""
        found = retry_while_unavailable(lambda: read_lock(self.swarm, self.stack))
        return found is not None and found["ID"] == self.config_id

    def require_held(self) -> None:
        """Stop if another deployer holds the lock.

        Raises:
            LockLostError: Another deployer holds it.
            EngineUnavailableError: The engine does not answer.
        """
        if not self.is_held:
            who = describe_lock(read_lock(self.swarm, self.stack))
            raise LockLostError(
                f"the lock of {self.stack} was taken over by {who}",
                hint="the new holder cleans up: invoke status, invoke history",
            )


@contextmanager
def hold_lock(swarm: SwarmClient, stack: str, what: str) -> Iterator[Lock]:
    """Hold the lock of a stack during the block.

    Args:
        swarm: The client of the swarm.
        stack: The stack to lock.
        what: The purpose, shown to others.

    Raises:
        LockedError: Another process holds it, and is alive.
    """
    lock = acquire(swarm, stack, what)
    over = threading.Event()
    heartbeats = threading.Thread(target=send_heartbeats, args=(swarm, stack, over), daemon=True)
    heartbeats.start()
    try:
        yield lock
    finally:
        over.set()
        heartbeats.join()
        if lock.is_held:
            release(swarm, stack)  # a lock that was taken over belongs to its new holder


def acquire(swarm: SwarmClient, stack: str, what: str) -> Lock:
    """Acquire the lock; take over a stale one.

    Raises:
        LockedError: Another process holds it, and is alive.
    """
    if lock := _try_create(swarm, stack, what):
        return lock
    found = _after_cleanup(swarm, stack)
    if found is None and (lock := _try_create(swarm, stack, what)):
        return lock
    if found is None or not is_stale(swarm, stack):
        raise LockedError(
            f"{stack} is locked by {describe_lock(found)}",
            hint="wait; the lock of a killed process is stale after a minute: invoke unlock",
        )
    print(f"taking over a stale lock of {describe_lock(found)}", file=sys.stderr)
    # By id, not by name: several processes may find it stale, and only one of them removes it.
    swarm.run("config", "rm", found["ID"])
    if lock := _try_create(swarm, stack, what):
        return lock
    raise LockedError(f"another deployer acquired the lock of {stack}", hint="invoke status")


def _after_cleanup(swarm: SwarmClient, stack: str) -> JSONObject | None:
    """Return the lock if it is held; wait for a cleanup that holds it."""
    end, logged = time.monotonic() + CLEANUP_SECONDS, False
    while (found := read_lock(swarm, stack)) and parse_holder(found).what == CLEANUP:
        if is_stale(swarm, stack) or time.monotonic() > end:
            break
        if not logged:
            log(f"waiting for the cleanup by {describe_lock(found)}")
            logged = True
        time.sleep(POLL_INTERVAL)
    return found


def _try_create(swarm: SwarmClient, stack: str, what: str) -> Lock | None:
    """Create the lock; return None if it exists."""
    content = json.dumps(asdict(_current_holder(what)))
    number = swarm.create_config(_lock_name(stack), content, {_label(stack): "lock"})
    return Lock(swarm, stack, number) if number else None


def send_heartbeats(swarm: SwarmClient, stack: str, over: threading.Event) -> None:
    """Renew the heartbeat until the event is set."""
    last = ""
    while not over.wait(HEARTBEAT_INTERVAL):
        with suppress(EngineUnavailableError):  # the next heartbeat may succeed
            last = renew_heartbeat(swarm, stack, last)


def renew_heartbeat(swarm: SwarmClient, stack: str, last: str) -> str:
    """Create a new heartbeat, remove the last one, and return the new name.

    Returns:
        The last name, if the engine rejects the new one.

    Raises:
        EngineUnavailableError: The engine does not answer.
    """
    sign = f"{stack}-beat-{uuid.uuid4().hex[:12]}"
    if not swarm.create_config(sign, "alive", {_label(stack): "beat"}):
        return last
    if last:
        swarm.run("config", "rm", last)
    return sign


def release(swarm: SwarmClient, stack: str) -> None:
    """Remove the lock and all heartbeats."""
    names = swarm.run(
        "config", "ls", f"--filter=label={_label(stack)}", "--format={{.Name}}"
    ).stdout
    swarm.run("config", "rm", *names.split())


def read_lock(swarm: SwarmClient, stack: str) -> JSONObject | None:
    """Return the lock; None if it is free."""
    found = swarm.inspect("config", _lock_name(stack))
    return found[0] if found else None


def is_stale(swarm: SwarmClient, stack: str) -> bool:
    """Return whether the last heartbeat is older than a minute, by the clock of the swarm."""
    names = swarm.run(
        "config", "ls", f"--filter=label={_label(stack)}", "--format={{.Name}}"
    ).stdout
    signs = [
        parse_timestamp(found["CreatedAt"]) for found in swarm.inspect("config", *names.split())
    ]
    now = parse_timestamp(swarm.check_output("info", "--format={{.SystemTime}}").strip())
    return not signs or now - max(signs) > _STALE_AFTER


def parse_timestamp(text: str) -> datetime:
    """Parse the engine's time: nanoseconds, in the time zone of its machine."""
    return datetime.fromisoformat(text)


def parse_holder(lock: JSONObject) -> _LockHolder:
    return _LockHolder(**json.loads(config_text(lock)))


def describe_lock(lock: JSONObject | None) -> str:
    """Return a text that names the holder."""
    if lock is None:
        return "a process that has just finished"
    found = parse_holder(lock)
    return f"{found.who} on {found.where}, since {lock['CreatedAt'][:19]}Z: {found.what}"


def _lock_name(stack: str) -> str:
    return f"{stack}-lock"


def _label(stack: str) -> str:
    """Return the label of the lock and its heartbeats."""
    return f"pipeline.lock.{stack}"
