"""Judge the licences of what is shipped, and list what a change has added to it.

python -m pipeline.gates.licences
"""

import sys
import tomllib
from collections.abc import Collection, Iterator
from pathlib import Path

from pipeline import github
from pipeline.errors import CheckFailedError, NotJudgedError, reported
from pipeline.escaping import table
from pipeline.gates.change import base
from pipeline.gates.packages import ELSEWHERE, Package, names_at, shipped

CHECK = "licences"
ALLOWED = Path("security", "licences.toml")
REPORT = Path("reports", "licences.md")


def main() -> None:
    """Write the report, and judge.

    Raises:
        CheckFailedError: Names every package whose licence is not allowed.
        InputError: A package is not installed, so that nobody knows its licence.
    """
    now = shipped()
    publish(report(now, added(now)))
    if faults := [*refused(now)]:
        raise CheckFailedError(
            "licences that nobody has allowed:\n" + "\n".join(faults),
            hint=f"take another package, or decide about it in {ALLOWED}",
        )


def refused(packages: Collection[Package]) -> Iterator[str]:
    """Return a sentence for every package whose licence is not allowed."""
    rules = tomllib.loads(ALLOWED.read_text())
    for package in packages:
        allowed = {*rules["allowed"], rules["only"].get(package.name), ELSEWHERE}
        if package.licence not in allowed:
            yield f"{package.name} {package.version}: {package.licence or 'it names none'}"


def added(now: Collection[Package]) -> list[Package] | None:
    """Return what is shipped that was not before this work; None if nobody can tell here."""
    try:
        commit = base(CHECK)
    except NotJudgedError:
        return None
    before = names_at(commit) if commit else set()
    return [package for package in now if package.name not in before]


def report(packages: Collection[Package], new: Collection[Package] | None) -> str:
    """Return the report, in Markdown."""
    if new is None:
        first = "What is new cannot be said here: main is not in this clone."
    elif new:
        first = "New: " + ", ".join(f"**{each.name}** ({each.licence})" for each in new)
    else:
        first = "No new package is shipped."
    rows = [(each.name, each.version, each.licence) for each in packages]
    listed = table(("package", "version", "licence"), rows)
    return f"### Packages that are shipped\n\n{first}\n\n{listed}\n"


def publish(text: str) -> None:
    """Keep the report, say what is new, and show all of it on the page of a run."""
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(text)
    print(text.splitlines()[2], file=sys.stderr)
    github.add_summary(text)


if __name__ == "__main__":
    with reported():
        main()
