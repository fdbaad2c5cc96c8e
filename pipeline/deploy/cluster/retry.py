"""What an engine does not say is not taken for an answer; one that is away is asked again."""

import re
import time
from collections.abc import Callable
from typing import TypeVar

from pipeline.deploy.cluster import failure_causes
from pipeline.deploy.progress import log
from pipeline.errors import CheckFailedError
from pipeline.process import CommandResult, last_error_line

T = TypeVar("T")
POLL_INTERVAL = 0.5
RETRY_TIMEOUT = 30
"""An engine may be away for that long, whatever else there is time for."""
LEADER_ELECTION_TIMEOUT = 60
"""Managers may take that long to agree on another leader; until then nothing can be changed."""
NO_LEADER_ERROR = re.compile(
    r"does not have a leader|deadline ?exceeded|code = unavailable", re.IGNORECASE
)
"""What a manager says meanwhile: at first it waits in vain for the leader that it knew."""
NOT_FOUND_ERROR = re.compile(
    r"no such (service|task|config|secret|network|object)"
    r"|(service|task|config|secret|network) \S+ not found",
    re.IGNORECASE,
)


class EngineUnavailableError(CheckFailedError):
    """The engine does not answer: whoever asked knows nothing, and may ask again."""


def retry_while_unavailable(question: Callable[[], T], end: float = 0) -> T:
    """Return what the engine says; one that is away for a moment is asked again.

    Args:
        question: Asks it.
        end: When the time is over that there is anyway, on the monotonic clock.

    Raises:
        EngineAwayError: It is away for longer than there is time.
    """
    patience = max(end, time.monotonic() + RETRY_TIMEOUT)
    while True:
        try:
            return question()
        except EngineUnavailableError as error:
            if time.monotonic() > patience:
                raise
            log(f"{error}; asking again")
            time.sleep(POLL_INTERVAL)


def retry_without_leader(ask: Callable[[], CommandResult]) -> CommandResult:
    """Return what a swarm answers that has a leader; one that chooses another is asked again.

    Args:
        ask: Asks it. What it said no word of may have been done all the same: asked again, it says
            that it is there already, or not there any more.
    """
    end = time.monotonic() + LEADER_ELECTION_TIMEOUT
    while (answer := ask()).returncode and NO_LEADER_ERROR.search(answer.stderr):
        if time.monotonic() > end:
            break
        log("the swarm has no leader; asking again")
        time.sleep(POLL_INTERVAL)
    return answer


def raise_if_unavailable(answer: CommandResult) -> None:
    """Tell an engine that says that something is not there from one that says nothing.

    Raises:
        EngineAwayError: It says nothing.
    """
    if answer.returncode and not NOT_FOUND_ERROR.search(answer.stderr):
        raise EngineUnavailableError(
            f"the engine does not answer: {last_error_line(answer)}",
            hint=failure_causes.hint_for_error(last_error_line(answer), "docker node ls"),
        )
