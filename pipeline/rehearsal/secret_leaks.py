"""No secret of a rehearsal may stand in a log, in what the engine tells, or in what was built."""

from collections.abc import Iterator, Mapping

from pipeline import secret_search
from pipeline.errors import CheckFailedError
from pipeline.process import capture
from pipeline.rehearsal.workspace import ENVIRONMENTS, Sandbox

INSPECT_COMMANDS = {"service": ["inspect"], "config": ["inspect", "--pretty"]}
"""How the engine tells what it was given; as JSON, the content of a config is encoded."""


def require_no_leaks(yard: Sandbox) -> None:
    """See to it that nobody can see a secret, once all is deployed.

    Args:
        yard: Where the rehearsal takes place.

    Raises:
        CheckFailedError: Somebody can; all places are named.
    """
    shown = [*leaks_in_engine(yard), *secret_search.secrets_in_directory(yard.secrets, yard.folder)]
    if shown:
        raise CheckFailedError(f"secrets are shown: {'; '.join(shown)}", hint="print none of them")


def leaks_in_engine(yard: Sandbox) -> Iterator[str]:
    """Yield each secret that an engine tells of an environment, with the command that shows it."""
    for env in yard.engines:
        for environment in ENVIRONMENTS:
            for command in inspect_commands(yard.stack(environment), env):
                output = capture(command, env=env)
                seen = secret_search.secrets_in_text(yard.secrets, output.stdout + output.stderr)
                yield from (f"{secret} in `{' '.join(command)}`" for secret in seen)


def inspect_commands(stack: str, env: Mapping[str, str]) -> Iterator[list[str]]:
    """Yield every question that an engine answers about what belongs to a stack.

    Logs are asked of each container, since those of a service may never end:
    https://github.com/docker/cli/issues/4678
    """
    of = f"--filter=name={stack}"
    for kind, question in INSPECT_COMMANDS.items():
        listed = capture(["docker", kind, "ls", of, "--format={{.Name}}"], env=env).stdout
        yield from (["docker", kind, *question, name] for name in listed.split())
    containers = capture(["docker", "ps", "--all", of, "--format={{.Names}}"], env=env).stdout
    yield from (["docker", "logs", name] for name in containers.split())
