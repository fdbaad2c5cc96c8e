"""Run a session where nothing but its declared inputs is: green there, and the areas suffice.

Selection and cache both trust the areas; this is what puts them to the test.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from pipeline.ci.cache import session_environment
from pipeline.ci.cache.fingerprint import InputSnapshot, input_areas
from pipeline.ci.execution.session_process import log_path, nox_command
from pipeline.ci.sessions import CISession
from pipeline.errors import CheckFailedError
from pipeline.process import start_group, terminate_groups
from pipeline.scratch_repository import ScratchRepository, copy_files

TERMINATE_TIMEOUT = 10.0  # seconds that the session may take to leave in order


def run_isolated(entry: CISession, inputs: InputSnapshot) -> None:
    """Run a session in a copy that holds its areas, and no other file.

    Args:
        entry: The session.
        inputs: The files by area.

    Raises:
        CheckFailedError: It is red there: it reads a file that its areas do not hold.
    """
    files, log = (
        inputs.files_for(entry),
        log_path(entry.session).with_suffix(".proof.log").resolve(),
    )
    with TemporaryDirectory(prefix="prove-") as name:
        copy_files(files, Path(name))
        ScratchRepository(Path(name)).init(inputs.settings.ci.main_branch)
        said = f"{len(files)} files of {', '.join(input_areas(entry))}"
        print(f"ci: {entry.session} on {said}: {log}", file=sys.stderr)
        env = session_environment.session_environment(inputs.settings.ci.variables)
        process = start_group(nox_command(entry.session), log=log, env=env, cwd=Path(name))
        try:
            code = process.wait()
        finally:
            terminate_groups([process], seconds=TERMINATE_TIMEOUT)
    if code:
        hint = f"read {log}; then tag it with another area, or add the file to one of its own"
        raise CheckFailedError(f"{entry.session} is red on {said} alone", hint=hint)
    print(f"proved: {entry.session} is green on {said} alone")
