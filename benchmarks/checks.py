"""All cases of `nox -s migration-safety-tests`, evaluated by our check and by three others.

python -m pipeline.services --postgres -- python -m benchmarks.checks [CASE ...]

What it prints is docs/migration-cases.md. To be run by the session `benchmark-checks`, which
brings the others. Our check goes without the tests of the release before, which no case has.
"""

import os
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import peers
from benchmarks.peers import Answer
from pipeline.checks.migrations.app_version import AppVersion
from pipeline.checks.migrations.databases import PostgresServer, connect
from tests.integration.migrations import evaluation
from tests.integration.migrations.cases import SAFE, UNSAFE, Case
from tests.integration.migrations.cases.lists import sources

OURS = "ours"
PACKAGES = (
    "squawk-cli", "django-migration-linter", "django-pg-zero-downtime-migrations", "django",
)  # fmt: skip
HEAD = """# Cases of migrations, evaluated by four checks

`nox -s benchmark-checks` made this page, on {day}: {versions}, PostgreSQL {postgres}.

Each case is one change of a small app (`tests/integration/migrations/cases`) with the answer that
it should get, on PostgreSQL 18, for tables of any size, and a release before that serves on.
*Caught* and *missed* are of unsafe cases, *passed* and *stopped* of safe ones; an *error* is
neither a yes nor a no of the tool: it broke off. On an unsafe case it counts as caught too, since
nothing is merged then.

- **ours**: `pipeline.checks.migrations`, without the tests of the release before.
- **Squawk** reads what `sqlmigrate` prints; *all rules* are its defaults, else it goes without
  those without an unsafe case (`tests/integration/migrations/cases/lists.py` lists the reasons).
- **linter**: `lintmigrations` of django-migration-linter; *warnings too* makes these errors.
- **zero-downtime**: `migrate` of django-pg-zero-downtime-migrations with its strictest settings. It
  makes operations safe where it can, which counts as caught.

The cases were written for our check, which was corrected where one of them found a fault: the
others had no such care.
"""


def evaluated(case: Case, stops: bool, broken: bool = False) -> str:  # noqa: FBT001, FBT002
    """Return what an answer is worth."""
    if broken:
        return "error"
    return ("caught" if stops else "missed") if case.message else ("stopped" if stops else "passed")


def results(server: str, cases: Sequence[Case]) -> Iterator[tuple[Case, Mapping[str, str]]]:
    """Yield each case with what each tool makes of it.

    Args:
        server: The URL of a PostgreSQL that is thrown away.
        cases: The selected cases.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        project = evaluation.released(server, folder)
        others = stack.enter_context(peers.started(PostgresServer(server), project))
        code = stack.enter_context(AppVersion(project.root / "backend").start_worker(server))
        for number, case in enumerate(cases, start=1):
            print(f"{number} of {len(cases)}: {case.name}", file=sys.stderr, flush=True)
            output = evaluation.evaluated(server, project, code, case)
            ours = Answer(stops="hint: " in output, broken=output.startswith("error: "))
            with evaluation.written(project, case) as names:
                answers = {OURS: ours, **others.answers(names)}
            yield case, {tool: evaluated(case, a.stops, a.broken) for tool, a in answers.items()}


def totals(found: Sequence[tuple[Case, Mapping[str, str]]]) -> Iterator[Sequence[object]]:
    """Yield the row of each tool: how often it was right and wrong."""
    for tool in found[0][1]:
        counts: Counter[tuple[bool, str]] = Counter(
            (bool(case.message), answers[tool]) for case, answers in found
        )
        broke = counts[True, "error"]
        caught, passed = counts[True, "caught"] + broke, counts[False, "passed"]
        wrong = counts[True, "missed"], passed, counts[False, "stopped"]
        errors = broke + counts[False, "error"]
        yield tool, caught, *wrong, errors, f"{caught + passed} of {len(found)}"


def table(*rows: Sequence[object]) -> str:
    """Return a table as Markdown has it, the first row being its head."""
    head, *rest = [f"| {' | '.join(map(str, row))} |" for row in rows]
    return "\n".join([head, f"|{' --- |' * len(rows[0])}", *rest])


def page(server: str, cases: Sequence[Case]) -> Iterator[str]:
    """Yield the parts of the page."""
    with connect(server) as connection:
        postgres = connection.info.server_version // 10_000
        minor = connection.info.server_version % 10_000
    versions = ", ".join(f"{package} {version(package)}" for package in PACKAGES)
    day = datetime.now(UTC).date()
    yield HEAD.format(day=day, versions=versions, postgres=f"{postgres}.{minor}")
    found = list(results(server, cases))
    yield table(
        ("tool", "caught", "missed", "passed", "stopped", "errors", "right"), *totals(found)
    )
    tools = [tool for tool in found[0][1] if "," not in tool]
    yield "\n## Each case\n"
    yield table(
        ("case", "is", *tools, "from lists"),
        *(
            (
                f"`{case.name}`",
                "unsafe" if case.message else "safe",
                *(answers[tool] for tool in tools),
                "; ".join(sources(case.name)),
            )
            for case, answers in found
        ),
    )
    yield "\n## Disputed\n"
    yield "\n".join(f"- `{case.name}`: {case.reason}." for case, _ in found if case.reason)


def main(arguments: Sequence[str]) -> None:
    """Run the command line."""
    cases = [case for case in UNSAFE + SAFE if case.name in arguments or not arguments]
    for part in page(os.environ["DATABASE_URL"], cases):
        print(part)


if __name__ == "__main__":
    main(sys.argv[1:])
