"""Every check job with the sessions that it runs, and what is known of them.

python -m pipeline.ci.listing   prints them as JSON, for `pipeline.ci.sessions` to remember
"""

import json
from collections.abc import Iterator
from dataclasses import asdict

from pipeline import nox_sessions
from pipeline.ci.sessions import CISession
from pipeline.errors import InputError, reported
from pipeline.github import loader
from pipeline.github.model import sessions_of


def iter_sessions() -> Iterator[CISession]:
    """Yield the sessions of the called workflows' jobs, in their order.

    Raises:
        InputError: A workflow or noxfile.py cannot be read, or a job runs no known session.
    """
    known = {row.session: row for row in nox_sessions.list_all()}
    for call, jobs in loader.calls().items():
        for job in jobs:
            for name in sessions_of(job) or [""]:
                if name not in known:
                    raise InputError(f"job `{job.id}` runs no known session", hint="nox -s parity")
                row = known[name]
                yield CISession(name, job.id, call, row.tags, row.python)


if __name__ == "__main__":
    with reported():
        print(json.dumps([asdict(entry) for entry in iter_sessions()]))
