"""How the app itself reads addresses, in a process that has its package and not ours."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.process import capture
from tests.conftest import ROOT


def app_reads(databases: Sequence[str] = (), origins: Sequence[str] = ()) -> dict[str, Any]:
    """Return what the app makes of each database, and whether it takes each origin.

    Args:
        databases: What DATABASE_URL may hold; one that is refused becomes None.
        origins: What PUBLIC_URL may hold.
    """
    script = str(Path(__file__).with_name("inside_the_app.py"))
    requested = json.dumps({"databases": databases, "origins": origins})
    path = {"PYTHONPATH": str(ROOT / "backend")}
    answer = capture([sys.executable, script], env=path, stdin=requested)
    assert answer.returncode == 0, answer.stderr
    found: dict[str, Any] = json.loads(answer.stdout)
    return found
