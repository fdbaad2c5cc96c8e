"""The parts of the documents that are made from the code, and the check of their links.

python -m pipeline.docs   fails if a link between the documents leads nowhere
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from pipeline import config
from pipeline.errors import CheckFailedError, reported
from pipeline.jobs import Job, Workflow
from pipeline.sessions import Session
from pipeline.workflows import GATE, MAIN

JOBS_HEAD = ("workflow", "job = session", "what it does", "limit, minutes")
RIGHTS_HEAD = ("workflow", "job", "may write")
LINK = re.compile(r"\]\((?!https?://|mailto:)([^)#\s]*)(?:#([^)\s]+))?\)")
HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def tables(files: Mapping[str, Workflow], known: Iterable[Session]) -> dict[str, str]:
    """Return the tables that are made from the workflows, by what they are of.

    Args:
        files: The workflows by their names.
        known: All sessions.
    """
    main = files[MAIN].jobs.values() if MAIN in files else ()
    reached = {MAIN, *(call.called for call in main)}
    found = [job for file in files if file in reached for job in files[file].jobs.values()]
    jobs = sorted(
        (job for job in found if not job.is_call and (job.workflow == MAIN or job.id != GATE)),
        key=lambda job: (job.workflow != MAIN, job.workflow, job.id),
    )
    described = {row.name.split("-3.")[0]: row.description for row in known}
    return {
        "jobs": table(JOBS_HEAD, [_row(job, described.get(job.id, "")) for job in jobs]),
        "permissions": table(RIGHTS_HEAD, [_rights(job) for job in jobs if _writes(job)]),
    }


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


def _row(job: Job, description: str) -> tuple[str, ...]:
    limit = job.content.get("timeout-minutes", "")
    return job.workflow, f"`{job.id}`", description, f"{limit}"


def _rights(job: Job) -> tuple[str, ...]:
    return job.workflow, f"`{job.id}`", ", ".join(_writes(job))


def _writes(job: Job) -> list[str]:
    granted = job.content.get("permissions")
    granted = granted if isinstance(granted, dict) else {}
    return [scope for scope, level in granted.items() if level == "write"]


def _anchors(document: Path) -> set[str]:
    headings = HEADING.findall(FENCE.sub("", document.read_text()))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _documents() -> list[Path]:
    return [*Path().glob("*.md"), *Path("docs").glob("**/*.md")]


if __name__ == "__main__":
    with reported():
        if broken := list(broken_links(_documents())):
            raise CheckFailedError("; ".join(broken), hint="mend the links, then: nox -s docs")
