"""Read files that people write: text, TOML, JSON.

Every error is one sentence with the file and, if known, the line. `pipeline.yaml` does the same for
YAML; it is separate, as its library is slow to import.

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

_CONFLICT = re.compile(r"^(?:<{7}|>{7}) ", re.MULTILINE)
_PLACE = re.compile(r" \(at (?:line (?P<line>\d+), column \d+|end of document)\)$")
"""The location in an error message of tomllib."""


class UnreadableFileError(InputError):
    """A file cannot be read, or not in its format."""

    def __init__(self, name: Path | str, why: str, *, line: int = 0, hint: str = "") -> None:
        """Store the location and the cause.

        Args:
            name: The path of the file.
            why: The cause.
            line: The line; 0 for the whole file.
            hint: The next command, if it is not to correct the file.
        """
        where = f"{name}:{line}" if line else f"{name}"
        super().__init__(f"{where}: {why}", hint=hint or f"correct {name}")
        self.line, self.why = line, why


def read_text(path: Path) -> str:
    """Return the text of a UTF-8 file, with line feeds as line ends.

    Raises:
        UnreadableFileError: It cannot be read, is not UTF-8, or contains a merge conflict.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        message = error.strerror or "it cannot be read"
        raise UnreadableFileError(path, _lower(message), hint=_path_error(path, error)) from None
    if content.startswith(codecs.BOM_UTF8):
        hint = "save it as UTF-8 without a byte order mark"
        raise UnreadableFileError(path, "the file begins with a byte order mark", line=1, hint=hint)
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        hint = "save it as UTF-8"
        raise UnreadableFileError(path, "the file is not UTF-8", line=line, hint=hint) from None
    return _conflict_error(path, text.replace("\r\n", "\n").replace("\r", "\n"))


def read_toml(path: Path) -> dict[str, Any]:
    """Return the content of a TOML file.

    Raises:
        UnreadableFileError: It cannot be read, or is not TOML.
    """
    text = read_text(path)
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        found = _PLACE.search(str(error))
        line = int(found["line"] or text.count("\n") + 1) if found else 0
        why = f"not TOML: {_lower(_PLACE.sub('', str(error)))}"
        raise UnreadableFileError(path, why, line=line) from None


def read_json(path: Path) -> Any:  # noqa: ANN401 - JSON
    """Return the content of a JSON file.

    Raises:
        UnreadableFileError: It cannot be read, is not JSON, or has a duplicate key.
    """
    return parse_json(path, read_text(path))


def parse_json(name: Path | str, text: str) -> Any:  # noqa: ANN401 - JSON
    """Return the content of a JSON text; unlike `json.loads`, refuse duplicate keys.

    Args:
        name: The file that it comes from.
        text: The text.

    Raises:
        UnreadableFileError: It is not JSON, or has a duplicate key.
    """
    try:
        return json.loads(text, object_pairs_hook=_reject_duplicates)
    except json.JSONDecodeError as error:
        why = f"not JSON: {_lower(error.msg)}"
        raise UnreadableFileError(name, why, line=error.lineno) from None
    except (ValueError, RecursionError) as error:
        raise UnreadableFileError(name, f"not JSON: {_lower(str(error))}") from None


READERS: dict[str, Callable[[Path], object]] = {".json": read_json, ".toml": read_toml}
"""The reader for each file extension; other files are text."""


def main(arguments: Sequence[str]) -> None:
    """Read files, each in the format of its extension.

    Raises:
        InputError: Names every error.
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
    if found := _CONFLICT.search(text):
        line = text.count("\n", 0, found.start()) + 1
        why, hint = "a merge conflict is not resolved", f"resolve it, then: git add {path}"
        raise UnreadableFileError(path, why, line=line, hint=hint)
    return text


def _reject_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key `{key}` is used twice in one object")
        found[key] = value
    return found


def _path_error(path: Path, error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return f"go to the repository's root, or: git checkout -- {path}"
    return f"ls -ld {path}"


def _lower(message: str) -> str:
    return message[:1].lower() + message[1:]


if __name__ == "__main__":
    with handle_errors():
        main(sys.argv[1:])
