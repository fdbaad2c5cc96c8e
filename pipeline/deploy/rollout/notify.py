"""Post the result of each deployment to the webhook NOTIFY_URL, if it is set."""

import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPException
from urllib.request import Request, build_opener

from pipeline.deadline import call_with_deadline
from pipeline.deploy.cluster.deploy_target import DeployTarget
from pipeline.deploy.confirmation import current_actor
from pipeline.deploy.progress import log
from pipeline.environments import NOTIFY_URL, Environment
from pipeline.errors import DeployAbortedError

TIMEOUT = 5
"""Seconds for the whole request: a slow webhook must not hold up a deployment."""


@contextmanager
def notify_outcome(target: DeployTarget, kind: str, version: str) -> Iterator[None]:
    """Post the outcome of the block.

    Args:
        target: The target of the deployment; NOTIFY_URL is one of its secrets.
        kind: `deploy` or `rollback`.
        version: The deployed version.
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
        if url := target.secrets.get(NOTIFY_URL):
            seconds = round(time.monotonic() - began)
            post(url, _build_payload(target.environment, kind, version, outcome, seconds))


def _build_payload(
    environment: Environment, kind: str, version: str, outcome: str, seconds: int
) -> dict[str, str | int]:
    """Return the JSON to post; Slack and compatible tools show `text`."""
    summary = (
        f"{kind} of {version} to {environment.name}: {outcome}, by {current_actor()} in {seconds} s"
    )
    return {
        "text": f"{summary}\n{run_url(environment)}",
        "environment": environment.name,
        "kind": kind,
        "release": version,
        "outcome": outcome,
        "actor": current_actor(),
        "seconds": seconds,
        "link": run_url(environment),
    }


def run_url(environment: Environment) -> str:
    """Return the URL of the GitHub run, or of the site outside of GitHub."""
    names = ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID")
    server, repository, run = (os.environ.get(name) for name in names)
    return f"{server}/{repository}/actions/runs/{run}" if run else environment.url


def post(url: str, content: Mapping[str, str | int]) -> None:
    """Post JSON; log a failure without the URL, which is a secret, and continue."""
    try:
        headers = {"Content-Type": "application/json"}
        request = Request(url, json.dumps(content).encode(), headers)  # noqa: S310  # the operator chooses the URL
        call_with_deadline(
            TIMEOUT, lambda: build_opener().open(request, timeout=2 * TIMEOUT).close()
        )
    except (OSError, ValueError, HTTPException) as error:
        log(f"notification failed: {NOTIFY_URL} ({type(error).__name__})")
