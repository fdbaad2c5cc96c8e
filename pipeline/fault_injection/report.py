"""The proof as a table on the screen, and as a page of its own."""

import html
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from pipeline.fault_injection.outcome import Outcome, Verdict
from pipeline.fault_injection.sandbox import Mode

FOLDER = Path("reports")
TITLES = {
    Mode.FAULTS: "Every gate, and what turns it red",
    Mode.EMPTY_SESSIONS: "Every gate, emptied",
    Mode.OFFLINE: "Every session, without a network",
    Mode.CANARIES: "Every session, among secrets",
}
DESCRIPTIONS = {
    Mode.FAULTS: """
Each fault is a change of the product, planted in a copy of the repository; the gate's tool has to
say the words that the table of faults expects, and the session has to be red. On the clean tree it
has to be green, and must not say them.""",
    Mode.EMPTY_SESSIONS: """
No session does anything: its faults have to be missed, or something else than the session finds
them.""",
    Mode.OFFLINE: """
Where the machine only reaches itself, a session passes, names what it could not judge, or is red
and says what to do.""",
    Mode.CANARIES: """
Every variable that holds a secret had one made for this run, which no service believes. None may
stand in what a session said, or in what it left in its copy and its environment.""",
}
LOG_TAIL_LINES = 60  # lines of a session's output that did not do as it must
STYLE = """
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
    """Show each run, with what came of it and how long it took."""
    session = max((len(each.session) for each in outcomes), default=0)
    fault = max((len(each.fault) for each in outcomes), default=0)
    for each in outcomes:
        what = each.fault or "-"
        words = f": {each.said}" if each.said and not each.fault else ""
        run = f"{each.session:{session}}  {what:{fault}}  {each.seconds:6.1f} s"
        yield f"{run}  {each.verdict}{words}"


def summary_line(outcomes: Sequence[Outcome]) -> str:
    """Say in one line what was proved, or how sessions are where nothing was planted."""
    faults = [each for each in outcomes if each.fault]
    if outcomes and not faults:
        counts = Counter(each.verdict for each in outcomes)
        said = "; ".join(f"{number} {verdict}" for verdict, number in counts.items())
        return f"{len(outcomes)} sessions: {said}"
    proved = sum(each.verdict is Verdict.PROVED for each in faults)
    gates = len({each.job for each in outcomes if each.verdict is Verdict.PROVED})
    counts = Counter(each.verdict for each in outcomes if not each.verdict.is_ok)
    rest = "".join(f", {number} {verdict}" for verdict, number in counts.items())
    return f"{proved} of {len(faults)} faults proved, in {gates} gates{rest}"


def report_path(trial: Mode) -> Path:
    """Return where the page of a trial lies."""
    return FOLDER / ("gates.html" if trial is Mode.FAULTS else f"gates-{trial}.html")


def render_html(outcomes: Sequence[Outcome], trial: Mode, seconds: float) -> str:
    """Return the report as a page that needs nothing else.

    Args:
        outcomes: Of all runs, sorted.
        trial: What was tried.
        seconds: How long it all took.
    """
    rows = "".join(map(_row, outcomes))
    colours = {_colour(each.verdict) for each in outcomes}
    colour = next((each for each in ("bad", "open") if each in colours), "good")
    return f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Gates</title>
<meta name="viewport" content="width=device-width">
<style>{STYLE}</style>
<h1>{TITLES[trial]}</h1>
<p class="verdict {colour}">{html.escape(summary_line(outcomes))}</p>
<p>{seconds / 60:.1f} minutes. {DESCRIPTIONS[trial].strip()}</p>
<div class="table"><table>
<tr><th>gate<th>fault<th>took<th>verdict<th>what the tool said{rows}
</table></div>
</html>
"""


def _colour(verdict: Verdict) -> str:
    if verdict is Verdict.NOT_JUDGED:
        return "open"
    return "good" if verdict.is_ok else "bad"


def _row(outcome: Outcome) -> str:
    colour = _colour(outcome.verdict)
    said = f"<code>{html.escape(outcome.said)}</code>" if outcome.said else ""
    if colour == "bad" and outcome.output:
        tail = html.escape("\n".join(outcome.output.splitlines()[-LOG_TAIL_LINES:]))
        said += f"<details open><summary>its last words</summary><pre>{tail}</pre></details>"
    name = html.escape(outcome.session) if not outcome.fault else ""
    fault = html.escape(outcome.fault) or "<em>none</em>"
    return (
        f'<tr class="{"fault" if outcome.fault else "clean"}"><td>{name}<td>{fault}'
        f"<td>{outcome.seconds:.1f}&nbsp;s"
        f'<td class="{colour}">{outcome.verdict}<td>{said}'
    )
