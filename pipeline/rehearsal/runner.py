"""Run a rehearsal, and write its report."""

import time

from pipeline.deploy.signals import raise_on_signal
from pipeline.errors import CheckFailedError, InputError, clear_inconclusive
from pipeline.images.tools import is_engine_available, no_engine_error
from pipeline.rehearsal.cluster import CHECK, require_root
from pipeline.rehearsal.report import FILE, format_table, render_html
from pipeline.rehearsal.scenario import Rehearsal
from pipeline.rehearsal.traffic import Traffic
from pipeline.rehearsal.workspace import create_sandbox

_MAX_NODES = 9
_CLIENTS = {"get": 2, "page": 1, "post": 1, "slow": 2}


def rehearse(nodes: int = 1) -> None:
    """Run all steps from the first build to a rollback, and write a report of the traffic.

    Args:
        nodes: The number of nodes; 1 is this machine's own engine.

    Raises:
        InputError: The number of nodes is out of range.
        InconclusiveError: There is no Docker Engine, or no right to start several.
        CheckFailedError: A step did not end as expected, or a request failed.
    """
    if not 1 <= nodes <= _MAX_NODES:
        raise InputError(f"`--nodes={nodes}`: a number from 1 to {_MAX_NODES}", hint="use 1 or 3")
    if not is_engine_available():
        raise no_engine_error(CHECK)
    if nodes > 1:
        require_root()
    began = time.monotonic()
    with raise_on_signal(), create_sandbox(nodes) as sandbox:
        user = (sandbox.variables["SMOKE_USER_EMAIL"], sandbox.variables["SMOKE_USER_PASSWORD"])
        traffic = Traffic(
            sandbox.url("production"), user, _CLIENTS, sandbox.variables["SSL_CERT_FILE"]
        )
        rehearsal = Rehearsal(sandbox, traffic)
        try:
            rehearsal.run()
        finally:
            FILE.parent.mkdir(exist_ok=True)
            FILE.write_text(render_html(rehearsal.steps, traffic.samples, nodes))
            print(*format_table(rehearsal.steps, traffic.samples), sep="\n")
    print(f"{(time.monotonic() - began) / 60:.1f} minutes; report: {FILE}")
    clear_inconclusive(CHECK)
    if failed := [sample for sample in traffic.samples if sample.failed]:
        raise CheckFailedError(f"{len(failed)} requests failed", hint=f"read {FILE}")
