"""One deployment at a time: a lock in the swarm itself, which every manager sees.

The lock is a config object: of all who try to make it at once, one succeeds. Its holder leaves a
sign of life every few seconds; without one it is stale, and may be taken.
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
STALE_AFTER = timedelta(seconds=60)
CLEANUP = "cleanup"
"""What the lock is held for after a deployment: no other one is refused for that, it waits."""
CLEANUP_SECONDS = 120
"""The seconds that it waits at most."""


@dataclass(frozen=True)
class LockHolder:
    """Who holds a lock, and what for."""

    who: str
    where: str
    what: str
    token: str = ""
    """Nobody else's, not even that of a process which had this number before."""


class LockedError(InputError):
    """Somebody else deploys."""


def current_holder(what: str) -> LockHolder:
    """Return this process as a holder of the lock."""
    where = f"{socket.gethostname()}, process {os.getpid()}"
    return LockHolder(current_actor(), where, what, uuid.uuid4().hex)


@dataclass(frozen=True)
class Lock:
    """A lock that is held, by the number that the engine gave it."""

    swarm: SwarmClient
    stack: str
    config_id: str

    @property
    def is_held(self) -> bool:
        """Whether it is still ours; who was away for long may have been taken for dead."""
        found = retry_while_unavailable(lambda: read_lock(self.swarm, self.stack))
        return found is not None and found["ID"] == self.config_id

    def require_held(self) -> None:
        """Refuse to go on where somebody else does already.

        Raises:
            LostLockError: It is not ours any more.
            EngineAwayError: The engine does not say.
        """
        if not self.is_held:
            who = describe_lock(read_lock(self.swarm, self.stack))
            raise LockLostError(
                f"the lock of {self.stack} was taken over by {who}",
                hint="he puts right what was begun here: invoke status, invoke history",
            )


@contextmanager
def hold_lock(swarm: SwarmClient, stack: str, what: str) -> Iterator[Lock]:
    """Hold the lock of a stack as long as the block runs.

    Args:
        swarm: Where the stack is.
        stack: What is locked.
        what: Why, for others to read.

    Raises:
        LockedError: Somebody else holds it, and lives.
    """
    lock = acquire(swarm, stack, what)
    over = threading.Event()
    beating = threading.Thread(target=send_heartbeats, args=(swarm, stack, over), daemon=True)
    beating.start()
    try:
        yield lock
    finally:
        over.set()
        beating.join()
        if lock.is_held:
            release(swarm, stack)  # else somebody took it over, and it is his to give back


def acquire(swarm: SwarmClient, stack: str, what: str) -> Lock:
    """Take the lock, from a holder who is dead if need be.

    Raises:
        LockedError: Somebody else holds it, and lives.
    """
    if lock := try_create(swarm, stack, what):
        return lock
    found = after_cleanup(swarm, stack)
    if found is None and (lock := try_create(swarm, stack, what)):
        return lock
    if found is None or not is_stale(swarm, stack):
        raise LockedError(
            f"{stack} is locked by {describe_lock(found)}",
            hint="wait for it; if it is dead, the lock is free after a minute: invoke unlock",
        )
    print(f"taking over a stale lock of {describe_lock(found)}", file=sys.stderr)
    # By its number: of several who find it stale, one removes this lock, the others none.
    swarm.run("config", "rm", found["ID"])
    if lock := try_create(swarm, stack, what):
        return lock
    raise LockedError(f"somebody else took the lock of {stack}", hint="invoke status")


def after_cleanup(swarm: SwarmClient, stack: str) -> JSONObject | None:
    """Return the lock, if it is held; a cleanup is waited for, as long as it lives."""
    end, told = time.monotonic() + CLEANUP_SECONDS, False
    while (found := read_lock(swarm, stack)) and parse_holder(found).what == CLEANUP:
        if is_stale(swarm, stack) or time.monotonic() > end:
            break
        if not told:
            log(f"waiting for the cleanup by {describe_lock(found)}")
            told = True
        time.sleep(POLL_INTERVAL)
    return found


def try_create(swarm: SwarmClient, stack: str, what: str) -> Lock | None:
    """Make the lock, unless it is there."""
    content = json.dumps(asdict(current_holder(what)))
    number = swarm.create_config(lock_name(stack), content, {label(stack): "lock"})
    return Lock(swarm, stack, number) if number else None


def send_heartbeats(swarm: SwarmClient, stack: str, over: threading.Event) -> None:
    """Leave signs of life until told that it is over; the newest one stays."""
    last = ""
    while not over.wait(HEARTBEAT_INTERVAL):
        with suppress(EngineUnavailableError):  # it may be there again for the next one
            last = renew_heartbeat(swarm, stack, last)


def renew_heartbeat(swarm: SwarmClient, stack: str, last: str) -> str:
    """Leave a sign of life in the place of the last one, and return its name.

    Returns:
        That of the last one, which stays, if the engine takes no other.

    Raises:
        EngineAwayError: The engine does not say whether it did.
    """
    sign = f"{stack}-beat-{uuid.uuid4().hex[:12]}"
    if not swarm.create_config(sign, "alive", {label(stack): "beat"}):
        return last
    if last:
        swarm.run("config", "rm", last)
    return sign


def release(swarm: SwarmClient, stack: str) -> None:
    """Give the lock back, with all signs of life."""
    names = swarm.run("config", "ls", f"--filter=label={label(stack)}", "--format={{.Name}}").stdout
    swarm.run("config", "rm", *names.split())


def read_lock(swarm: SwarmClient, stack: str) -> JSONObject | None:
    """Return the lock, if somebody holds it."""
    found = swarm.inspect("config", lock_name(stack))
    return found[0] if found else None


def is_stale(swarm: SwarmClient, stack: str) -> bool:
    """Say whether the holder left no sign of life for a minute, by the swarm's own clock."""
    names = swarm.run("config", "ls", f"--filter=label={label(stack)}", "--format={{.Name}}").stdout
    signs = [
        parse_timestamp(found["CreatedAt"]) for found in swarm.inspect("config", *names.split())
    ]
    now = parse_timestamp(swarm.check_output("info", "--format={{.SystemTime}}").strip())
    return not signs or now - max(signs) > STALE_AFTER


def parse_timestamp(text: str) -> datetime:
    """Read the engine's way to write a time: nanoseconds, and in the time zone of its machine."""
    return datetime.fromisoformat(text)


def parse_holder(lock: JSONObject) -> LockHolder:
    """Return who holds a lock."""
    return LockHolder(**json.loads(config_text(lock)))


def describe_lock(lock: JSONObject | None) -> str:
    """Say who holds a lock."""
    if lock is None:
        return "somebody who has just left"
    found = parse_holder(lock)
    return f"{found.who} on {found.where}, since {lock['CreatedAt'][:19]}Z: {found.what}"


def lock_name(stack: str) -> str:
    """Return what the lock is called."""
    return f"{stack}-lock"


def label(stack: str) -> str:
    """Return the label of all that belongs to the lock."""
    return f"pipeline.lock.{stack}"
