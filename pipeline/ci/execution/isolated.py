"""Run a session in a copy that contains only the files of its areas.

Selection and cache both rely on the areas. A session that passes in such a copy reads no file
outside of its areas, so a change of another file cannot change its result.
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

_TERMINATE_TIMEOUT = 10.0  # seconds between SIGTERM and SIGKILL


def run_isolated(entry: CISession, inputs: InputSnapshot) -> None:
    """Run a session in a temporary copy of the files of its areas.

    Raises:
        CheckFailedError: The session fails there: it reads a file outside of its areas.
    """
    files = inputs.files_for(entry)
    log = log_path(entry.session).with_suffix(".isolated.log").resolve()
    with TemporaryDirectory(prefix="isolated-") as name:
        copy_files(files, Path(name))
        # sessions call git, which fails outside of a repository
        ScratchRepository(Path(name)).init(inputs.settings.ci.main_branch)
        contents = f"{len(files)} files of {', '.join(input_areas(entry))}"
        print(f"ci: running {entry.session} with only {contents}: {log}", file=sys.stderr)
        env = session_environment.session_environment(inputs.settings.ci.variables)
        process = start_group(nox_command(entry.session), log=log, env=env, cwd=Path(name))
        try:
            code = process.wait()
        finally:
            terminate_groups([process], seconds=_TERMINATE_TIMEOUT)
    if code:
        hint = f"read {log}; then add an area to the session, or the file to one of its areas"
        raise CheckFailedError(f"{entry.session} fails with only {contents}", hint=hint)
    print(f"verified: {entry.session} passes with only {contents}")
