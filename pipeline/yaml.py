"""The one reader of YAML 1.2 that people write, as `pipeline.files` reads everything else."""

from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.constructor import RoundTripConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from pipeline.files import UnreadableFileError, read_text


def read_yaml(path: Path) -> Any:  # noqa: ANN401 - YAML holds anything
    """Return what a YAML file holds, as plain values.

    Raises:
        UnreadableFileError: It cannot be read, or is no YAML, or has a key twice.
    """
    return parse_yaml(path, read_text(path))


def parse_yaml(
    name: Path | str, text: str, constructor: type[RoundTripConstructor] | None = None
) -> Any:  # noqa: ANN401 - as above
    """Return what a YAML text holds.

    Args:
        name: Of the file that it is from.
        text: What is in it.
        constructor: What makes the values, which then know their lines; plain ones, if not given.

    Raises:
        UnreadableFileError: It is no YAML, or has a key twice.
    """
    yaml = YAML(typ="rt" if constructor else "safe", pure=True)
    if constructor:
        yaml.Constructor = constructor
    try:
        return yaml.load(text)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise UnreadableFileError(name, f"no YAML: {error.problem}", line=line) from None
    except (YAMLError, ValueError, RecursionError) as error:
        why = f"no YAML: {' '.join(str(error).split())}"
        raise UnreadableFileError(name, why, line=1) from None
