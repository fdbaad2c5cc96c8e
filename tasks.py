"""What makes or moves artefacts, and what runs them: `invoke --list`. Checks are nox's."""

from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import task

from pipeline.errors import reported
from pipeline.run import run


@task
def up(_: Context) -> None:
    """Start the local services and wait until they are healthy."""
    compose("up", "--detach", "--wait")


@task
def down(_: Context) -> None:
    """Stop the local services; their data stays."""
    compose("down")


@task
def logs(_: Context) -> None:
    """Follow the logs of the local services."""
    compose("logs", "--follow")


def compose(*arguments: str) -> None:
    """Run docker compose on this repository's docker-compose.yml."""
    with reported():
        code = run(["docker", "compose", *arguments])
    if code:
        raise Exit(code=code)
