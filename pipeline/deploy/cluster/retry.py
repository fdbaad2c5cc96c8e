"""Retries while the engine is unavailable; an error is never read as "not found"."""

import re
import time
from collections.abc import Callable
from typing import TypeVar

from pipeline.deploy.cluster import failure_causes
from pipeline.deploy.progress import log
from pipeline.errors import CheckFailedError
from pipeline.process import CommandResult, last_error_line

_T = TypeVar("_T")
POLL_INTERVAL = 0.5
RETRY_TIMEOUT = 30
"""Minimum of seconds to retry, even if the caller has less time."""
LEADER_ELECTION_TIMEOUT = 60
"""Seconds for the managers to elect a leader; until then nothing can be changed."""
_NO_LEADER_ERROR = re.compile(
    r"does not have a leader|deadline ?exceeded|code = unavailable", re.IGNORECASE
)
"""Errors of a manager during the election: first it waits for the leader that it knew."""
_NOT_FOUND_ERROR = re.compile(
    r"no such (service|task|config|secret|network|object)"
    r"|(service|task|config|secret|network) \S+ not found",
    re.IGNORECASE,
)


class EngineUnavailableError(CheckFailedError):
    """The engine does not answer, so the state is unknown; a retry may help."""


def retry_while_unavailable(query: Callable[[], _T], end: float = 0) -> _T:
    """Return the result of a query; repeat it while the engine is unavailable.

    Args:
        query: Queries the engine.
        end: The deadline of the caller, on the monotonic clock.

    Raises:
        EngineUnavailableError: The engine stays unavailable until the deadline.
    """
    deadline = max(end, time.monotonic() + RETRY_TIMEOUT)
    while True:
        try:
            return query()
        except EngineUnavailableError as error:
            if time.monotonic() > deadline:
                raise
            log(f"{error}; retrying")
            time.sleep(POLL_INTERVAL)


def retry_without_leader(ask: Callable[[], CommandResult]) -> CommandResult:
    """Return the result of a command; repeat it while the managers elect a leader.

    Args:
        ask: Runs the command. A command without an answer may have succeeded: the repeated one then
            reports that the object already exists, or does not exist any more.
    """
    end = time.monotonic() + LEADER_ELECTION_TIMEOUT
    while (answer := ask()).returncode and _NO_LEADER_ERROR.search(answer.stderr):
        if time.monotonic() > end:
            break
        log("the swarm has no leader; retrying")
        time.sleep(POLL_INTERVAL)
    return answer


def raise_if_unavailable(answer: CommandResult) -> None:
    """Raise on an error that does not mean "not found".

    Raises:
        EngineUnavailableError: The engine gave no answer.
    """
    if answer.returncode and not _NOT_FOUND_ERROR.search(answer.stderr):
        raise EngineUnavailableError(
            f"the engine does not answer: {last_error_line(answer)}",
            hint=failure_causes.hint_for_error(last_error_line(answer), "docker node ls"),
        )
