"""`invoke ci --plan`: print every session with the decision of the plan and its reason."""

from pipeline.ci.plan import Plan
from pipeline.ci.terminal import Terminal


def print_plan(plan: Plan, terminal: Terminal) -> None:
    width = max(len(row.entry.session) for row in plan.rows)
    for row in plan.rows:
        word, colour = ("run", "") if row.selected else ("skip", "dim")
        text = f"  {row.entry.session:<{width}}  {row.reason}"
        terminal.print(text, word=f"{word:<9}", colour=colour)
    runs = sum(row.selected for row in plan.rows)
    terminal.print(f"\nci: {runs} of {len(plan.rows)} sessions would run")
