"""What an engine does not say is not taken for an answer; one that is away is asked again."""

import re
import time
from collections.abc import Callable
from typing import TypeVar

from pipeline.deploy.cluster import failure_causes
from pipeline.deploy.progress import say
from pipeline.errors import CheckFailedError
from pipeline.process import Output, last_words

Asked = TypeVar("Asked")
POLL_SECONDS = 0.5
PATIENCE_SECONDS = 30
"""An engine may be away for that long, whatever else there is time for."""
LEADER_SECONDS = 60
"""Managers may take that long to agree on another leader; until then nothing can be changed."""
LEADERLESS = re.compile(
    r"does not have a leader|deadline ?exceeded|code = unavailable", re.IGNORECASE
)
"""What a manager says meanwhile: at first it waits in vain for the leader that it knew."""
ABSENT = re.compile(
    r"no such (service|task|config|secret|network|object)"
    r"|(service|task|config|secret|network) \S+ not found",
    re.IGNORECASE,
)


class EngineAwayError(CheckFailedError):
    """The engine does not answer: whoever asked knows nothing, and may ask again."""


def patiently(question: Callable[[], Asked], end: float = 0) -> Asked:
    """Return what the engine says; one that is away for a moment is asked again.

    Args:
        question: Asks it.
        end: When the time is over that there is anyway, on the monotonic clock.

    Raises:
        EngineAwayError: It is away for longer than there is time.
    """
    patience = max(end, time.monotonic() + PATIENCE_SECONDS)
    while True:
        try:
            return question()
        except EngineAwayError as error:
            if time.monotonic() > patience:
                raise
            say(f"{error}; asking again")
            time.sleep(POLL_SECONDS)


def led(ask: Callable[[], Output]) -> Output:
    """Return what a swarm answers that has a leader; one that chooses another is asked again.

    Args:
        ask: Asks it. What it said no word of may have been done all the same: asked again, it says
            that it is there already, or not there any more.
    """
    end = time.monotonic() + LEADER_SECONDS
    while (answer := ask()).returncode and LEADERLESS.search(answer.stderr):
        if time.monotonic() > end:
            break
        say("the swarm has no leader; asking again")
        time.sleep(POLL_SECONDS)
    return answer


def require_answer(answer: Output) -> None:
    """Tell an engine that says that something is not there from one that says nothing.

    Raises:
        EngineAwayError: It says nothing.
    """
    if answer.returncode and not ABSENT.search(answer.stderr):
        raise EngineAwayError(
            f"the engine does not answer: {last_words(answer)}",
            hint=failure_causes.hint(last_words(answer), "docker node ls"),
        )
