"""Missing requirements of the browser tests are reported in one sentence."""

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline import node
from tests.conftest import ROOT, Result

FRONTEND = ROOT / "frontend"


@pytest.fixture(scope="module", autouse=True)
def packages() -> None:
    """The frontend's packages, as its sessions install them."""
    node.install_packages(FRONTEND, {})


def run_script(script: str, **variables: str) -> Result:
    command = [shutil.which("node") or "node", f"e2e/{script}"]
    environment = {**os.environ, **variables}
    return subprocess.run(
        command, cwd=FRONTEND, env=environment, check=False, capture_output=True, text=True
    )


def test_no_browser_is_an_error_with_a_hint(tmp_path: Path) -> None:
    result = run_script("setup.ts", PLAYWRIGHT_BROWSERS_PATH=str(tmp_path), E2E_CHROMIUM="")
    assert result.returncode == 3
    assert "error: the browser of the end-to-end tests is missing" in result.stderr
    assert "hint: nox -s e2e-quick installs one" in result.stderr


def test_a_browser_that_is_named_and_not_there_is_an_error_with_a_hint() -> None:
    result = run_script("setup.ts", E2E_CHROMIUM="/missing/chromium")
    assert result.returncode == 3
    assert result.stderr.startswith("error: E2E_CHROMIUM is not a file: /missing/chromium\n\nhint:")


@pytest.mark.parametrize("name", ["E2E_BACKEND_PORT", "E2E_FRONTEND_PORT"])
def test_a_port_in_use_is_an_error_with_a_hint(name: str) -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = str(server.getsockname()[1])
        result = run_script("check-ports.ts", **{name: port})
    assert result.returncode == 3
    assert result.stderr.startswith(f"error: port {port} ({name}) is in use\n\nhint:")


def test_a_python_without_the_backend_is_an_error_with_a_hint(tmp_path: Path) -> None:
    """That of the system, which has nothing but itself."""
    browser = tmp_path / "chromium"
    browser.touch()
    path = f"{sys.base_prefix}/bin:{os.environ['PATH']}"
    result = run_script("setup.ts", E2E_CHROMIUM=str(browser), PATH=path)
    assert result.returncode == 3
    assert "cannot import django" in result.stderr
    assert "hint: activate an environment" in result.stderr
