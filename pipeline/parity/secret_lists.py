"""The lists of secrets in workflows, which GitHub passes by name only.

A deploy job and each call of its workflow list every secret of the environments. The lists are
generated from pipeline.toml: `nox -s parity -- --write`.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from itertools import groupby
from pathlib import Path

from pipeline.environments import REQUIRED_SECRETS

_ENTRY = re.compile(
    r"(?P<indent> +)(?P<name>[A-Z][A-Z0-9_]*): "
    r"(?P<value>\{ required: false \}|\$\{\{ secrets\.(?P=name) \}\})(?: +#.*)?\n?"
)
"""A secret that a workflow declares, or that a job or a call passes on under its own name."""
_ALWAYS = {*REQUIRED_SECRETS}
"""A list with these is one of the environments' secrets."""


def update_secret_lists(
    texts: Mapping[Path, str], names: Collection[str]
) -> Iterator[tuple[Path, str]]:
    """Yield each workflow whose lists of secrets differ, with its new text.

    Args:
        texts: The texts of workflows.
        names: The secrets that a deployment reads.
    """
    for path, text in texts.items():
        new = "".join(_with_secrets(text, names))
        if new != text:
            yield path, new


def _with_secrets(text: str, names: Collection[str]) -> Iterator[str]:
    lines = text.splitlines(keepends=True)
    for is_list, group in groupby(lines, key=lambda line: bool(_ENTRY.fullmatch(line))):
        block = [*group]
        yield from _updated(block, names) if is_list else block


def _updated(lines: list[str], names: Collection[str]) -> Iterator[str]:
    """Yield the lines of a list: kept ones as they are, with their comments, and new ones."""
    found = {entry["name"]: entry for line in lines if (entry := _ENTRY.fullmatch(line))}
    if not found.keys() & _ALWAYS:
        yield from lines
        return
    first = next(iter(found.values()))
    for name in sorted(names):
        value = first["value"].replace(f".{first['name']} ", f".{name} ")
        yield found[name].group() if name in found else f"{first['indent']}{name}: {value}\n"
