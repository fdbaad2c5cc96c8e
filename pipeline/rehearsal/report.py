"""The result of a rehearsal as a table in the terminal, and as an HTML page with a chart."""

import html
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from pipeline.rehearsal.scenario import Step
from pipeline.rehearsal.traffic import Sample

FILE = Path("reports", "rehearsal.html")
_WIDTH, _HEIGHT, _LEFT = 960, 160, 48
_COLOURS = ("#2f6fb0", "#3a9a6a", "#8a5fb5", "#b3853a")
_RED, _GREY = "#c62828", "#777777"


def format_table(steps: Sequence[Step], samples: Sequence[Sample]) -> Iterator[str]:
    """Yield a line for each step: time, live release, requests; then the failures."""
    yield f"{'step':42}{'seconds':>8}  {'live':10}{'requests':>9}{'failed':>8}{'lost':>6}"
    for step in steps:
        requests, failed, lost = _counts(step, samples)
        numbers = f"{requests:>9}{failed:>8}{lost:>6}"
        yield f"{step.name:42}{step.seconds:8.0f}  {step.live_version:10}{numbers}"
    yield verdict(samples)
    failures = Counter((s.kind, s.outcome) for s in samples if not s.answered)
    for (kind, outcome), number in failures.most_common():
        yield f"{number:>6} times {kind}: {outcome}"


def _counts(step: Step, samples: Sequence[Sample]) -> tuple[int, int, int]:
    """Return how many requests began in a step, and how many of them failed and were lost."""
    during = [s for s in samples if step.began <= s.began < step.began + step.seconds]
    return len(during), sum(s.failed for s in during), sum(s.lost for s in during)


def verdict(samples: Sequence[Sample]) -> str:
    """Return a summary of all requests; those lost with a node are counted separately."""
    failed, cut = sum(s.failed for s in samples), sum(s.interrupted for s in samples)
    summary = f"{len(samples):,} requests, {failed} failed"
    lost = sum(s.lost for s in samples)
    return f"{summary}; lost with a node: {lost} of the {cut} in flight" if cut else summary


def render_html(steps: Sequence[Step], samples: Sequence[Sample], nodes: int = 1) -> str:
    """Return the report as one HTML page without other files."""
    title = "Rehearsal" if nodes == 1 else f"Rehearsal on {nodes} nodes"
    rows = "".join(_table_row(number, step, samples) for number, step in enumerate(steps, 1))
    failed = any(sample.failed for sample in samples)
    return f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width">
<style>
:root {{ color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }}
body {{ max-width: 64rem; margin: 2rem auto; padding: 0 1rem }}
table {{ border-collapse: collapse; width: 100%; margin-top: 2rem }}
td, th {{ text-align: left; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid #8884 }}
svg {{ width: 100%; height: auto }} text {{ font: 12px system-ui, sans-serif; fill: currentColor }}
.verdict {{ font-size: 1.6rem; font-weight: 600; color: {_RED if failed else "#2e7d32"} }}
</style>
<h1>{title}</h1>
<p class="verdict">{verdict(samples)}</p>
<p>Requests per second to production. Each colour is a release; red requests failed, grey ones were
lost with a node. Dashed lines are the steps of the table.</p>
{_timeline_svg(steps, samples)}
<table><tr><th><th>step<th>time<th>live release<th>requests<th>failed<th>lost{rows}</table>
</html>
"""


def _table_row(number: int, step: Step, samples: Sequence[Sample]) -> str:
    """Return a step as a row of the page's table."""
    cells = (
        number,
        html.escape(step.name),
        f"{step.seconds:.0f} s",
        html.escape(step.live_version),
    )
    return "<tr>" + "".join(f"<td>{cell}" for cell in (*cells, *_counts(step, samples)))


def _timeline_svg(steps: Sequence[Step], samples: Sequence[Sample]) -> str:
    """Return a bar chart: requests per second by release, with a line at each step."""
    if not samples:
        return ""
    first, last = min(s.began for s in samples), max(s.began for s in samples)
    scale = (_WIDTH - _LEFT) / max(last - first, 1)
    seconds = _per_second(samples, first)
    most = max(sum(counts.values()) for counts in seconds.values())
    releases = list(dict.fromkeys(s.release for s in samples if s.release))
    colours = dict(zip(releases, _COLOURS * len(releases), strict=False))
    colours |= {"failed": _RED} | ({"lost": _GREY} if any(s.lost for s in samples) else {})
    parts = [
        _bar(_LEFT + second * scale, scale, counts, most, colours)
        for second, counts in seconds.items()
    ]
    starts = [(number, step.began - first) for number, step in enumerate(steps, 1)]
    parts += [_step_marker(_LEFT + at * scale, number) for number, at in starts if at >= 0]
    parts += [_legend(n, name, colour) for n, (name, colour) in enumerate(colours.items())]
    parts.append(f'<text x="0" y="32">{most}/s</text><text x="0" y="{_HEIGHT + 20}">0</text>')
    box = f"0 0 {_WIDTH} {_HEIGHT + 60}"
    label = "requests per second over time"
    return f'<svg viewBox="{box}" role="img" aria-label="{label}">{"".join(parts)}</svg>'


def _per_second(samples: Sequence[Sample], first: float) -> dict[int, Counter[str]]:
    """Count the outcomes of each second."""
    counts: dict[int, Counter[str]] = {}
    for sample in samples:
        what = "failed" if sample.failed else "lost" if sample.lost else sample.release
        if what:
            counts.setdefault(int(sample.began - first), Counter())[what] += 1
    return counts


def _bar(x: float, width: float, counts: Counter[str], most: int, colours: dict[str, str]) -> str:
    """Return the bar of one second."""
    parts, top = [], _HEIGHT + 20.0
    for name, colour in colours.items():
        height = counts[name] / most * (_HEIGHT - 10)
        top -= height
        if height:
            parts.append(
                f'<rect x="{x:.1f}" y="{top:.1f}" width="{max(width, 0.5):.2f}" '
                f'height="{height:.1f}" fill="{colour}"/>'
            )
    return "".join(parts)


def _step_marker(x: float, number: int) -> str:
    """Return the line at the start of a step."""
    return (
        f'<line x1="{x:.1f}" x2="{x:.1f}" y1="16" y2="{_HEIGHT + 20}" stroke="currentColor" '
        f'stroke-dasharray="2 3" opacity=".6"/><text x="{x + 2:.1f}" y="12">{number}</text>'
    )


def _legend(place: int, name: str, colour: str) -> str:
    """Return the legend of one colour."""
    x = _LEFT + place * 140
    return (
        f'<rect x="{x}" y="{_HEIGHT + 36}" width="12" height="12" fill="{colour}"/>'
        f'<text x="{x + 18}" y="{_HEIGHT + 47}">{html.escape(name)}</text>'
    )
