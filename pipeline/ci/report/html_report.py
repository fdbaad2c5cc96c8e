"""The report of a run as one HTML page without external files: failures, timeline, logs."""

import html
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.ci.terminal import format_duration

CSS_FILE = Path(__file__).with_name("html_report.css")
# seconds: a session counts as awaited even if it ended this much after the start of the next one,
# because the scheduler polls
CRITICAL_PATH_TOLERANCE = 0.1
_SPARKLINE_SIZE = 72, 18  # pixels
_LOG_TAIL_LINES = 20  # lines of a failed log that are visible without unfolding
_EXECUTED = {"passed", "failed", "inconclusive", "interrupted"}
_INCONCLUSIVE = {"inconclusive", "not started", "skipped"}
_LEGEND = """<p class="legend">
<span><i class="passed"></i>passed</span> <span><i class="failed"></i>failed</span>
<span><i class="doubt"></i>inconclusive</span> <span><i class="limit"></i>budget</span>
<span><i class="cached"></i>cached: duration of the earlier run</span>
<span><i class="critical"></i>critical path</span>
</p>"""
_SessionRow = Mapping[str, Any]


def render(content: Mapping[str, Any]) -> str:
    """Return the page.

    Args:
        content: The content of reports/ci.json.
    """
    sessions: Sequence[_SessionRow] = content["sessions"]
    colour = "red" if content["exit_code"] else "green"
    numbers = {"wall": content["wall"], "work": content["work"], "saved": content["saved"]}
    facts = "".join(
        f"<div><dt>{name}<dd>{format_duration(value)}</div>" for name, value in numbers.items()
    )
    facts += f"<div><dt>finished<dd>{content['finished'][:16].replace('T', ' ')}</div>"
    failed = [each for each in sessions if each["tail"]]
    return f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{colour}: CI</title>
<meta name="viewport" content="width=device-width">
<style>{CSS_FILE.read_text()}</style>
<main>
<h1 class="{colour}">{html.escape(_verdict(content))}</h1>
<p>{html.escape(content["verdict"].removeprefix("ci: "))}</p>
<dl class="facts">{facts}</dl>
{_failures(failed)}
{_inconclusive(content["inconclusive"])}
{_timeline(sessions, content["wall"])}
{_logs(failed)}
<h2>Sessions</h2>
<table><thead><tr>{"".join(f'<th scope="col">{name}' for name in _COLUMNS)}</thead>
<tbody>{"".join(map(_row, sessions))}</table>
</main>
</html>
"""


def _verdict(content: Mapping[str, Any]) -> str:
    failed = [each["session"] for each in content["sessions"] if each["outcome"] == "failed"]
    return (
        f"failed: {', '.join(failed)}" if failed else "failed" if content["exit_code"] else "passed"
    )


def _failures(failed: Sequence[_SessionRow]) -> str:
    """Each failed session with the command to run it again and the end of its log."""
    parts = "".join(
        f"<h3>{html.escape(each['session'])}</h3>"
        f"<p>{html.escape(each['note'])}; run again: "
        f"<code>{html.escape(_command(each))}</code></p>{_text(each['tail'][-_LOG_TAIL_LINES:])}"
        for each in failed
    )
    return parts and f"<h2>Failed</h2>{parts}"


def _inconclusive(groups: Sequence[Mapping[str, Any]]) -> str:
    """The inconclusive sessions grouped by reason, each reason with its hint."""
    rows = "".join(
        f"<dt>{html.escape(each['reason'])} <b>{len(each['names'])}</b>"
        f"<dd>{html.escape(', '.join(each['names']))}"
        f"<dd>hint: <code>{html.escape(each['hint'])}</code>"
        for each in groups
    )
    return rows and f'<h2>Inconclusive</h2><dl class="reasons">{rows}</dl>'


def _logs(failed: Sequence[_SessionRow]) -> str:
    """The longer end of each failed log, folded."""
    parts = "".join(
        f"<details><summary>{html.escape(each['session'])}: the last "
        f"{len(each['tail'])} lines of {html.escape(each['log'])}</summary>"
        f"{_text(each['tail'])}</details>"
        for each in failed
    )
    return parts and f"<h2>Logs</h2>{parts}"


def _text(lines: Sequence[str]) -> str:
    return f'<pre tabindex="0">{html.escape(chr(10).join(lines))}</pre>'


def _command(session: _SessionRow) -> str:
    return f'nox -s "{session["session"]}"'


def _timeline(sessions: Sequence[_SessionRow], wall: float) -> str:
    shown = [each for each in sessions if each["outcome"] in _EXECUTED | {"cached"}]
    if not shown:
        return ""
    whole = max([wall, *(each["begin"] + each["seconds"] for each in shown)]) or 1.0
    ordered = sorted(shown, key=lambda each: (each["outcome"] == "cached", each["begin"]))
    lanes = "".join(_lane(each, whole) for each in ordered)
    axis = "".join(f"<b>{format_duration(whole * part / 4)}</b>" for part in range(5))
    grid = f'<div class="lanes">{lanes}<span></span><div class="axis">{axis}</div></div>'
    return f"<h2>Timeline</h2>{grid}{_LEGEND}"


def _lane(session: _SessionRow, whole: float) -> str:
    name = html.escape(session["session"])
    begin = 0 if session["outcome"] == "cached" else session["begin"]
    kind = f"bar {_class(session)}{' critical' if session['critical'] else ''}"
    place = f"left:{begin / whole:.2%};width:{session['seconds'] / whole:.2%}"
    title = f"{name}: {session['outcome']}, {format_duration(session['seconds'])}"
    bar = f'<i class="{kind}" style="{place}" title="{title}"></i>'
    limit = begin + (session["budget"] or whole)
    tick = f'<i class="budget" style="left:{limit / whole:.2%}"></i>' if limit < whole else ""
    return f'<span title="{name}">{name}</span><div>{bar}{tick}</div>'


def _cells(session: _SessionRow) -> Iterator[tuple[str, str]]:
    """Yield the CSS class and the content of each cell of a row."""
    took = (
        format_duration(session["seconds"]) if session["outcome"] in _EXECUTED | {"cached"} else ""
    )
    over = f" (over by {format_duration(session['over'])})" if session["over"] else ""
    notes = [
        session["note"],
        f"{format_duration(session['age'])} old" if session["age"] else "",
        session["why"],
    ]
    yield "name", html.escape(session["session"])
    yield f"outcome {_class(session)}", session["outcome"]
    yield "number", took + over
    yield "number", format_duration(session["budget"]) if session["budget"] else ""
    yield "trend", _trend(session["trend"])
    yield "why", html.escape("; ".join(note for note in notes if note))
    yield "key", f"<code>{session['key'][:12]}</code>" if session["key"] else ""


_COLUMNS = ("session", "result", "took", "budget", "last ten", "why", "key")


def _row(session: _SessionRow) -> str:
    cells = zip(_COLUMNS, _cells(session), strict=True)
    return "<tr>" + "".join(
        f'<td class="{kind}" data-label="{column}">{text}' for column, (kind, text) in cells
    )


def _trend(runs: Sequence[Mapping[str, Any]]) -> str:
    if not runs:
        return ""
    width, height = _SPARKLINE_SIZE
    most = max(run["seconds"] for run in runs) or 1.0
    step = width / 10
    bars = ""
    for place, run in enumerate(runs, 10 - len(runs)):
        tall = height * run["seconds"] / most
        box = f'x="{place * step:.1f}" y="{height - tall:.1f}" width="{step - 2:.1f}"'
        bars += f'<rect class="{run["result"]}" {box} height="{tall:.1f}"/>'
    title = "seconds: " + ", ".join(f"{run['seconds']:.0f}" for run in runs)
    box = f"0 0 {width} {height}"
    return f'<svg class="trend" viewBox="{box}" role="img"><title>{title}</title>{bars}</svg>'


def _class(session: _SessionRow) -> str:
    return "doubt" if session["outcome"] in _INCONCLUSIVE else str(session["outcome"])
