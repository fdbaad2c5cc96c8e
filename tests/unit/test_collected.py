"""A test that no session runs is green: every Python file that is named like one is run.

The linter of the frontend refuses names that no runner looks for: `ignoredNames` in its
eslint.config.js.
"""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from pipeline.images.ci_jobs import IMAGE_TESTS
from tests.conftest import ROOT

LIKE_A_TEST = re.compile(r"tests|test_.*|.*_tests?")
TAKEN = re.compile(r"^taken: (.*)$", re.MULTILINE)
STAND_IN = '#!/bin/sh\necho "$PWD ${0##*/} $*" >> "$RECORD"\n'
# sessions ask a place to write to of their environment, of which there is none here
NOX = "import nox, nox.virtualenv as v; v.PassthroughEnv.location = '.nox'; nox.main()"
EVERY = ("--force-venv-backend=none", "--keywords=not nothing")
IGNORE = "--ignore="
RUN = (
    "backend/apps/late/tests.py",
    "backend/apps/late/late_test.py",
    "backend/apps/late/late_tests.py",
    "backend/tests/test_late.py",
    "backend/test_late.py",
    "tests/late/test_late.py",
)
RUN_BY_NONE = ("benchmarks/test_late.py", "pipeline/ci/test_late.py", "tests/unit/ci/late_tests.py")


class Call(NamedTuple):
    """What a session calls pytest with: a folder, where to look, and what to leave out."""

    folder: Path
    paths: list[Path]
    ignored: list[Path]

    def takes(self, file: Path) -> bool:
        inside = any(map(file.is_relative_to, self.paths or [self.folder]))
        return inside and not any(map(file.is_relative_to, self.ignored))


def calls(checkout: Path) -> list[Call]:
    """Run every session where pytest, and what starts it, only writes down how it is called."""
    programs, record = checkout.with_name("programs"), checkout.with_name("record")
    programs.mkdir()
    for name in ("pytest", "python", "uv"):
        (programs / name).write_text(STAND_IN)
        (programs / name).chmod(0o755)
    env = os.environ | {"PATH": f"{programs}:{os.defpath}", "RECORD": str(record)}
    nox = [sys.executable, "-c", NOX, *EVERY]
    subprocess.run(nox, cwd=checkout, env=env, check=False, capture_output=True)
    lines = map(str.split, record.read_text().splitlines())
    by_invoke = Call(checkout, [checkout / IMAGE_TESTS], [])  # `invoke image` does
    return [by_invoke, *(call(*line) for line in lines if is_whole(*line))]


def is_whole(*words: str) -> bool:
    """Say whether pytest is called, and for all tests of the files."""
    return "--quick" not in words and not {"pytest", "tests.support.require_tools"}.isdisjoint(
        words
    )


def call(where: str, *words: str) -> Call:
    folder = Path(where, "backend" if "--directory=backend" in words else "")
    paths = [folder / word for word in words if (folder / word).exists()]
    ignored = [folder / word.removeprefix(IGNORE) for word in words if word.startswith(IGNORE)]
    return Call(folder, paths, ignored)


def taken(folder: Path) -> set[Path]:
    """Return the files that pytest takes for tests, by the settings of a folder."""
    collect = [sys.executable, "-m", "pytest", "-p", "tests.collecting", "--collect-only", "-q"]
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    output = subprocess.run(
        collect, cwd=folder, env=env, check=False, capture_output=True, text=True
    )
    return {*map(Path, TAKEN.findall(output.stdout))}


def test_every_file_that_is_named_like_a_test_is_run_by_a_session(checkout: Path) -> None:
    for name in (*RUN, *RUN_BY_NONE):
        (checkout / name).parent.mkdir(exist_ok=True)
        (checkout / name).write_text("")
    named = {path for path in checkout.rglob("*.py") if LIKE_A_TEST.fullmatch(path.stem)}
    known = taken(checkout) | taken(checkout / "backend")
    every = calls(checkout)
    run = {path for path in known if any(each.takes(path) for each in every)}
    assert {str(path.relative_to(checkout)) for path in named - run} == {*RUN_BY_NONE}
