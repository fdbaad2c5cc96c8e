"""What was done to an environment besides deploying: kept in the swarm, beside the journal."""

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass

from pipeline.deploy.cluster.client import Swarm
from pipeline.deploy.confirmation import actor, now
from pipeline.errors import CheckFailedError, StoppedError

KEPT = 30


@dataclass(frozen=True)
class Act:
    """One thing that was done.

    Attributes:
        at: When, in ISO 8601.
        by: Who did it.
        kind: `exec`, `maintenance`, `backup`, `renew` or `restore`.
        what: Of what; never anything that could be a secret.
        outcome: What became of it.
    """

    at: str
    by: str
    kind: str
    what: str
    outcome: str


@contextmanager
def noted(swarm: Swarm, stack: str, kind: str, what: str) -> Iterator[None]:
    """Write down what becomes of the block, as in `note`."""
    try:
        yield
    except BaseException as error:
        outcome = error.outcome if isinstance(error, StoppedError) else "failed"
        with suppress(CheckFailedError):  # it says already why it failed
            note(swarm, stack, kind, what, outcome)
        raise
    note(swarm, stack, kind, what, "succeeded")


def note(swarm: Swarm, stack: str, kind: str, what: str, outcome: str) -> None:
    """Write down what was done just now, and forget what is older than the last few.

    Raises:
        CheckFailedError: The swarm does not take it.
    """
    act = Act(now(), actor(), kind, what, outcome)
    name = f"{stack}-act-{uuid.uuid4().hex[:12]}"
    if not swarm.create_config(name, json.dumps(asdict(act)), {label(stack): "act"}):
        raise CheckFailedError(f"the journal of {stack} cannot be written", hint="docker node ls")
    for old in list(swarm.configs(label(stack)))[:-KEPT]:
        swarm.ask("config", "rm", old)


def acts(swarm: Swarm, stack: str) -> list[Act]:
    """Return what was done, the oldest first."""
    return [Act(**json.loads(content)) for content in swarm.configs(label(stack)).values()]


def label(stack: str) -> str:
    """Return the label of all that was done to a stack."""
    return f"pipeline.acts.{stack}"
