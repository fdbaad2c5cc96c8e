"""What somebody has who trusts no cache."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path

from pipeline.errors import CheckFailedError
from tests.support.sample_repo import BIN

REPORT = Path("reports", "fresh.json")
LOG = REPORT.with_suffix(".log")


class CacheMismatchError(CheckFailedError):
    """A result that a fresh run does not have."""

    def __init__(self, message: str) -> None:
        super().__init__(message, hint="the same --seed repeats it")


def reference_outcomes(env: Mapping[str, str], *options: str) -> list[str]:
    """Run sessions by nox alone; return the red ones.

    Args:
        env: The whole of their environment.
        *options: Of nox: which of them, if not all, and how.
    """
    REPORT.unlink(missing_ok=True)
    line = [str(BIN / "nox"), "--non-interactive", f"--report={REPORT}", *options]
    with LOG.open("w") as log:
        subprocess.run(line, env=env, check=False, stdout=log, stderr=subprocess.STDOUT)
    sessions = json.loads(REPORT.read_text())["sessions"]
    return [each["name"] for each in sessions if each["result"] != "success"]
