"""The outcomes as a table in the terminal, and as an HTML page."""

import html
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from pipeline.fault_injection.outcome import Outcome, Verdict
from pipeline.fault_injection.sandbox import Mode

FOLDER = Path("reports")
_TITLES = {
    Mode.FAULTS: "Fault injection: every gate can fail",
    Mode.EMPTY_SESSIONS: "Fault injection with empty sessions",
    Mode.OFFLINE: "Every session without a network",
    Mode.CANARIES: "Every session with canary secrets",
}
_DESCRIPTIONS = {
    Mode.FAULTS: """
Each fault is an edit in a copy of the repository. The session of its gate has to fail, and its tool
has to print the text that the catalogue expects. Without the fault the session has to pass, and
must not print that text.""",
    Mode.EMPTY_SESSIONS: """
No session does anything, so each of them has to miss its faults. A fault that is still detected is
detected by something outside the session.""",
    Mode.OFFLINE: """
The machine reaches only itself. A session passes, names the checks that are inconclusive, or fails
with a hint.""",
    Mode.CANARIES: """
Every variable that holds a secret has a value that was generated for this run. No session may print
it, or leave it in its copy or its environment.""",
}
_LOG_TAIL_LINES = 60  # last lines of the output of a session with an unexpected verdict
_STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { max-width: 72rem; margin: 2rem auto; padding: 0 1rem }
.verdict { font-size: 1.6rem; font-weight: 600; margin: 0 }
.good { color: light-dark(#1b6e2a, #7ccf8a) } .bad { color: light-dark(#b3261e, #ff8a80) }
.open { color: light-dark(#7a5900, #e6c15c) }
.table { overflow-x: auto } table { border-collapse: collapse; width: 100% }
th, td { text-align: left; vertical-align: top; padding: .35rem 1rem .35rem 0 }
tr { border-bottom: 1px solid #8883 } td:nth-child(3) { text-align: right; white-space: nowrap }
tr.clean td { border-top: 2px solid #8886 } td:first-child { font-weight: 600 }
code, pre { font: 13px/1.45 ui-monospace, monospace; overflow-wrap: anywhere }
pre { white-space: pre-wrap; max-height: 24rem; overflow: auto; padding: .6rem; background: #8881 }
"""


def format_table(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Yield a line for each run, with its verdict and its time."""
    session = max((len(each.session) for each in outcomes), default=0)
    fault = max((len(each.fault) for each in outcomes), default=0)
    for each in outcomes:
        what = each.fault or "-"
        words = f": {each.detail}" if each.detail and not each.fault else ""
        run = f"{each.session:{session}}  {what:{fault}}  {each.seconds:6.1f} s"
        yield f"{run}  {each.verdict}{words}"


def summary_line(outcomes: Sequence[Outcome]) -> str:
    """Return one line: how many faults were detected, or the verdicts of runs without faults."""
    faults = [each for each in outcomes if each.fault]
    if outcomes and not faults:
        counts = Counter(each.verdict for each in outcomes)
        verdicts = "; ".join(f"{number} {verdict}" for verdict, number in counts.items())
        return f"{len(outcomes)} sessions: {verdicts}"
    detected = sum(each.verdict is Verdict.DETECTED for each in faults)
    gates = len({each.job for each in outcomes if each.verdict is Verdict.DETECTED})
    counts = Counter(each.verdict for each in outcomes if not each.verdict.is_ok)
    rest = "".join(f", {number} {verdict}" for verdict, number in counts.items())
    return f"{detected} of {len(faults)} faults detected, in {gates} gates{rest}"


def report_path(mode: Mode) -> Path:
    """Return the path of the page for a mode."""
    return FOLDER / ("gates.html" if mode is Mode.FAULTS else f"gates-{mode}.html")


def render_html(outcomes: Sequence[Outcome], mode: Mode, seconds: float) -> str:
    """Return the report as one HTML page without other files.

    Args:
        outcomes: Of all runs, sorted.
        mode: What was changed for the runs.
        seconds: How long all runs took.
    """
    rows = "".join(map(_row, outcomes))
    colours = {_colour(each.verdict) for each in outcomes}
    colour = next((each for each in ("bad", "open") if each in colours), "good")
    return f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Gates</title>
<meta name="viewport" content="width=device-width">
<style>{_STYLE}</style>
<h1>{_TITLES[mode]}</h1>
<p class="verdict {colour}">{html.escape(summary_line(outcomes))}</p>
<p>{seconds / 60:.1f} minutes. {_DESCRIPTIONS[mode].strip()}</p>
<div class="table"><table>
<tr><th>gate<th>fault<th>took<th>verdict<th>output of the tool{rows}
</table></div>
</html>
"""


def _colour(verdict: Verdict) -> str:
    if verdict is Verdict.INCONCLUSIVE:
        return "open"
    return "good" if verdict.is_ok else "bad"


def _row(outcome: Outcome) -> str:
    colour = _colour(outcome.verdict)
    detail = f"<code>{html.escape(outcome.detail)}</code>" if outcome.detail else ""
    if colour == "bad" and outcome.output:
        tail = html.escape("\n".join(outcome.output.splitlines()[-_LOG_TAIL_LINES:]))
        detail += f"<details open><summary>end of its output</summary><pre>{tail}</pre></details>"
    name = html.escape(outcome.session) if not outcome.fault else ""
    fault = html.escape(outcome.fault) or "<em>none</em>"
    return (
        f'<tr class="{"fault" if outcome.fault else "clean"}"><td>{name}<td>{fault}'
        f"<td>{outcome.seconds:.1f}&nbsp;s"
        f'<td class="{colour}">{outcome.verdict}<td>{detail}'
    )
