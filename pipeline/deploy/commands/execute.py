"""Runs one command with the image, variables, secrets and network of the live release."""

import shlex
import sys
import uuid

from pipeline import streams
from pipeline.config import load
from pipeline.deploy.cluster.client import SwarmClient
from pipeline.deploy.cluster.one_shot_jobs import (
    job_for_service,
    require_run,
    running_job,
    wait_for_job,
)
from pipeline.deploy.cluster.tasks import exit_code
from pipeline.deploy.confirmation import confirm
from pipeline.deploy.progress import log
from pipeline.deploy.signals import raise_on_signal
from pipeline.deploy.state import audit_log, journal
from pipeline.deploy.target import connect
from pipeline.environments import Environment
from pipeline.errors import InputError


class _LogStreamer:
    """Prints new output of a job as it arrives, stdout and stderr separately."""

    def __init__(self, swarm: SwarmClient, job: str) -> None:
        self.swarm = swarm
        self.job = job
        self.printed = [0, 0]

    def __call__(self) -> None:
        """Print the new output."""
        logs = self.swarm.full_logs(self.job)
        for number, stream in enumerate((sys.stdout, sys.stderr)):
            text = (logs.stdout, logs.stderr)[number]
            streams.write_raw(text[self.printed[number] :], stream)
            self.printed[number] = max(self.printed[number], len(text))


def run_command(
    environment: Environment, command: str, *, service: str | None, seconds: int, yes: bool = False
) -> int:
    """Run a command next to the live release, and return its exit code.

    Args:
        environment: The environment.
        command: The command, with the quoting of a shell; no shell runs it.
        service: The service whose image and secrets it gets; by default the API.
        seconds: The time limit.
        yes: Skip the confirmation.

    Raises:
        InputError: There is no such service, or no command; nothing was changed.
        JobNotStartedError: No node started it.
        JobFailedError: It took too long, and was stopped.
    """
    program, *rest = words = split_command(command)
    service = service or load().app.api
    target = connect(environment)
    live = journal.last_successful(journal.entries(target.swarm, environment.stack))
    if live is None or service not in live.services:
        known = ", ".join(live.services) if live else "none, before the first deploy"
        raise InputError(f"no such service: `{service}`", hint=f"known services: {known}")
    confirm(environment, f"run {program} on {environment.name}", yes=yes)
    name = f"exec-{uuid.uuid4().hex[:8]}"
    job = job_for_service(environment.stack, name, live.services[service], words)
    log(f"running {program} as {service} of {live.version}")
    what = f"{service}: {redact_command(program, rest)}"
    audit_log.record(target.swarm, environment.stack, "exec", what, "started")
    with raise_on_signal(), running_job(target.swarm, environment.stack, job):
        echo = _LogStreamer(target.swarm, job.name)
        tasks = wait_for_job(target, job, seconds, echo)
        require_run(target.swarm, environment.stack, job, tasks)
        code = max(map(exit_code, tasks))
        echo()
    audit_log.record(target.swarm, environment.stack, "exec", what, f"exit code {code}")
    return code


def split_command(command: str) -> list[str]:
    """Split a command into words, as a shell does.

    Raises:
        InputError: There are no words, or a quote is not closed.
    """
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise InputError(f"the command cannot be read: {error}", hint="close its quotes") from None
    if not words:
        raise InputError(
            "there is no command", hint=f'--command "{load().app.manage} showmigrations"'
        )
    return words


def redact_command(program: str, rest: list[str]) -> str:
    """Return the first words of a command for the journal; later words may be secret.

    A script and a management command count: `python manage.py NAME …`.
    """
    kept = []
    for word in rest[:2]:
        if word.startswith("-") or not word.replace("_", "").replace(".", "").isalnum():
            break
        kept.append(word)
    more = ["…"] if len(kept) < len(rest) else []
    return " ".join([program, *kept, *more])
