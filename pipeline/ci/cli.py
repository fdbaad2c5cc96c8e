"""`invoke ci`: what was asked for, and who answers; nobody else is imported."""

import os
import signal
from dataclasses import dataclass

from pipeline.ci import runner
from pipeline.ci.cache.store import Store
from pipeline.ci.cache_files import shared
from pipeline.ci.plan import Plan, plan
from pipeline.ci.runner import Manner
from pipeline.ci.sessions import Entry
from pipeline.ci.terminal import terminal
from pipeline.errors import InputError


@dataclass(frozen=True)
class Options:
    """What was asked for, as it was typed."""

    everything: bool = False
    plan: bool = False
    fresh: bool = False
    fail_fast: bool = False
    strict: bool = False
    jobs: str = ""
    why: str = ""
    prove: str = ""

    def at_once(self) -> int:
        """Return how many sessions may run at once.

        Raises:
            InputError: That is no number, or less than one.
        """
        jobs = self.jobs or str(os.cpu_count() or 1)
        if not jobs.isdecimal() or int(jobs) < 1:
            raise InputError(f"--jobs is no number: `{jobs}`", hint="invoke ci --jobs 2")
        return int(jobs)


def ci(options: Options) -> int:
    """Do what was asked for; return the exit code.

    Args:
        options: What that is.

    Raises:
        InputError: An option is wrong, this is no git checkout, or the sessions cannot be listed.
        OverBudgetError: With `strict`: a session took longer than it may.
    """
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, signal.default_int_handler)  # ended in order, as by Ctrl-C
    manner = Manner(options.at_once(), options.fresh, options.fail_fast, options.strict)
    selection = plan(everything=options.everything)
    remembered = Store(shared(selection.inputs.settings.name))
    if options.plan:
        from pipeline.ci.report import plan_table

        plan_table.show(selection, terminal())
        return 0
    if options.why:
        from pipeline.ci.report import explain

        explain.explain(_entry(selection, options.why), selection.inputs, remembered, terminal())
        return 0
    if options.prove:
        from pipeline.ci.execution import isolated

        isolated.prove(_entry(selection, options.prove), selection.inputs)
        return 0
    return runner.run(selection, manner, remembered)


def _entry(selection: Plan, name: str) -> Entry:
    known = {row.entry.session: row.entry for row in selection.rows}
    if name not in known:
        raise InputError(f"no job runs such a session: `{name}`", hint="invoke ci --plan")
    return known[name]
