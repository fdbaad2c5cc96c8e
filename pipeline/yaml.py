"""Read YAML 1.2 files that people write, as `pipeline.files` reads other formats."""

from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.constructor import RoundTripConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from pipeline.files import UnreadableFileError, read_text


def read_yaml(path: Path) -> Any:  # noqa: ANN401 - YAML
    """Return the content of a YAML file, as plain values.

    Raises:
        UnreadableFileError: It cannot be read, is not YAML, or has a duplicate key.
    """
    return parse_yaml(path, read_text(path))


def parse_yaml(
    name: Path | str, text: str, constructor: type[RoundTripConstructor] | None = None
) -> Any:  # noqa: ANN401 - YAML
    """Return the content of a YAML text.

    Args:
        name: The file that it comes from.
        text: The text.
        constructor: Makes values that know their lines; plain values by default.

    Raises:
        UnreadableFileError: It is not YAML, or has a duplicate key.
    """
    yaml = YAML(typ="rt" if constructor else "safe", pure=True)
    if constructor:
        yaml.Constructor = constructor
    try:
        return yaml.load(text)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise UnreadableFileError(name, f"not YAML: {error.problem}", line=line) from None
    except (YAMLError, ValueError, RecursionError) as error:
        why = f"not YAML: {' '.join(str(error).split())}"
        raise UnreadableFileError(name, why, line=1) from None
