"""Judge the licences of what is shipped, and list what a change has added to it.

python -m pipeline.checks.licenses
"""

import sys
from collections.abc import Collection, Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from pipeline.checks.baseline import base
from pipeline.checks.shipped_packages import ELSEWHERE, Package, names_at, shipped
from pipeline.errors import CheckFailedError, InputError, NotJudgedError, reported
from pipeline.escaping import table
from pipeline.files import read_toml
from pipeline.github import actions
from pipeline.validation import sentences

CHECK = "licences"
ALLOWED = Path("security", "licences.toml")
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
    now = shipped()
    publish(report(now, news(now)))
    if faults := [*refused(now)]:
        raise CheckFailedError(
            "licences that nobody has allowed:\n" + "\n".join(faults),
            hint=f"take another package, or decide about it in {ALLOWED}",
        )


def refused(packages: Collection[Package]) -> Iterator[str]:
    """Return a sentence for every package whose licence is not allowed."""
    rules = read_rules()
    for package in packages:
        allowed = {*rules.allowed, rules.only.get(package.name), ELSEWHERE}
        if package.licence not in allowed:
            yield f"{package.name} {package.version}: {package.licence or 'it names none'}"


def read_rules() -> Rules:
    """Read which licences are allowed.

    Raises:
        InputError: Names everything that is wrong with the file.
    """
    try:
        return Rules.model_validate(read_toml(ALLOWED))
    except ValidationError as error:
        faults = "; ".join(sentences(error))
        raise InputError(f"{ALLOWED} is wrong: {faults}", hint=f"correct {ALLOWED}") from None


def news(now: Collection[Package]) -> str:
    """Return a sentence on what is shipped that was not before this work."""
    try:
        commit = base(CHECK)
        before = names_at(commit) if commit else set()
    except (InputError, NotJudgedError) as error:
        return f"What is new cannot be said here: {error}."
    new = [package for package in now if package.name not in before]
    listed = ", ".join(f"**{each.name}** ({each.licence})" for each in new)
    return f"New: {listed}" if new else "No new package is shipped."


def report(packages: Collection[Package], first: str) -> str:
    """Return the report, in Markdown.

    Args:
        packages: What is shipped.
        first: A sentence on what of it is new.
    """
    rows = [(each.name, each.version, each.licence) for each in packages]
    listed = table(("package", "version", "licence"), rows)
    return f"### Packages that are shipped\n\n{first}\n\n{listed}\n"


def publish(text: str) -> None:
    """Keep the report, say what is new, and show all of it on the page of a run."""
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(text)
    print(text.splitlines()[2], file=sys.stderr)
    actions.add_summary(text)


if __name__ == "__main__":
    with reported():
        main()
