"""Rehearse everything from a build to a rollback, and write down what users saw."""

import time

from pipeline.errors import CheckFailedError, NotJudgedError, judged
from pipeline.images.act import START_ENGINE, engine_answers
from pipeline.rehearsal.report import FILE, page, table
from pipeline.rehearsal.scenario import Rehearsal
from pipeline.rehearsal.traffic import Traffic
from pipeline.rehearsal.yard import yard

CHECK = "rehearsal"
CLIENTS = {"get": 2, "page": 1, "post": 1, "slow": 2}


def rehearse() -> None:
    """Rehearse, and write down what users saw.

    Raises:
        NotJudgedError: There is no engine to rehearse on.
        CheckFailedError: A step went otherwise than it must, or a request failed.
    """
    if not engine_answers():
        raise NotJudgedError(CHECK, "no Docker Engine answers", hint=START_ENGINE)
    began = time.monotonic()
    with yard() as place:
        user = (place.variables["SMOKE_USER_EMAIL"], place.variables["SMOKE_USER_PASSWORD"])
        traffic = Traffic(place.url("production"), user, CLIENTS, place.variables["SSL_CERT_FILE"])
        rehearsal = Rehearsal(place, traffic)
        try:
            rehearsal.run()
        finally:
            FILE.parent.mkdir(exist_ok=True)
            FILE.write_text(page(rehearsal.steps, traffic.samples))
            print(*table(rehearsal.steps, traffic.samples), sep="\n")
    print(f"{(time.monotonic() - began) / 60:.1f} minutes; the picture: {FILE}")
    judged(CHECK)
    if failed := [sample for sample in traffic.samples if sample.failed]:
        raise CheckFailedError(f"{len(failed)} requests failed", hint=f"look at {FILE}")
