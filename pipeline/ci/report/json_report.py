"""The report of a run: reports/ci.json, the same as a page, and in CI in the job's summary."""

import json
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.ci.cache.fingerprint import areas_of
from pipeline.ci.cache.store import FAILED
from pipeline.ci.report import html_report
from pipeline.ci.report.summary import line
from pipeline.ci.result import CACHED, HTML, INTERRUPTED, LEFT_OUT, RAN, Result
from pipeline.ci.terminal import ago, tail
from pipeline.escaping import table
from pipeline.github import actions

if TYPE_CHECKING:
    from pipeline.inconclusive import NotJudged

JSON = Path("reports", "ci.json")
HEAD = ("session", "result", "took", "why")
TAIL = 200  # lines of a failed log


@dataclass(frozen=True)
class Told:
    """What a report says of the whole run."""

    results: Sequence[Result]
    wall: float
    code: int
    unjudged: "NotJudged | None" = None

    def content(self) -> dict[str, Any]:
        """Return all of it, as reports/ci.json holds it."""
        path = {id(result) for result in critical_path(self.results)}
        return {
            "finished": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
            "exit_code": self.code,
            "verdict": line(self.results, self.wall),
            "wall": round(self.wall, 3),
            "work": round(sum(each.seconds for each in self.results if each.outcome in RAN), 3),
            "saved": round(sum(each.seconds for each in self.results if each.outcome == CACHED), 3),
            "not_judged": [asdict(each) for each in self.unjudged.groups] if self.unjudged else [],
            "sessions": [_session(result, critical=id(result) in path) for result in self.results],
        }


def write(told: Told) -> None:
    """Write the report; where that cannot be, say so and go on.

    Args:
        told: The run.
    """
    content = told.content()
    actions.add_summary(markdown(told))
    try:
        JSON.parent.mkdir(exist_ok=True)
        JSON.write_text(json.dumps(content, indent=1) + "\n")
        HTML.write_text(html_report.page(content), encoding="utf-8")
    except OSError as error:
        print(f"ci: there is no report: {error}", file=sys.stderr)


def critical_path(results: Iterable[Result]) -> list[Result]:
    """Return the sessions that the run waited for: from its end, each with what ended before it.

    Args:
        results: Of all sessions.
    """
    ran = [result for result in results if result.outcome in RAN]
    path: list[Result] = []
    while ran:
        path.append(max(ran, key=lambda result: result.begin + result.seconds))
        ran = [
            each
            for each in ran
            if each.begin + each.seconds <= path[-1].begin + html_report.OVERLAP
        ]
    return path


def markdown(told: Told) -> str:
    """Return the run as Markdown.

    Args:
        told: The run.
    """
    unjudged = f"{told.unjudged.markdown()}\n" if told.unjudged else ""
    shown = [result for result in told.results if result.outcome != LEFT_OUT]
    rows = [(f"`{r.entry.session}`", r.outcome, ago(r.seconds), r.note or r.why) for r in shown]
    return f"{line(told.results, told.wall)}\n\n{unjudged}{table(HEAD, rows)}\n"


def _session(result: Result, *, critical: bool) -> Mapping[str, Any]:
    failed = result.outcome in {FAILED, INTERRUPTED}
    return {
        "session": result.entry.session,
        "job": result.entry.job,
        "areas": [*areas_of(result.entry)],
        "outcome": result.outcome,
        "why": result.why,
        "note": result.note,
        "key": result.key,
        "seconds": round(result.seconds, 3),
        "begin": round(result.begin, 3),
        "age": round(result.age, 1),
        "budget": result.budget,
        "over": round(result.over, 3),
        "critical": critical,
        "log": f"{result.log or ''}",
        "tail": tail(result.log, TAIL) if failed and result.log else [],
        "trend": [asdict(run) for run in result.trend],
    }
