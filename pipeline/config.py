"""pipeline.toml, read and checked: whatever reads it, all that is wrong with it is an error.

A check takes as long as tomllib takes to read the file, some 2 ms, so that no result is kept on
disk, where it could be wrong, or could not be written.
"""

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from pipeline import checker
from pipeline.environments import Environment
from pipeline.errors import InputError
from pipeline.files import read_text
from pipeline.settings import Settings
from pipeline.toml import Fault, faults_error, line_of, lines_of

CONFIG_FILE = Path("pipeline.toml")
HINT = f"correct {CONFIG_FILE}; pipeline/settings.py says what each key means"


def load() -> Settings:
    """Read the team's one file.

    Raises:
        InputError: It is not here, it is no TOML, or something in it is wrong: every fault is named
            with its line.
    """
    return _read(read_text(CONFIG_FILE))


def main_branch() -> str:
    """Return the name of the branch that changes are compared with, and releases are made from."""
    return load().ci.main_branch


def get_environment(name: str) -> Environment:
    """Return an environment.

    Raises:
        InputError: There is none of that name, or pipeline.toml is wrong.
    """
    known = load().environments
    if name not in known:
        raise InputError(f"no such environment: `{name}`", hint=f"there are: {', '.join(known)}")
    return known[name]


def raise_for_faults(faults: Iterable[Fault]) -> None:
    """Refuse what only its reader knows to be wrong, such as a job that there is not.

    Raises:
        InputError: Names all faults, each with its line, if there are any.
    """
    if found := [*faults]:
        raise faults_error(CONFIG_FILE, read_text(CONFIG_FILE), found, HINT)


def line(fault: Fault) -> int:
    """Return the line where a fault stands."""
    return line_of(fault.place, lines_of(read_text(CONFIG_FILE)))


def python_versions() -> list[str]:
    """Return the versions of Python that are tested, the default one first.

    Raises:
        InputError: They cannot be read.
    """
    return read_text(Path(".python-version")).split()


def declared_secret_names(environments: Iterable[Environment]) -> list[str]:
    """Return the name of every secret that one of some environments is told, optional ones too."""
    names = (name for each in environments for name in (*each.secrets, *each.optional_secrets))
    return [*dict.fromkeys(names)]


@lru_cache(maxsize=1)
def _read(text: str) -> Settings:
    return checker.read_file(Settings, CONFIG_FILE, text, hint=HINT)
