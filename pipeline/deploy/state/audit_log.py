"""A log of other commands than deployments, kept in the swarm next to the journal."""

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass

from pipeline.deploy.cluster.client import SwarmClient
from pipeline.deploy.confirmation import current_actor, utc_now
from pipeline.errors import CheckFailedError, DeployAbortedError

MAX_ENTRIES = 30


@dataclass(frozen=True)
class _AuditEntry:
    """One command.

    Attributes:
        at: Time, in ISO 8601.
        by: The user.
        kind: `exec`, `maintenance`, `backup`, `renew` or `restore`.
        what: Its object; never a value that could be secret.
        outcome: Its result.
    """

    at: str
    by: str
    kind: str
    what: str
    outcome: str


@contextmanager
def recorded(swarm: SwarmClient, stack: str, kind: str, what: str) -> Iterator[None]:
    """Record the result of the block, as in `record`."""
    try:
        yield
    except BaseException as error:
        outcome = error.outcome if isinstance(error, DeployAbortedError) else "failed"
        with suppress(CheckFailedError):  # the error of the block is more important
            record(swarm, stack, kind, what, outcome)
        raise
    record(swarm, stack, kind, what, "succeeded")


def record(swarm: SwarmClient, stack: str, kind: str, what: str, outcome: str) -> None:
    """Record a command, and remove entries older than the last few.

    Raises:
        CheckFailedError: The swarm rejects the entry.
    """
    act = _AuditEntry(utc_now(), current_actor(), kind, what, outcome)
    name = f"{stack}-act-{uuid.uuid4().hex[:12]}"
    if not swarm.create_config(name, json.dumps(asdict(act)), {_label(stack): "act"}):
        raise CheckFailedError(f"the journal of {stack} cannot be written", hint="docker node ls")
    for old in list(swarm.configs(_label(stack)))[:-MAX_ENTRIES]:
        swarm.run("config", "rm", old)


def entries(swarm: SwarmClient, stack: str) -> list[_AuditEntry]:
    """Return all entries, the oldest first."""
    return [_AuditEntry(**json.loads(content)) for content in swarm.configs(_label(stack)).values()]


def _label(stack: str) -> str:
    """Return the label of all entries of a stack."""
    return f"pipeline.acts.{stack}"
