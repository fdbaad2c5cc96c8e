"""The parts of the documents that are made from the code, and the check of their links.

python -m pipeline.docs   fails if a link between the documents leads nowhere
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path

from pipeline import config, sessions, workflows
from pipeline.errors import CheckFailedError, reported

LINK = re.compile(r"\]\((?!https?://|mailto:)([^)#\s]*)(?:#([^)\s]+))?\)")
HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def jobs_table() -> str:
    """Return a table of the jobs of ci.yml and of every workflow file that it calls."""
    described: dict[str, str] = {}
    for row in sessions.list_all():
        described |= {row.name: row.description, row.session: row.description}
    own = [job for job in workflows.jobs(workflows.MAIN) if not job.called]
    rows = [
        (
            job.workflow,
            f"`{job.id}`",
            described[job.rows[0].get("session", job.id)],
            f"{job.content['timeout-minutes']}",
        )
        for job in chain(own, *workflows.calls().values())
    ]
    return table(("workflow", "job = session", "what it does", "limit, minutes"), rows)


def support_table() -> str:
    """Return a table of the versions that are tested, and until when their makers support them."""
    settings = config.load()
    rows = [
        (tool.title(), version, f"{facts['end_of_life']}", ", ".join(facts.get("python", [])))
        for tool in ("python", "django", "node")
        for version, facts in settings[tool].items()
    ]
    return table(("", "version", "supported by its makers until", "on Python"), rows)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table.

    Args:
        head: The titles of the columns.
        rows: The cells, row by row.
    """
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def broken_links(documents: Iterable[Path]) -> Iterator[str]:
    """Yield a sentence for every link to a file or heading that is not there.

    Args:
        documents: The Markdown files to read.
    """
    for document in documents:
        for target, anchor in LINK.findall(FENCE.sub("", document.read_text())):
            path = document.parent / target if target else document
            if not path.exists():
                yield f"{document}: no such file: `{target}`"
            elif anchor and anchor not in _anchors(path):
                yield f"{document}: no such heading: `{target}#{anchor}`"


def _anchors(document: Path) -> set[str]:
    headings = HEADING.findall(FENCE.sub("", document.read_text()))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _documents() -> list[Path]:
    return [*Path().glob("*.md"), *Path("docs").glob("**/*.md")]


if __name__ == "__main__":
    with reported():
        if broken := list(broken_links(_documents())):
            raise CheckFailedError("; ".join(broken), hint="mend the links, then: nox -s docs")
