"""The secrets of an environment: from the variables of this process, or from its .env file."""

import hashlib
import stat
from collections.abc import Mapping
from pathlib import Path

from pipeline.deploy import env_file
from pipeline.deploy.pem import normalize_pem
from pipeline.environments import NOTIFY_URL, SSH_KEY, Environment
from pipeline.errors import InputError
from pipeline.files import read_text

_PEM_BLOCK = ("TLS_CERTIFICATE", "TLS_KEY")


def load_secrets(environment: Environment, variables: Mapping[str, str]) -> dict[str, str]:
    """Return the values of all required secrets, and of the optional ones that are set.

    Args:
        environment: The environment.
        variables: The variables of this process; others are read from the private file
            `.env.<environment>`.

    Raises:
        InputError: Lists all missing or empty ones, never a value.
    """
    known = configured_values(environment, variables)
    if missing := [name for name in environment.secrets if not known.get(name)]:
        raise InputError(
            f"secrets of {environment.name} are not set: {', '.join(missing)}",
            hint=setup_hint(environment),
        )
    optional = [name for name in (*environment.optional_secrets, NOTIFY_URL) if known.get(name)]
    return {name: known[name] for name in (*environment.secrets, *optional)}


def setup_hint(environment: Environment) -> str:
    """Return the hint that explains how to set the secrets of an environment."""
    if environment.is_local:
        return f"invoke generate-secrets --env={environment.name}"
    return f"set them as variables, or write them to {secrets_file(environment)} (chmod 600)"


def ssh_key(environment: Environment, variables: Mapping[str, str]) -> str:
    """Return the SSH private key for the host; empty to use the caller's own keys."""
    return configured_values(environment, variables).get(SSH_KEY, "")


def configured_values(environment: Environment, variables: Mapping[str, str]) -> dict[str, str]:
    """Return all values that are set, here or in the file of the environment.

    Raises:
        InputError: Other users can read the file, or lines of it are ambiguous.
    """
    path = secrets_file(environment)
    set_here = {name: value for name, value in variables.items() if value}
    found = {**(parse_env_file(path) if path.exists() else {}), **set_here}
    return found | {name: normalize_pem(found[name]) for name in _PEM_BLOCK if name in found}


def secrets_file(environment: Environment) -> Path:
    return Path(f".env.{environment.name}")


def parse_env_file(path: Path) -> dict[str, str]:
    """Read NAME=value lines.

    Raises:
        InputError: Other users can read the file, or lines of it are ambiguous.
    """
    text = read_text(path)
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise InputError(f"{path} is readable by other users", hint=f"chmod 600 {path}")
    return env_file.parse(path, text)


def secret_object_name(stack: str, name: str, value: str) -> str:
    """Return the name of a secret in the engine; it contains a hash of the value.

    The engine cannot change a secret, and the previous release may still need the old one.
    """
    digest = hashlib.sha256(f"{name}\0{value}".encode()).hexdigest()[:8]
    return f"{stack}-{name.lower()}-{digest}"
