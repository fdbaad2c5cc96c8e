"""Write the report of a run: reports/ci.json, reports/ci.html, and the job summary in CI."""

import json
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.ci.cache.fingerprint import input_areas
from pipeline.ci.cache.store import FAILED
from pipeline.ci.report import html_report
from pipeline.ci.report.summary import summary_line
from pipeline.ci.result import CACHED, EXECUTED, HTML_FILE, INTERRUPTED, SKIPPED, SessionResult
from pipeline.ci.terminal import format_duration, log_tail
from pipeline.escaping import markdown_table
from pipeline.github import actions

if TYPE_CHECKING:
    from pipeline.inconclusive import Inconclusive

JSON_FILE = Path("reports", "ci.json")
_TABLE_HEADER = ("session", "result", "took", "why")
_LOG_TAIL_LINES = 200  # lines of a failed log


@dataclass(frozen=True)
class RunReport:
    results: Sequence[SessionResult]
    wall: float
    code: int
    inconclusive: "Inconclusive | None" = None

    def to_dict(self) -> dict[str, Any]:
        """Return the content of reports/ci.json; times are in seconds."""
        on_critical_path = {id(result) for result in _critical_path(self.results)}
        return {
            "finished": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
            "exit_code": self.code,
            "verdict": summary_line(self.results, self.wall),
            "wall": round(self.wall, 3),
            "work": round(
                sum(each.seconds for each in self.results if each.outcome in EXECUTED), 3
            ),
            "saved": round(sum(each.seconds for each in self.results if each.outcome == CACHED), 3),
            "inconclusive": [asdict(each) for each in self.inconclusive.groups]
            if self.inconclusive
            else [],
            "sessions": [
                _session(result, critical=id(result) in on_critical_path) for result in self.results
            ],
        }


def write_reports(report: RunReport) -> None:
    """Write the report files; a write error is printed and does not change the exit code."""
    content = report.to_dict()
    actions.add_summary(_to_markdown(report))
    try:
        JSON_FILE.parent.mkdir(exist_ok=True)
        JSON_FILE.write_text(json.dumps(content, indent=1) + "\n")
        HTML_FILE.write_text(html_report.render(content), encoding="utf-8")
    except OSError as error:
        print(f"ci: cannot write the report: {error}", file=sys.stderr)


def _critical_path(results: Iterable[SessionResult]) -> list[SessionResult]:
    """Return the critical path of the run, from its end to its start.

    Each step back chooses the session that ended last before the start of the one after it: the
    start of that one probably waited for it.
    """
    ran = [result for result in results if result.outcome in EXECUTED]
    path: list[SessionResult] = []
    while ran:
        path.append(max(ran, key=lambda result: result.start_offset + result.seconds))
        ran = [
            each
            for each in ran
            if each.start_offset + each.seconds
            <= path[-1].start_offset + html_report.CRITICAL_PATH_TOLERANCE
        ]
    return path


def _to_markdown(report: RunReport) -> str:
    groups = f"{report.inconclusive.markdown()}\n" if report.inconclusive else ""
    shown = [result for result in report.results if result.outcome != SKIPPED]
    rows = [
        (f"`{r.entry.session}`", r.outcome, format_duration(r.seconds), r.note or r.reason)
        for r in shown
    ]
    listed = markdown_table(_TABLE_HEADER, rows)
    return f"{summary_line(report.results, report.wall)}\n\n{groups}{listed}\n"


def _session(result: SessionResult, *, critical: bool) -> Mapping[str, Any]:
    failed = result.outcome in {FAILED, INTERRUPTED}
    return {
        "session": result.entry.session,
        "job": result.entry.job,
        "areas": [*input_areas(result.entry)],
        "outcome": result.outcome,
        "why": result.reason,
        "note": result.note,
        "key": result.key,
        "seconds": round(result.seconds, 3),
        "begin": round(result.start_offset, 3),
        "age": round(result.age, 1),
        "budget": result.budget,
        "over": round(result.over_budget, 3),
        "critical": critical,
        "log": f"{result.log or ''}",
        "tail": log_tail(result.log, _LOG_TAIL_LINES) if failed and result.log else [],
        "trend": [asdict(run) for run in result.history],
    }
