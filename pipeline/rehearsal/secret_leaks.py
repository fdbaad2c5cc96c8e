"""Search logs, `docker inspect` and built files for the secrets of a rehearsal."""

from collections.abc import Iterator, Mapping

from pipeline import secret_search
from pipeline.errors import CheckFailedError
from pipeline.process import capture
from pipeline.rehearsal.workspace import ENVIRONMENTS, Sandbox

_INSPECT_COMMANDS = {"service": ["inspect"], "config": ["inspect", "--pretty"]}
"""Commands that print what the engine stores; as JSON, the content of a config is encoded."""


def require_no_leaks(sandbox: Sandbox) -> None:
    """Check that no secret is readable after all deploys.

    Args:
        sandbox: Where the rehearsal runs.

    Raises:
        CheckFailedError: Names all places that show a secret.
    """
    shown = [
        *_leaks_in_engine(sandbox),
        *secret_search.secrets_in_directory(sandbox.secrets, sandbox.folder),
    ]
    if shown:
        raise CheckFailedError(
            f"secrets are shown: {'; '.join(shown)}", hint="remove the secrets from these places"
        )


def _leaks_in_engine(sandbox: Sandbox) -> Iterator[str]:
    """Yield each secret that an engine shows, with the command that shows it."""
    for env in sandbox.engines:
        for environment in ENVIRONMENTS:
            for command in _inspect_commands(sandbox.stack(environment), env):
                output = capture(command, env=env)
                seen = secret_search.secrets_in_text(sandbox.secrets, output.stdout + output.stderr)
                yield from (f"{secret} in `{' '.join(command)}`" for secret in seen)


def _inspect_commands(stack: str, env: Mapping[str, str]) -> Iterator[list[str]]:
    """Yield every command that prints what an engine stores of a stack.

    Logs are read from each container, as those of a service may not end:
    https://github.com/docker/cli/issues/4678
    """
    of = f"--filter=name={stack}"
    for kind, inspect in _INSPECT_COMMANDS.items():
        listed = capture(["docker", kind, "ls", of, "--format={{.Name}}"], env=env).stdout
        yield from (["docker", kind, *inspect, name] for name in listed.split())
    containers = capture(["docker", "ps", "--all", of, "--format={{.Names}}"], env=env).stdout
    yield from (["docker", "logs", name] for name in containers.split())
