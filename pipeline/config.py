"""Read and check pipeline.toml; every error in it is reported to each reader.

The check takes about 2 ms, as long as tomllib takes to parse the file, so no result is cached on
disk.
"""

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from pipeline import toml_checker
from pipeline.environments import Environment
from pipeline.errors import InputError
from pipeline.files import read_text
from pipeline.settings import Settings
from pipeline.toml import Fault, faults_error, line_of, lines_of

CONFIG_FILE = Path("pipeline.toml")
_HINT = f"correct {CONFIG_FILE}; pipeline/settings.py documents the keys"


def load() -> Settings:
    """Read pipeline.toml.

    Raises:
        InputError: It is missing or invalid; names every error with its line.
    """
    return _read(read_text(CONFIG_FILE))


def main_branch() -> str:
    """Return the branch that changes are compared with, and releases are made from."""
    return load().ci.main_branch


def get_environment(name: str) -> Environment:
    """Return an environment.

    Raises:
        InputError: There is none of that name, or pipeline.toml is invalid.
    """
    known = load().environments
    if name not in known:
        raise InputError(f"no such environment: `{name}`", hint=f"environments: {', '.join(known)}")
    return known[name]


def raise_for_faults(faults: Iterable[Fault]) -> None:
    """Raise an error for faults that only the reader of a key can find, such as an unknown job.

    Raises:
        InputError: Names all faults, each with its line, if there are any.
    """
    if found := [*faults]:
        raise faults_error(CONFIG_FILE, read_text(CONFIG_FILE), found, _HINT)


def line(fault: Fault) -> int:
    """Return the line of a fault."""
    return line_of(fault.place, lines_of(read_text(CONFIG_FILE)))


def python_versions() -> list[str]:
    """Return the tested versions of Python, the default one first.

    Raises:
        InputError: The file cannot be read.
    """
    return read_text(Path(".python-version")).split()


def local_environment() -> Environment:
    """Return the environment on this machine.

    Raises:
        InputError: There is none, or pipeline.toml cannot be read.
    """
    for each in load().environments.values():
        if each.is_local:
            return each
    raise InputError("no environment is on this machine", hint="add one with a url of localhost")


def declared_secret_names(environments: Iterable[Environment]) -> list[str]:
    """Return the names of all secrets of some environments, optional ones too."""
    names = {name for each in environments for name in (*each.secrets, *each.optional_secrets)}
    return sorted(names)


@lru_cache(maxsize=1)
def _read(text: str) -> Settings:
    return toml_checker.read_file(Settings, CONFIG_FILE, text, hint=_HINT)
