"""The secrets of an environment: from the variables of this process, or from a file of its own."""

import hashlib
import stat
from collections.abc import Mapping
from pathlib import Path

from pipeline.deploy import env_file
from pipeline.deploy.pem import normalize_pem
from pipeline.environments import NOTIFY_URL, Environment
from pipeline.errors import InputError
from pipeline.files import read_text

DEPLOY_SSH_KEY = "DEPLOY_SSH_KEY"
"""A private key that the host lets in; who deploys from a laptop may have one of his own."""
PEM_BLOCK = ("TLS_CERTIFICATE", "TLS_KEY")


def load_secrets(environment: Environment, variables: Mapping[str, str]) -> dict[str, str]:
    """Return the value of every secret that an environment needs, or has without need.

    Args:
        environment: Where they are needed.
        variables: Those of this process; what is not among them is looked for in the file
            `.env.<environment>`, which nobody else may read.

    Raises:
        InputError: Names all that are missing or empty, and never a value.
    """
    known = configured_values(environment, variables)
    if missing := [name for name in environment.secrets if not known.get(name)]:
        raise InputError(
            f"secrets of {environment.name} are not set: {', '.join(missing)}",
            hint=setup_hint(environment),
        )
    told = [name for name in (*environment.optional_secrets, NOTIFY_URL) if known.get(name)]
    return {name: known[name] for name in (*environment.secrets, *told)}


def setup_hint(environment: Environment) -> str:
    """Say where the secrets of an environment come from."""
    if environment.is_local:
        return f"invoke generate-secrets --env={environment.name} makes them up"
    return f"set them as variables, or write them to {secrets_file(environment)} (chmod 600)"


def ssh_key(environment: Environment, variables: Mapping[str, str]) -> str:
    """Return the private key to an environment's host; nothing, if one's own keys will do."""
    return configured_values(environment, variables).get(DEPLOY_SSH_KEY, "")


def configured_values(environment: Environment, variables: Mapping[str, str]) -> dict[str, str]:
    """Return all that is set, here or in the environment's file.

    Raises:
        InputError: Others may read the file, or lines of it could mean two things.
    """
    path = secrets_file(environment)
    set_here = {name: value for name, value in variables.items() if value}
    found = {**(parse_env_file(path) if path.exists() else {}), **set_here}
    return found | {name: normalize_pem(found[name]) for name in PEM_BLOCK if name in found}


def secrets_file(environment: Environment) -> Path:
    """Return the file that may hold the secrets of an environment."""
    return Path(f".env.{environment.name}")


def parse_env_file(path: Path) -> dict[str, str]:
    """Read NAME=value lines.

    Raises:
        InputError: Others may read the file, or lines of it could mean two things.
    """
    text = read_text(path)
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise InputError(f"others may read {path}", hint=f"chmod 600 {path}")
    return env_file.parse(path, text)


def secret_object_name(stack: str, name: str, value: str) -> str:
    """Return what a secret is called in the engine: a changed value is another name.

    The engine refuses to change a secret, and the release before may still need the old one.
    """
    digest = hashlib.sha256(f"{name}\0{value}".encode()).hexdigest()[:8]
    return f"{stack}-{name.lower()}-{digest}"
