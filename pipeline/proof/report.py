"""The proof as a table on the screen, and as a page of its own."""

import html
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from pipeline.proof.outcome import Outcome, Verdict

FILE = Path("reports", "gates.html")
TAIL = 60  # lines of a session's output that did not do as it must
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


def table(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Show each run, with what came of it and how long it took."""
    session = max((len(each.session) for each in outcomes), default=0)
    fault = max((len(each.fault) for each in outcomes), default=0)
    for each in outcomes:
        what = each.fault or "-"
        words = f": {each.said}" if each.said and not each.fault else ""
        run = f"{each.session:{session}}  {what:{fault}}  {each.seconds:6.1f} s"
        yield f"{run}  {each.verdict}{words}"


def summary(outcomes: Sequence[Outcome]) -> str:
    """Say in one line what was proved."""
    faults = [each for each in outcomes if each.fault]
    proved = sum(each.verdict is Verdict.PROVED for each in faults)
    gates = len({each.job for each in outcomes if each.verdict is Verdict.PROVED})
    counts = Counter(each.verdict for each in outcomes if not each.verdict.good)
    rest = "".join(f", {number} {verdict}" for verdict, number in counts.items())
    return f"{proved} of {len(faults)} faults proved, in {gates} gates{rest}"


def page(outcomes: Sequence[Outcome], seconds: float) -> str:
    """Return the report as a page that needs nothing else.

    Args:
        outcomes: Of all runs, sorted.
        seconds: How long it all took.
    """
    rows = "".join(map(_row, outcomes))
    colour = "good" if all(each.verdict.good for each in outcomes) else "bad"
    return f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Gates</title>
<meta name="viewport" content="width=device-width">
<style>{STYLE}</style>
<h1>Every gate, and what turns it red</h1>
<p class="verdict {colour}">{html.escape(summary(outcomes))}</p>
<p>{seconds / 60:.1f} minutes. Each fault is a change of the product, planted in a copy of the
repository; the gate's tool has to say the words that the table of faults expects, and the session
has to be red. On the clean tree it has to be green, and must not say them.</p>
<div class="table"><table>
<tr><th>gate<th>fault<th>took<th>verdict<th>what the tool said{rows}
</table></div>
</html>
"""


def _row(outcome: Outcome) -> str:
    colour = (
        "good"
        if outcome.verdict.good
        else "open"
        if outcome.verdict is Verdict.NOT_JUDGED
        else "bad"
    )
    said = f"<code>{html.escape(outcome.said)}</code>" if outcome.said else ""
    if colour == "bad" and outcome.output:
        tail = html.escape("\n".join(outcome.output.splitlines()[-TAIL:]))
        said += f"<details open><summary>its last words</summary><pre>{tail}</pre></details>"
    name = html.escape(outcome.session) if not outcome.fault else ""
    fault = html.escape(outcome.fault) or "<em>none</em>"
    return (
        f'<tr class="{"fault" if outcome.fault else "clean"}"><td>{name}<td>{fault}'
        f"<td>{outcome.seconds:.1f}&nbsp;s"
        f'<td class="{colour}">{outcome.verdict}<td>{said}'
    )
