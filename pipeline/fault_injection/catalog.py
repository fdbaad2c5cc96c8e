"""The catalogue of faults: the edits for each gate, and the text that its tool then prints.

It is stored in `faults/*.toml`; the head of faults/pipeline.toml explains the format.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated

from pipeline import toml, toml_checker
from pipeline.errors import InputError
from pipeline.fault_injection.edit import Edit
from pipeline.files import read_text
from pipeline.toml_schema import Constraint, Table

_CATALOG_DIR = Path("faults")
_HINT = "the head of faults/pipeline.toml explains it"
Command = Annotated[tuple[str, ...], Constraint("a list in square brackets", repeats=True)]
LOCAL_CATALOG_DIR = _CATALOG_DIR / "local"  # of sessions that no CI job runs


class Fault(Table):
    """A change of the product or its environment, and what the tool of the gate prints about it."""

    expect: Annotated[str, Constraint("text that is not empty", bool)]
    """The exact text that the tool prints, and does not print without the fault."""
    change: tuple[Edit, ...] = ()
    env: Mapping[str, str] = {}
    """Environment variables that are the fault, or a part of it."""
    options: Command | None = None
    """Replaces the options of the gate."""
    wrapper: Command | None = None
    """Replaces the wrapper of the gate."""
    row: str = ""
    """The only row of the job's matrix that can detect it; all rows, if empty."""
    slow: bool = False
    """Whether only the full set runs it."""
    skip_if_inconclusive: str = ""
    """The check that may be inconclusive here; then this fault is inconclusive too."""

    def _changes_something(self) -> Iterator[toml.Fault]:
        if not self.change and not self.env:
            yield toml.Fault((), "a fault needs `change` or `env`")

    RULES = (_changes_something,)


class Gate(Table):
    """A job, the faults that it has to detect, and how its session is run for that."""

    REST = Fault

    row: str = ""
    """The row of the job's matrix that the quick set runs."""
    options: Command = ()
    """Options after `--` that limit the session to a part of its work."""
    env: Mapping[str, str] = {}
    """Environment variables of every run, with a fault and without."""
    setup: Command = ()
    """A command that makes what the session checks; it runs before each run of the session."""
    wrapper: Command = ()
    """A module, with its options, that runs the session next to a service that it needs."""
    link: tuple[str, ...] = ()
    """Folders of installed packages that the copy takes from the checkout, if they exist."""
    needs: tuple[str, ...] = ()
    """What the gate requires: `docker`, or names of variables. Without it, it is inconclusive."""
    tested_by: str = ""
    """What tests the gate instead of faults here; only for jobs that deliver and check nothing."""
    slow: bool = False
    """Whether only the full set runs its faults."""
    stop_after: int = 0
    """Seconds after which the session is stopped, as it does not end by itself; 0 for never."""

    @property
    def faults(self) -> Mapping[str, Fault]:
        """The faults of the gate, by their names."""
        return self.rest

    @property
    def is_tested(self) -> bool:
        """Whether faults or another test show that it can fail."""
        return bool(self.faults or self.tested_by)


class _Gates(Table):
    """A file of the catalogue: gates by the ids of their jobs."""

    REST = Gate


def load_catalog(folder: Path = _CATALOG_DIR) -> dict[str, Gate]:
    """Read the catalogue.

    Args:
        folder: The folder of its files.

    Returns:
        The gates by the ids of their jobs.

    Raises:
        InputError: A file cannot be read, has an unknown key, or a gate is defined twice.
    """
    gates: dict[str, Gate] = {}
    problems: list[str] = []
    for file in sorted(folder.glob("*.toml")):
        try:
            read: Mapping[str, Gate] = toml_checker.read_file(
                _Gates, file, read_text(file), hint=_HINT
            ).rest
        except InputError as error:
            problems.append(str(error))
        else:
            problems += [
                f"{file}: {gate} is defined in another file too" for gate in read.keys() & gates
            ]
            gates |= read
    if problems:
        raise InputError("\n".join(problems), hint=_HINT)
    return gates
