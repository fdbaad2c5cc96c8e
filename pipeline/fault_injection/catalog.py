"""The table of faults: for every gate, what is planted, and what its tool must then say.

It stands in `faults/*.toml`, whose head explains it. All faults of the table are shown at once.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated

from pipeline import checker, toml
from pipeline.errors import InputError
from pipeline.fault_injection.edit import Edit
from pipeline.files import read_text
from pipeline.schema import Constraint, Table

CATALOG_DIR = Path("faults")
HINT = "the head of faults/pipeline.toml explains it"
Command = Annotated[tuple[str, ...], Constraint("a list in square brackets", repeats=True)]
LOCAL_CATALOG_DIR = CATALOG_DIR / "local"  # how sessions that no job runs are kept short


class Fault(Table):
    """A change of the product, or of what surrounds it, and what the gate's tool says of it."""

    expect: Annotated[str, Constraint("text that is not empty", bool)]
    """What the tool says, word for word, and says of no clean tree."""
    change: tuple[Edit, ...] = ()
    env: Mapping[str, str] = {}
    """Variables that are the fault, or a part of it."""
    options: Command | None = None
    """Instead of those of the gate."""
    wrapper: Command | None = None
    """Instead of that of the gate."""
    row: str = ""
    """The only row of the job's matrix that can find it; all, if not given."""
    slow: bool = False
    """Whether it is left to the full set."""
    skip_if_inconclusive: str = ""
    """The check that may be "inconclusive" here; then this fault is inconclusive either."""

    def _changes_something(self) -> Iterator[toml.Fault]:
        if not self.change and not self.env:
            yield toml.Fault((), "it needs a change, or env")

    RULES = (_changes_something,)


class Gate(Table):
    """A job, the faults that it has to find, and how its session is run for that."""

    REST = Fault

    row: str = ""
    """The row of the job's matrix that the quick set takes."""
    options: Command = ()
    """Options that keep the session to a part; they stand behind two dashes."""
    env: Mapping[str, str] = {}
    """Variables, with a fault and without."""
    setup: Command = ()
    """A command that makes what the session judges, before each of its runs."""
    wrapper: Command = ()
    """A module, with its options, that runs the session beside what it needs."""
    link: tuple[str, ...] = ()
    """Folders of packages that the copy takes over from the checkout, if they are there."""
    needs: tuple[str, ...] = ()
    """What must be here, or the gate is inconclusive: `docker`, or the names of variables."""
    tested_by: str = ""
    """What proves it instead of faults here; only what delivers, and judges nothing, may say so."""
    slow: bool = False
    """Whether all of its faults are left to the full set."""
    stop_after: int = 0
    """After how many seconds it is told to end, since it never does by itself."""

    @property
    def faults(self) -> Mapping[str, Fault]:
        """The gate's faults by their names."""
        return self.rest

    @property
    def is_tested(self) -> bool:
        """Whether something shows that it can fail."""
        return bool(self.faults or self.tested_by)


class Gates(Table):
    """A file of the table: gates by the ids of their jobs."""

    REST = Gate


def load_catalog(folder: Path = CATALOG_DIR) -> dict[str, Gate]:
    """Read the table.

    Args:
        folder: Where it lies.

    Returns:
        The gates by the ids of their jobs.

    Raises:
        InputError: A file cannot be read, says something unknown, or a gate stands twice.
    """
    gates: dict[str, Gate] = {}
    problems: list[str] = []
    for file in sorted(folder.glob("*.toml")):
        try:
            read: Mapping[str, Gate] = checker.read_file(
                Gates, file, read_text(file), hint=HINT
            ).rest
        except InputError as error:
            problems.append(str(error))
        else:
            problems += [f"{file}: {gate} stands elsewhere too" for gate in read.keys() & gates]
            gates |= read
    if problems:
        raise InputError("\n".join(problems), hint=HINT)
    return gates
