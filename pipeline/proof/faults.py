"""The table of faults: for every gate, what is planted, and what its tool must then say.

It stands in `faults/*.toml`, whose head explains it. All faults of the table are shown at once.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from pipeline.errors import InputError
from pipeline.files import UnreadableFileError, read_toml
from pipeline.proof.change import Change

FOLDER = Path("faults")
LOCAL = FOLDER / "local"  # how sessions that no job runs are kept short


class Fault(BaseModel):
    """A change of the product, or of what surrounds it, and what the gate's tool says of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    says: str = Field(min_length=1)
    """What the tool says, word for word, and says of no clean tree."""
    change: list[Change] = []
    env: dict[str, str] = {}
    """Variables that are the fault, or a part of it."""
    options: list[str] | None = None
    """Instead of those of the gate."""
    within: list[str] | None = None
    """Instead of that of the gate."""
    row: str = ""
    """The only row of the job's matrix that can find it; all, if not given."""
    slow: bool = False
    """Whether it is left to the full set."""
    unless: str = ""
    """The check that may be "not judged" here; then this fault is not judged either."""

    @model_validator(mode="after")
    def hold_a_fault(self) -> Self:
        """Refuse what changes nothing."""
        if not self.change and not self.env:
            raise ValueError("it needs a change, or env")
        return self


class Gate(BaseModel):
    """A job, the faults that it has to find, and how its session is run for that."""

    model_config = ConfigDict(frozen=True, extra="allow")
    __pydantic_extra__: dict[str, Fault] = Field(init=False)

    row: str = ""
    """The row of the job's matrix that the quick set takes."""
    options: list[str] = []
    """Options that keep the session to a part; they stand behind two dashes."""
    given: dict[str, str] = {}
    """Variables, with a fault and without."""
    first: list[str] = []
    """A command that makes what the session judges, before each of its runs."""
    within: list[str] = []
    """A module, with its options, that runs the session beside what it needs."""
    takes: list[str] = []
    """Folders of packages that the copy takes over from the checkout, if they are there."""
    needs: list[str] = []
    """What must be here, or the gate is not judged: `docker`, or the names of variables."""
    elsewhere: str = ""
    """What proves it instead of faults here; only what delivers, and judges nothing, may say so."""
    slow: bool = False
    """Whether all of its faults are left to the full set."""
    ends: int = 0
    """After how many seconds it is told to end, since it never does by itself."""

    @property
    def faults(self) -> Mapping[str, Fault]:
        """The gate's faults by their names."""
        return self.__pydantic_extra__

    @property
    def shown(self) -> bool:
        """Whether something shows that it can fail."""
        return bool(self.faults or self.elsewhere)


TABLE = TypeAdapter(dict[str, Gate])


def load(folder: Path = FOLDER) -> dict[str, Gate]:
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
            read = TABLE.validate_python(read_toml(file))
        except UnreadableFileError as error:
            problems.append(str(error))
        except ValidationError as error:
            problems += [f"{file}: {_sentence(each)}" for each in error.errors()]
        else:
            problems += [f"{file}: {gate} stands elsewhere too" for gate in read.keys() & gates]
            gates |= read
    if problems:
        raise InputError("; ".join(problems), hint="the head of faults/pipeline.toml explains it")
    return gates


def _sentence(error: Mapping[str, object]) -> str:
    place = error["loc"]
    where = ".".join(map(str, place)) if isinstance(place, tuple) else ""
    return f"{where}: {str(error['msg']).removeprefix('Value error, ')}"
