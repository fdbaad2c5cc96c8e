"""Rehearse everything from a build to a rollback, and write down what users saw."""

import time

from pipeline.deploy.signals import raise_on_signal
from pipeline.errors import CheckFailedError, InputError, clear_inconclusive
from pipeline.images.tools import is_engine_available, no_engine_error
from pipeline.rehearsal.cluster import CHECK, require_root
from pipeline.rehearsal.report import FILE, format_table, render_html
from pipeline.rehearsal.scenario import Rehearsal
from pipeline.rehearsal.traffic import Traffic
from pipeline.rehearsal.workspace import create_sandbox

MAX_NODES = 9
CLIENTS = {"get": 2, "page": 1, "post": 1, "slow": 2}


def rehearse(nodes: int = 1) -> None:
    """Rehearse, and write down what users saw.

    Args:
        nodes: How many the environments are on; one is this machine's own engine.

    Raises:
        InputError: That is no number of nodes.
        NotJudgedError: There is no engine to rehearse on, or no right to have several.
        CheckFailedError: A step went otherwise than it must, or a request failed.
    """
    if not 1 <= nodes <= MAX_NODES:
        raise InputError(f"{nodes} is no number of nodes to rehearse on", hint="take 1, or 3")
    if not is_engine_available():
        raise no_engine_error(CHECK)
    if nodes > 1:
        require_root()
    began = time.monotonic()
    with raise_on_signal(), create_sandbox(nodes) as place:
        user = (place.variables["SMOKE_USER_EMAIL"], place.variables["SMOKE_USER_PASSWORD"])
        traffic = Traffic(place.url("production"), user, CLIENTS, place.variables["SSL_CERT_FILE"])
        rehearsal = Rehearsal(place, traffic)
        try:
            rehearsal.run()
        finally:
            FILE.parent.mkdir(exist_ok=True)
            FILE.write_text(render_html(rehearsal.steps, traffic.samples, nodes))
            print(*format_table(rehearsal.steps, traffic.samples), sep="\n")
    print(f"{(time.monotonic() - began) / 60:.1f} minutes; the picture: {FILE}")
    clear_inconclusive(CHECK)
    if failed := [sample for sample in traffic.samples if sample.failed]:
        raise CheckFailedError(f"{len(failed)} requests failed", hint=f"look at {FILE}")
