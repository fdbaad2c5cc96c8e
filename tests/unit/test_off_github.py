"""What tests run writes to no file that GitHub's runner gives the step that they run in."""

import sys
from pathlib import Path

from pipeline.process import capture
from tests.conftest import ROOT

FILES = ("GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_PATH", "GITHUB_STATE", "GITHUB_STEP_SUMMARY")
WRITES = (
    "tests/unit/images/test_ci_jobs.py::test_a_release_of_one_platform_is_verified_but_not_judged",
    "tests/unit/ci/test_gate.py",
    "tests/unit/test_licenses.py",
)


def test_no_test_writes_to_the_files_of_its_step(tmp_path: Path) -> None:
    files = {name: str(tmp_path / name) for name in FILES}
    command = [sys.executable, "-m", "pytest", "--quiet", f"--basetemp={tmp_path / 'own'}", *WRITES]
    output = capture(command, cwd=ROOT, env={"CI": "true", "GITHUB_ACTIONS": "true", **files})
    assert [*tmp_path.glob("GITHUB_*")] == []
    assert output.returncode == 0, output.stdout
