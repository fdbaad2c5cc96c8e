"""The plan as people read it: every session, whether it is to run, and why or why not."""

from pipeline.ci.plan import Plan
from pipeline.ci.terminal import Terminal


def print_plan(plan: Plan, terminal: Terminal) -> None:
    """Print a plan.

    Args:
        plan: What is to run.
        terminal: Where to.
    """
    wide = max(len(row.entry.session) for row in plan.rows)
    for row in plan.rows:
        word, colour = ("run", "") if row.selected else ("leave out", "dim")
        text = f"  {row.entry.session:<{wide}}  {row.reason}"
        terminal.print(text, word=f"{word:<9}", colour=colour)
    runs = sum(row.selected for row in plan.rows)
    terminal.print(f"\nci: {runs} of {len(plan.rows)} sessions would run")
