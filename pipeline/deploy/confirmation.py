"""Who does something to an environment, when, and whether a person agrees to it."""

import os
import sys
from dataclasses import dataclass
from datetime import UTC, datetime

from pipeline.environments import Environment
from pipeline.errors import InputError


@dataclass(frozen=True)
class Consent:
    """What a person has agreed to already.

    Attributes:
        yes: That it is done, where the environment asks.
        log_out: That all members are logged out by it.
    """

    yes: bool = False
    log_out: bool = False


NO_CONSENT = Consent()


def current_actor() -> str:
    """Return who acts here, as others know him."""
    return os.environ.get("GITHUB_ACTOR") or os.environ.get("USER") or "somebody"


def utc_now() -> str:
    """Return the time, in ISO 8601 to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def confirm(environment: Environment, what: str, *, yes: bool, always: bool = False) -> None:
    """Ask a person, where the environment wants that.

    Args:
        environment: Where something is to be done.
        what: What that is.
        yes: Whether a person has agreed already.
        always: Whether every environment wants it, since it cannot be undone.

    Raises:
        InputError: Nobody agreed.
    """
    if yes or not (environment.confirm or always):
        return
    if not sys.stdin.isatty() or prompt(f"{what}? type {environment.name}: ") != environment.name:
        raise InputError(f"nobody agreed to {what}", hint="type its name when asked, or give --yes")


def prompt(question: str) -> str:
    """Ask on the screen; who ends the input has answered nothing."""
    print(question, end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip()
