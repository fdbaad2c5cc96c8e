"""What the doubles share: they write down how they were called, and keep what they were given."""

import json
import os
import sys
from pathlib import Path
from typing import Any, NoReturn

HOME = Path(os.environ["DOUBLES"])


def record_call() -> list[str]:
    """Write the call down, and return its arguments."""
    name = Path(sys.argv[0]).stem
    with (HOME / "calls").open("a") as log:
        log.write(" ".join([name, *sys.argv[1:]]) + "\n")
    return sys.argv[1:]


def fail(reason: str) -> NoReturn:
    """Fail as a program does that does not understand, or cannot."""
    sys.exit(reason)


def read(name: str) -> Any:  # noqa: ANN401 - JSON
    """Return what a double has kept."""
    path = HOME / f"{name}.json"
    return json.loads(path.read_text()) if path.exists() else {}


def write(name: str, value: Any) -> None:  # noqa: ANN401 - as above
    """Keep something for the next call."""
    new = HOME / f"{name}.{os.getpid()}"
    new.write_text(json.dumps(value))
    new.replace(HOME / f"{name}.json")
