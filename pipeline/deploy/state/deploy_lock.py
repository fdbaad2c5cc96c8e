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

from pipeline.deploy.cluster.client import Object, Swarm, text_of
from pipeline.deploy.cluster.retry import POLL_SECONDS, EngineAwayError, patiently
from pipeline.deploy.confirmation import actor
from pipeline.deploy.progress import say
from pipeline.errors import InputError, LostLockError

BEAT_SECONDS = 10
STALE = timedelta(seconds=60)
CLEANUP = "cleanup"
"""What the lock is held for after a deployment: no other one is refused for that, it waits."""
CLEANUP_SECONDS = 120
"""The seconds that it waits at most."""


@dataclass(frozen=True)
class Holder:
    """Who holds a lock, and what for."""

    who: str
    where: str
    what: str
    token: str = ""
    """Nobody else's, not even that of a process which had this number before."""


class LockedError(InputError):
    """Somebody else deploys."""


def holder(what: str) -> Holder:
    """Return this process as a holder of the lock."""
    where = f"{socket.gethostname()}, process {os.getpid()}"
    return Holder(actor(), where, what, uuid.uuid4().hex)


@dataclass(frozen=True)
class Lock:
    """A lock that is held, by the number that the engine gave it."""

    swarm: Swarm
    stack: str
    number: str

    @property
    def held(self) -> bool:
        """Whether it is still ours; who was away for long may have been taken for dead."""
        found = patiently(lambda: current(self.swarm, self.stack))
        return found is not None and found["ID"] == self.number

    def require(self) -> None:
        """Refuse to go on where somebody else does already.

        Raises:
            LostLockError: It is not ours any more.
            EngineAwayError: The engine does not say.
        """
        if not self.held:
            who = described(current(self.swarm, self.stack))
            raise LostLockError(
                f"the lock of {self.stack} was taken over by {who}",
                hint="he puts right what was begun here: invoke status, invoke history",
            )


@contextmanager
def locked(swarm: Swarm, stack: str, what: str) -> Iterator[Lock]:
    """Hold the lock of a stack as long as the block runs.

    Args:
        swarm: Where the stack is.
        stack: What is locked.
        what: Why, for others to read.

    Raises:
        LockedError: Somebody else holds it, and lives.
    """
    lock = take(swarm, stack, what)
    over = threading.Event()
    beating = threading.Thread(target=beat, args=(swarm, stack, over), daemon=True)
    beating.start()
    try:
        yield lock
    finally:
        over.set()
        beating.join()
        if lock.held:
            release(swarm, stack)  # else somebody took it over, and it is his to give back


def take(swarm: Swarm, stack: str, what: str) -> Lock:
    """Take the lock, from a holder who is dead if need be.

    Raises:
        LockedError: Somebody else holds it, and lives.
    """
    if lock := made(swarm, stack, what):
        return lock
    found = after_cleanup(swarm, stack)
    if found is None and (lock := made(swarm, stack, what)):
        return lock
    if found is None or not is_stale(swarm, stack):
        raise LockedError(
            f"{stack} is locked by {described(found)}",
            hint="wait for it; if it is dead, the lock is free after a minute: invoke unlock",
        )
    print(f"taking over a stale lock of {described(found)}", file=sys.stderr)
    # By its number: of several who find it stale, one removes this lock, the others none.
    swarm.ask("config", "rm", found["ID"])
    if lock := made(swarm, stack, what):
        return lock
    raise LockedError(f"somebody else took the lock of {stack}", hint="invoke status")


def after_cleanup(swarm: Swarm, stack: str) -> Object | None:
    """Return the lock, if it is held; a cleanup is waited for, as long as it lives."""
    end, told = time.monotonic() + CLEANUP_SECONDS, False
    while (found := current(swarm, stack)) and held_by(found).what == CLEANUP:
        if is_stale(swarm, stack) or time.monotonic() > end:
            break
        if not told:
            say(f"waiting for the cleanup by {described(found)}")
            told = True
        time.sleep(POLL_SECONDS)
    return found


def made(swarm: Swarm, stack: str, what: str) -> Lock | None:
    """Make the lock, unless it is there."""
    content = json.dumps(asdict(holder(what)))
    number = swarm.create_config(name(stack), content, {label(stack): "lock"})
    return Lock(swarm, stack, number) if number else None


def beat(swarm: Swarm, stack: str, over: threading.Event) -> None:
    """Leave signs of life until told that it is over; the newest one stays."""
    last = ""
    while not over.wait(BEAT_SECONDS):
        with suppress(EngineAwayError):  # it may be there again for the next one
            last = renewed(swarm, stack, last)


def renewed(swarm: Swarm, stack: str, last: str) -> str:
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
        swarm.ask("config", "rm", last)
    return sign


def release(swarm: Swarm, stack: str) -> None:
    """Give the lock back, with all signs of life."""
    names = swarm.ask("config", "ls", f"--filter=label={label(stack)}", "--format={{.Name}}").stdout
    swarm.ask("config", "rm", *names.split())


def current(swarm: Swarm, stack: str) -> Object | None:
    """Return the lock, if somebody holds it."""
    found = swarm.inspect("config", name(stack))
    return found[0] if found else None


def is_stale(swarm: Swarm, stack: str) -> bool:
    """Say whether the holder left no sign of life for a minute, by the swarm's own clock."""
    names = swarm.ask("config", "ls", f"--filter=label={label(stack)}", "--format={{.Name}}").stdout
    signs = [moment(found["CreatedAt"]) for found in swarm.inspect("config", *names.split())]
    now = moment(swarm.tell("info", "--format={{.SystemTime}}").strip())
    return not signs or now - max(signs) > STALE


def moment(text: str) -> datetime:
    """Read the engine's way to write a time: nanoseconds, and in the time zone of its machine."""
    return datetime.fromisoformat(text)


def held_by(lock: Object) -> Holder:
    """Return who holds a lock."""
    return Holder(**json.loads(text_of(lock)))


def described(lock: Object | None) -> str:
    """Say who holds a lock."""
    if lock is None:
        return "somebody who has just left"
    found = held_by(lock)
    return f"{found.who} on {found.where}, since {lock['CreatedAt'][:19]}Z: {found.what}"


def name(stack: str) -> str:
    """Return what the lock is called."""
    return f"{stack}-lock"


def label(stack: str) -> str:
    """Return the label of all that belongs to the lock."""
    return f"pipeline.lock.{stack}"
