"""Tell others what became of a deployment, where an environment names somebody to tell."""

import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPException
from urllib.request import Request, build_opener

from pipeline.deadline import call_with_deadline
from pipeline.deploy.confirmation import current_actor
from pipeline.deploy.progress import log
from pipeline.environments import NOTIFY_URL, Environment
from pipeline.errors import DeployAbortedError

TIMEOUT = 5
"""The seconds that it may take; nobody waits for it."""


@contextmanager
def notify_outcome(
    environment: Environment, credentials: Mapping[str, str], kind: str, version: str
) -> Iterator[None]:
    """Tell what became of the block, if it did anything.

    Args:
        environment: Where it did something.
        credentials: The values of the environment's secrets; NOTIFY_URL is who is told.
        kind: `deploy` or `rollback`.
        version: Of what.
    """
    began, outcome = time.monotonic(), "succeeded"
    try:
        yield
    except DeployAbortedError as error:
        outcome = error.outcome
        raise
    except BaseException:
        outcome = "failed"
        raise
    finally:
        if url := credentials.get(NOTIFY_URL):
            seconds = round(time.monotonic() - began)
            post(url, build_payload(environment, kind, version, outcome, seconds))


def build_payload(
    environment: Environment, kind: str, version: str, outcome: str, seconds: int
) -> dict[str, str | int]:
    """Return what is told; `text` is what Slack, and those who do as it does, show."""
    said = (
        f"{kind} of {version} to {environment.name}: {outcome}, by {current_actor()} in {seconds} s"
    )
    return {
        "text": f"{said}\n{run_url(environment)}",
        "environment": environment.name,
        "kind": kind,
        "release": version,
        "outcome": outcome,
        "actor": current_actor(),
        "seconds": seconds,
        "link": run_url(environment),
    }


def run_url(environment: Environment) -> str:
    """Return where to look: the run of GitHub's that did it, or the site."""
    names = ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID")
    server, repository, run = (os.environ.get(name) for name in names)
    return f"{server}/{repository}/actions/runs/{run}" if run else environment.url


def post(url: str, content: Mapping[str, str | int]) -> None:
    """Send it; if that does not work, say so without the URL, which is a secret, and go on."""
    try:
        headers = {"Content-Type": "application/json"}
        request = Request(url, json.dumps(content).encode(), headers)  # noqa: S310  # whoever may name it may name any
        call_with_deadline(
            TIMEOUT, lambda: build_opener().open(request, timeout=2 * TIMEOUT).close()
        )
    except (OSError, ValueError, HTTPException) as error:
        log(f"nobody was told: {NOTIFY_URL} does not work ({type(error).__name__})")
