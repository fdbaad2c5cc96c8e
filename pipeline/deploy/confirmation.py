"""The user of a command, the time, and confirmations."""

import os
import sys
from dataclasses import dataclass
from datetime import UTC, datetime

from pipeline.environments import Environment
from pipeline.errors import InputError


@dataclass(frozen=True)
class Consent:
    """Confirmations given on the command line.

    Attributes:
        yes: Skip the prompt.
        log_out: Allow a deployment that logs out all users.
    """

    yes: bool = False
    log_out: bool = False


NO_CONSENT = Consent()


def current_actor() -> str:
    """Return the name of the current user (GITHUB_ACTOR, USER)."""
    return os.environ.get("GITHUB_ACTOR") or os.environ.get("USER") or "unknown"


def utc_now() -> str:
    """Return the time, in ISO 8601, in seconds."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def confirm(environment: Environment, what: str, *, yes: bool, always: bool = False) -> None:
    """Prompt for a confirmation, if the environment requires it.

    Args:
        environment: The environment.
        what: The action.
        yes: Whether it is confirmed already.
        always: Require it in every environment, because the action cannot be undone.

    Raises:
        InputError: It was not confirmed.
    """
    if yes or not (environment.confirm or always):
        return
    if not sys.stdin.isatty() or _prompt(f"{what}? type {environment.name}: ") != environment.name:
        raise InputError(
            f"not confirmed: {what}", hint="type the name of the environment, or use --yes"
        )


def _prompt(question: str) -> str:
    """Prompt on stderr; EOF counts as no answer."""
    print(question, end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip()
