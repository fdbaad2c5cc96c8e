"""The one reader of the files that people write: text, TOML, JSON.

Whatever is wrong with such a file is one sentence with the file and, where there is one, the line.
`pipeline.yaml` does the same for YAML, apart from this, since its library takes long to import.

python -m pipeline.files FILE...
"""

import codecs
import json
import re
import sys
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pipeline.errors import InputError, handle_errors

CONFLICT = re.compile(r"^(?:<{7}|>{7}) ", re.MULTILINE)
PLACE = re.compile(r" \(at (?:line (?P<line>\d+), column \d+|end of document)\)$")
"""Where a fault is, in tomllib's words."""


class UnreadableFileError(InputError):
    """A file that cannot be read, or not as what it should be."""

    def __init__(self, name: Path | str, why: str, *, line: int = 0, hint: str = "") -> None:
        """Say what is wrong with a file.

        Args:
            name: The file, as a person finds it.
            why: The cause.
            line: Where it is; none, if it is about the whole file.
            hint: The next command, if it is not to correct the file.
        """
        where = f"{name}:{line}" if line else f"{name}"
        super().__init__(f"{where}: {why}", hint=hint or f"correct {name}")
        self.line, self.why = line, why


def read_text(path: Path) -> str:
    """Return the text of a file: UTF-8 in whatever locale, with line feeds as its line ends.

    Raises:
        UnreadableFileError: It cannot be read, is no UTF-8, or holds a conflict of a merge.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        said = error.strerror or "it cannot be read"
        raise UnreadableFileError(path, _lower(said), hint=_path_error(path, error)) from None
    if content.startswith(codecs.BOM_UTF8):
        hint = "save it as UTF-8 without a byte order mark"
        raise UnreadableFileError(path, "it begins with a byte order mark", line=1, hint=hint)
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        hint = "save it as UTF-8"
        raise UnreadableFileError(path, "it is no UTF-8", line=line, hint=hint) from None
    return _conflict_error(path, text.replace("\r\n", "\n").replace("\r", "\n"))


def read_toml(path: Path) -> dict[str, Any]:
    """Return what a TOML file holds.

    Raises:
        UnreadableFileError: It cannot be read, or is no TOML, such as one with a key twice.
    """
    text = read_text(path)
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        found = PLACE.search(str(error))
        line = int(found["line"] or text.count("\n") + 1) if found else 0
        why = f"no TOML: {_lower(PLACE.sub('', str(error)))}"
        raise UnreadableFileError(path, why, line=line) from None


def read_json(path: Path) -> Any:  # noqa: ANN401 - JSON holds anything
    """Return what a JSON file holds.

    Raises:
        UnreadableFileError: It cannot be read, or is no JSON, or has a key twice.
    """
    return parse_json(path, read_text(path))


def parse_json(name: Path | str, text: str) -> Any:  # noqa: ANN401 - as above
    """Return what a JSON text holds, which Python's own reader takes with a key twice.

    Args:
        name: Of the file that it is from.
        text: What is in it.

    Raises:
        UnreadableFileError: It is no JSON, or has a key twice.
    """
    try:
        return json.loads(text, object_pairs_hook=_reject_duplicates)
    except json.JSONDecodeError as error:
        why = f"no JSON: {_lower(error.msg)}"
        raise UnreadableFileError(name, why, line=error.lineno) from None
    except (ValueError, RecursionError) as error:
        raise UnreadableFileError(name, f"no JSON: {_lower(str(error))}") from None


READERS: dict[str, Callable[[Path], object]] = {".json": read_json, ".toml": read_toml}
"""How a file is read, by the end of its name; any other is text."""


def main(arguments: Sequence[str]) -> None:
    """Read files, each as what its name says.

    Raises:
        InputError: Names everything that is wrong with them.
    """
    faults = []
    for path in map(Path, arguments):
        try:
            READERS.get(path.suffix, read_text)(path)
        except UnreadableFileError as error:
            faults.append(error)
    if faults:
        raise InputError("\n".join(map(str, faults)), hint="; ".join(each.hint for each in faults))


def _conflict_error(path: Path, text: str) -> str:
    if found := CONFLICT.search(text):
        line = text.count("\n", 0, found.start()) + 1
        why, hint = "a conflict of a merge is not resolved", f"resolve it, then: git add {path}"
        raise UnreadableFileError(path, why, line=line, hint=hint)
    return text


def _reject_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key `{key}` stands twice in one object")
        found[key] = value
    return found


def _path_error(path: Path, error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return f"go to the repository's root, or: git checkout -- {path}"
    return f"ls -ld {path}"


def _lower(said: str) -> str:
    return said[:1].lower() + said[1:]


if __name__ == "__main__":
    with handle_errors():
        main(sys.argv[1:])
