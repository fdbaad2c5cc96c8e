"""No secret of a rehearsal may stand in a log, in what the engine tells, or in what was built."""

from collections.abc import Iterator, Mapping

from pipeline import exposure
from pipeline.errors import CheckFailedError
from pipeline.rehearsal.yard import ENVIRONMENTS, Yard
from pipeline.run import read

TELLING = {
    "service": (("logs", "--raw"), ("inspect",)),
    "config": (("inspect", "--pretty"),),  # as JSON, the content is encoded
}


def require_kept(yard: Yard) -> None:
    """See to it that nobody can see a secret, once all is deployed.

    Args:
        yard: Where the rehearsal takes place.

    Raises:
        CheckFailedError: Somebody can; all places are named.
    """
    shown = [*in_engine(yard), *exposure.in_folder(yard.secrets, yard.folder)]
    if shown:
        raise CheckFailedError(f"secrets are shown: {'; '.join(shown)}", hint="print none of them")


def in_engine(yard: Yard) -> Iterator[str]:
    """Yield each secret that the engine tells of an environment, with the command that shows it."""
    env = yard.cluster.manager.variables() if yard.cluster else {}
    for environment in ENVIRONMENTS:
        for command in commands(yard.stack(environment), env):
            output = read(command, env=env)
            seen = exposure.in_text(yard.secrets, output.stdout + output.stderr)
            yield from (f"{secret} in `{' '.join(command)}`" for secret in seen)


def commands(stack: str, env: Mapping[str, str]) -> Iterator[list[str]]:
    """Yield every question that the engine answers about what belongs to a stack."""
    for kind, questions in TELLING.items():
        listing = ["docker", kind, "ls", f"--filter=name={stack}", "--format={{.Name}}"]
        for name in read(listing, env=env).stdout.split():
            yield from (["docker", kind, *question, name] for question in questions)
