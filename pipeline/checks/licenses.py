"""Check the licences of shipped packages, and list the new packages.

python -m pipeline.checks.licenses
"""

import sys
from collections.abc import Collection, Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from pipeline.checks.baseline import baseline_commit
from pipeline.checks.shipped_packages import (
    OTHER_PLATFORM,
    Package,
    package_names_at,
    shipped_packages,
)
from pipeline.errors import CheckFailedError, InconclusiveError, InputError, handle_errors
from pipeline.escaping import markdown_table
from pipeline.files import read_toml
from pipeline.github import actions
from pipeline.validation import format_validation_errors

_CHECK = "licences"
_ALLOWED_FILE = Path("security", "licences.toml")
_REPORT = Path("reports", "licences.md")


class _Rules(BaseModel):
    """The allowed licences."""

    model_config = ConfigDict(extra="forbid")

    allowed: list[str]
    only: dict[str, str] = {}
    """Licences that are allowed for one package only, by its name."""


def main() -> None:
    """Write the report, and check it.

    Raises:
        CheckFailedError: Names every package whose licence is not allowed.
        InputError: A lock or the list of licences is invalid, or a package is not installed.
    """
    now = shipped_packages()
    _save_and_publish(_to_markdown(now, _new_packages_sentence(now)))
    if faults := [*_disallowed(now)]:
        raise CheckFailedError(
            "licences that are not allowed:\n" + "\n".join(faults),
            hint=f"use another package, or allow the licence in {_ALLOWED_FILE}",
        )


def _disallowed(packages: Collection[Package]) -> Iterator[str]:
    """Yield a sentence for every package whose licence is not allowed."""
    rules = read_rules()
    for package in packages:
        allowed = {*rules.allowed, rules.only.get(package.name), OTHER_PLATFORM}
        if package.license not in allowed:
            yield f"{package.name} {package.version}: {package.license or 'no licence'}"


def read_rules() -> _Rules:
    """Read the allowed licences.

    Raises:
        InputError: Names every error in the file.
    """
    try:
        return _Rules.model_validate(read_toml(_ALLOWED_FILE))
    except ValidationError as error:
        faults = "; ".join(format_validation_errors(error))
        raise InputError(
            f"{_ALLOWED_FILE} is invalid: {faults}", hint=f"correct {_ALLOWED_FILE}"
        ) from None


def _new_packages_sentence(now: Collection[Package]) -> str:
    """Return a sentence with the new packages."""
    try:
        commit = baseline_commit(_CHECK)
        before = package_names_at(commit) if commit else set()
    except (InputError, InconclusiveError) as error:
        return f"New packages are unknown here: {error}."
    new = [package for package in now if package.name not in before]
    listed = ", ".join(f"**{each.name}** ({each.license})" for each in new)
    return f"New: {listed}" if new else "No new package is shipped."


def _to_markdown(packages: Collection[Package], first: str) -> str:
    """Return the report in Markdown.

    Args:
        packages: The shipped packages.
        first: The sentence with the new packages.
    """
    rows = [(each.name, each.version, each.license) for each in packages]
    listed = markdown_table(("package", "version", "licence"), rows)
    return f"### Shipped packages\n\n{first}\n\n{listed}\n"


def _save_and_publish(text: str) -> None:
    """Save the report, print the new packages, and add the report to the summary of the run."""
    _REPORT.parent.mkdir(exist_ok=True)
    _REPORT.write_text(text)
    print(text.splitlines()[2], file=sys.stderr)
    actions.add_summary(text)


if __name__ == "__main__":
    with handle_errors():
        main()
