"""List the sessions of every check job, by reading the workflows and the noxfile.

python -m pipeline.ci.listing   prints them as JSON, for the cache of `pipeline.ci.sessions`
"""

import json
from collections.abc import Iterator
from dataclasses import asdict

from pipeline import nox_sessions
from pipeline.ci.sessions import CISession
from pipeline.errors import InputError, handle_errors
from pipeline.github import loader
from pipeline.github.model import job_sessions


def _iter_sessions() -> Iterator[CISession]:
    """Yield the sessions of the called workflows' jobs, in the order of the workflows.

    Raises:
        InputError: A workflow or noxfile.py cannot be read, or a job runs an unknown session.
    """
    by_name = {row.session: row for row in nox_sessions.list_sessions()}
    for call, jobs in loader.jobs_by_call().items():
        for job in jobs:
            for name in job_sessions(job) or [""]:
                if name not in by_name:
                    raise InputError(f"job `{job.id}` runs no known session", hint="nox -s parity")
                row = by_name[name]
                yield CISession(name, job.id, call, row.tags, row.python)


if __name__ == "__main__":
    with handle_errors():
        print(json.dumps([asdict(entry) for entry in _iter_sessions()]))
