"""How the app itself reads addresses, in a process that has its package and not ours."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.run import read
from tests.conftest import ROOT


def app_reads(origins: Sequence[str]) -> dict[str, Any]:
    """Return whether the app takes each origin.

    Args:
        origins: What PUBLIC_URL may hold.
    """
    script = str(Path(__file__).with_name("inside_the_app.py"))
    asked = json.dumps({"origins": origins})
    path = {"PYTHONPATH": str(ROOT / "backend")}
    answer = read([sys.executable, script], env=path, stdin=asked)
    assert answer.returncode == 0, answer.stderr
    found: dict[str, Any] = json.loads(answer.stdout)
    return found
