"""The reference for the cache: nox runs the sessions without any cached result."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path

from pipeline.errors import CheckFailedError
from tests.support.sample_repo import BIN

REPORT = Path("reports", "fresh.json")
LOG = REPORT.with_suffix(".log")


class CacheMismatchError(CheckFailedError):
    """A cached or skipped result that differs from a fresh run."""

    def __init__(self, message: str) -> None:
        super().__init__(message, hint="run again with the same --seed")


def reference_outcomes(env: Mapping[str, str], *options: str) -> list[str]:
    """Run sessions by nox alone; return the names of the failed ones.

    Args:
        env: The complete environment of the sessions.
        *options: Options of nox; without `--session` all sessions run.
    """
    REPORT.unlink(missing_ok=True)
    line = [str(BIN / "nox"), "--non-interactive", f"--report={REPORT}", *options]
    with LOG.open("w") as log:
        subprocess.run(line, env=env, check=False, stdout=log, stderr=subprocess.STDOUT)
    sessions = json.loads(REPORT.read_text())["sessions"]
    return [each["name"] for each in sessions if each["result"] != "success"]
