"""Judge the licences of what is shipped, and list what a change has added to it.

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

CHECK = "licences"
ALLOWED_FILE = Path("security", "licences.toml")
REPORT = Path("reports", "licences.md")


class Rules(BaseModel):
    """Which licences what is shipped may have."""

    model_config = ConfigDict(extra="forbid")

    allowed: list[str]
    only: dict[str, str] = {}
    """Licences that are allowed for one package alone, by its name."""


def main() -> None:
    """Write the report, and judge.

    Raises:
        CheckFailedError: Names every package whose licence is not allowed.
        InputError: A lock or the list of licences is wrong, or a package is not installed.
    """
    now = shipped_packages()
    save_and_publish(to_markdown(now, new_packages_sentence(now)))
    if faults := [*disallowed(now)]:
        raise CheckFailedError(
            "licences that nobody has allowed:\n" + "\n".join(faults),
            hint=f"take another package, or decide about it in {ALLOWED_FILE}",
        )


def disallowed(packages: Collection[Package]) -> Iterator[str]:
    """Return a sentence for every package whose licence is not allowed."""
    rules = read_rules()
    for package in packages:
        allowed = {*rules.allowed, rules.only.get(package.name), OTHER_PLATFORM}
        if package.license not in allowed:
            yield f"{package.name} {package.version}: {package.license or 'it names none'}"


def read_rules() -> Rules:
    """Read which licences are allowed.

    Raises:
        InputError: Names everything that is wrong with the file.
    """
    try:
        return Rules.model_validate(read_toml(ALLOWED_FILE))
    except ValidationError as error:
        faults = "; ".join(format_validation_errors(error))
        raise InputError(
            f"{ALLOWED_FILE} is wrong: {faults}", hint=f"correct {ALLOWED_FILE}"
        ) from None


def new_packages_sentence(now: Collection[Package]) -> str:
    """Return a sentence on what is shipped that was not before this work."""
    try:
        commit = baseline_commit(CHECK)
        before = package_names_at(commit) if commit else set()
    except (InputError, InconclusiveError) as error:
        return f"What is new cannot be said here: {error}."
    new = [package for package in now if package.name not in before]
    listed = ", ".join(f"**{each.name}** ({each.license})" for each in new)
    return f"New: {listed}" if new else "No new package is shipped."


def to_markdown(packages: Collection[Package], first: str) -> str:
    """Return the report, in Markdown.

    Args:
        packages: What is shipped.
        first: A sentence on what of it is new.
    """
    rows = [(each.name, each.version, each.license) for each in packages]
    listed = markdown_table(("package", "version", "licence"), rows)
    return f"### Packages that are shipped\n\n{first}\n\n{listed}\n"


def save_and_publish(text: str) -> None:
    """Keep the report, say what is new, and show all of it on the page of a run."""
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(text)
    print(text.splitlines()[2], file=sys.stderr)
    actions.add_summary(text)


if __name__ == "__main__":
    with handle_errors():
        main()
