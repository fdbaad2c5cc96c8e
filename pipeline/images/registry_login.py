"""Log in to the registry, if the job has a token for it."""

import os

from pipeline.errors import InputError
from pipeline.images.targets import repository_for
from pipeline.process import capture


def login() -> None:
    """Log in with REGISTRY_TOKEN, passed on stdin; without a token, do nothing.

    Raises:
        InputError: The registry refuses the token.
    """
    token = os.environ.get("REGISTRY_TOKEN")
    if not token:
        return
    host = repository_for("").partition("/")[0]
    user = os.environ.get("GITHUB_ACTOR", "token")
    command = ["docker", "login", f"--username={user}", "--password-stdin", host]
    if capture(command, stdin=token).returncode:
        raise InputError(
            f"{host} refuses the token of {user}",
            hint="the job needs `packages: write`; REGISTRY_TOKEN must be its GITHUB_TOKEN",
        )
