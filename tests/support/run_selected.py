"""`invoke ci`, kept to some jobs: the real planner, cache and scheduler."""

import contextlib
import io
import json
import os
from collections.abc import Collection
from dataclasses import replace
from typing import Any

from pipeline.ci import runner
from pipeline.ci.cache.store import ResultStore
from pipeline.ci.plan import create_plan
from pipeline.ci.report import json_report
from pipeline.ci.runner import RunOptions
from pipeline.errors import INTERRUPTED


def run_selected_jobs(
    jobs: Collection[str], store: ResultStore, *, everything: bool = False, fresh: bool = False
) -> dict[str, Any]:
    """Run it where this process is; return its report.

    Args:
        jobs: Their ids.
        store: The cached results.
        everything: As the option `--all`.
        fresh: As the option `--no-cache`.

    Raises:
        KeyboardInterrupt: It was interrupted.
    """
    selection = create_plan(everything=everything)
    kept = replace(selection, rows=[row for row in selection.rows if row.entry.job in jobs])
    with contextlib.redirect_stdout(io.StringIO()) as output, contextlib.redirect_stderr(output):
        code = runner.run_plan(kept, RunOptions(os.cpu_count() or 1, no_cache=fresh), store)
    if code == INTERRUPTED:
        raise KeyboardInterrupt
    received: dict[str, Any] = json.loads(json_report.JSON_FILE.read_text())
    return received
