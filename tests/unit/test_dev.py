"""./dev needs nothing but Python and git, and never leaves a half-made environment."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, Run


def test_it_runs_a_tool_from_the_locked_environment() -> None:
    result = subprocess.run([ROOT / "dev", "nox", "--version"], check=False, capture_output=True)
    assert result.returncode == 0


def test_the_noxfile_is_run_by_it() -> None:
    command = [str(ROOT / "noxfile.py"), "--version"]
    assert subprocess.run(command, cwd=ROOT, check=False).returncode == 0


def test_it_prints_the_folder_of_the_tools_on_stdout() -> None:
    result = subprocess.run([ROOT / "dev"], check=True, capture_output=True, text=True)
    assert Path(result.stdout.strip(), "nox").exists()


def test_it_hands_on_the_exit_code_of_the_tool() -> None:
    command = [str(ROOT / "dev"), "python", "-c", "raise SystemExit(7)"]
    assert subprocess.run(command, check=False).returncode == 7


def test_it_names_an_unknown_tool() -> None:
    result = subprocess.run([ROOT / "dev", "noxx"], check=False, capture_output=True, text=True)
    assert result.returncode == 1
    assert "error: no such tool: `noxx`\n\nhint: ./dev nox -l" in result.stderr


def test_it_names_a_missing_lock(checkout: Path, run: Run) -> None:
    (checkout / "requirements/dev.txt").unlink()
    result = run("./dev", "nox", "-l")
    assert result.returncode == 1
    assert "error: no such lock: `requirements/dev.txt`\n\nhint: git checkout" in result.stderr


@pytest.mark.usefixtures("no_network")
def test_without_a_network_it_says_so_and_tries_again_next_time(checkout: Path, run: Run) -> None:
    for _ in range(2):
        result = run("./dev", "nox", "-l")
        assert result.returncode == 1
        assert "error: requirements/dev.txt was not installed" in result.stderr
        assert "hint: check the network" in result.stderr
    assert not (checkout / ".venv/built-from").exists()


def test_without_a_network_it_builds_from_warm_caches(
    checkout: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("./dev").returncode == 0
    shutil.rmtree(checkout / ".venv")
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # the discard port: nothing listens
    assert run("./dev", "nox", "--version").returncode == 0


@pytest.fixture
def own_wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep the wheel of uv apart from that of others, which such a test takes away."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_CACHE_DIR", str(cache / "pip"))
    monkeypatch.setenv("UV_CACHE_DIR", str(cache / "uv"))
    return tmp_path / "cache" / "dev-uv"


@pytest.mark.usefixtures("own_wheels")
@pytest.mark.parametrize("tampered", ["uv", "nox"])
def test_it_refuses_a_package_that_differs_from_its_hash(
    checkout: Path, run: Run, tampered: str
) -> None:
    lock = checkout / "requirements/dev.txt"
    before, entry = lock.read_text().split(f"\n{tampered}==")
    hashes, *after = re.split(r"\n(?=[a-z])", entry, maxsplit=1)
    hashes = re.sub(r"sha256:\w+", "sha256:" + "0" * 64, hashes)
    lock.write_text("\n".join([before, f"{tampered}=={hashes}", *after]))
    result = run("./dev", "invoke", "--version")
    assert result.returncode == 1
    assert "hash" in result.stderr.lower()
    assert "0" * 64 in result.stderr
    assert "if a hash differs: git checkout requirements/dev.txt" in result.stderr
    assert not (checkout / ".venv/built-from").exists()


def test_it_replaces_a_broken_wheel_that_was_kept(
    checkout: Path, run: Run, own_wheels: Path
) -> None:
    assert run("./dev").returncode == 0
    (wheel,) = own_wheels.iterdir()
    good = wheel.read_bytes()
    wheel.write_text("no wheel")
    shutil.rmtree(checkout / ".venv")
    assert run("./dev").returncode == 0
    assert wheel.read_bytes() == good


@pytest.mark.parametrize("place", [".cache", ".cache/dev-uv"])
def test_it_names_a_cache_that_is_no_folder(
    checkout: Path, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    (tmp_path / place).parent.mkdir(exist_ok=True)
    (tmp_path / place).write_text("in the way")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    result = run("./dev", "nox", "-l")
    assert result.returncode == 1
    assert result.stderr.startswith(f"error: cannot create {tmp_path}/.cache/dev-uv: ")
    assert "\n\nhint: set XDG_CACHE_HOME" in result.stderr
    assert not (checkout / ".venv").exists()


@pytest.mark.parametrize("ends", ["2>&-", "<&- 2>&-"])
def test_it_prints_nothing_but_the_folder_where_nobody_hears_what_it_says(
    checkout: Path, run: Run, ends: str
) -> None:
    result = run("bash", "-c", f"./dev {ends}")
    assert (result.returncode, result.stdout) == (0, f"{checkout}/.venv/bin\n")


def test_it_names_a_file_where_its_environment_belongs(checkout: Path, run: Run) -> None:
    (checkout / ".venv").write_text("in the way")
    result = run("./dev")
    assert (result.returncode, result.stdout) == (1, "")
    output = (
        f"error: {checkout}/.venv: File exists\n\nhint: df -h {checkout}; ls -ld {checkout}/.venv\n"
    )
    assert result.stderr.endswith(output)


def test_it_names_what_is_no_program() -> None:
    command = [f"{ROOT}/dev", "./README.md"]
    result = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    assert result.returncode == 1
    assert result.stderr.startswith("error: ./README.md: Permission denied\n\nhint: ")


def test_it_builds_anew_when_the_lock_changed(checkout: Path, run: Run) -> None:
    assert run("./dev", "python", "-c", "").returncode == 0
    with (checkout / "requirements/dev.txt").open("a") as lock:
        lock.write("# changed\n")
    assert "building .venv" in run("./dev", "python", "-c", "").stderr
    assert "building .venv" not in run("./dev", "python", "-c", "").stderr


def test_it_builds_anew_when_the_checkout_moved(checkout: Path, run: Run) -> None:
    assert run("./dev").returncode == 0
    moved = checkout.rename(checkout.with_name("a new place"))
    result = subprocess.run(
        ["./dev", "nox", "--version"], cwd=moved, check=False, capture_output=True, text=True
    )
    assert result.returncode == 0
    assert "building .venv" in result.stderr


def test_a_copy_made_of_links_leaves_the_checkout_as_it_was(checkout: Path, run: Run) -> None:
    assert run("./dev").returncode == 0
    copy = checkout.with_name("copy")
    shutil.copytree(checkout, copy, symlinks=True, copy_function=os.link)
    assert subprocess.run(["./dev", "nox", "--version"], cwd=copy, check=False).returncode == 0
    assert "building .venv" not in run("./dev", "nox", "--version").stderr


@pytest.mark.parametrize(
    "setting",
    [("PIP_USER", "1"), ("PIP_TARGET", "elsewhere"), ("PIP_REQUIRE_VIRTUALENV", "1")],
)
def test_where_pip_installs_by_default_does_not_matter(
    checkout: Path, run: Run, monkeypatch: pytest.MonkeyPatch, setting: tuple[str, str]
) -> None:
    monkeypatch.setenv(*setting)
    python = Path(sys.base_prefix, "bin", "python3")  # of no environment
    assert run(python, "./dev", "nox", "--version").returncode == 0
    assert not (checkout / "elsewhere").exists()


def test_settings_of_uv_do_not_matter(
    checkout: Path, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = tmp_path / "config" / "uv" / "uv.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text('exclude-newer = "2016-01-01T00:00:00Z"\n[pip]\ntarget = "elsewhere"\n')
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("UV_EXCLUDE_NEWER", "2016-01-01T00:00:00Z")
    assert run("./dev", "nox", "--version").returncode == 0
    assert not (checkout / "elsewhere").exists()


def test_two_at_once_build_one_environment(checkout: Path) -> None:
    both = [
        subprocess.Popen(["./dev", "nox", "--version"], cwd=checkout, stderr=subprocess.PIPE)
        for _ in range(2)
    ]
    output = [process.communicate()[1] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sum(b"building .venv" in each for each in output) == 1


def test_it_takes_the_first_python_that_is_wanted(checkout: Path, run: Run) -> None:
    wanted = ["3.13", "3.12", "3.11"]
    (checkout / ".python-version").write_text("\n".join(wanted) + "\n")
    result = run("./dev", "python", "--version")
    assert result.stdout.startswith("Python 3.13.")
    assert "there is no" not in result.stderr


def test_it_says_so_when_it_takes_another_python(checkout: Path, run: Run) -> None:
    with (checkout / ".python-version").open("r+") as file:
        rest = file.read()
        file.seek(0)
        file.write(f"3.99\n{rest}")
    command = [sys.executable, "./dev", "python", "--version"]
    result = run(*command)
    version = sys.version.split()[0]
    assert f"dev: python3.99 is not installed: .venv uses Python {version}" in result.stderr
    assert result.stdout == f"Python {version}\n"


@pytest.mark.parametrize("content", [b"\xef\xbb\xbf3.12\n", "3.12\n".encode("utf-16"), b"", None])
def test_versions_that_cannot_be_read_are_one_sentence(
    checkout: Path, run: Run, content: bytes | None
) -> None:
    (checkout / ".python-version").unlink()
    if content is not None:
        (checkout / ".python-version").write_bytes(content)
    result = run("./dev", "nox", "--version")
    assert "error: .python-version cannot be read\n\nhint: " in result.stderr
    assert "Traceback" not in result.stderr
    assert not (checkout / ".venv").exists()


def test_it_is_short_enough_to_be_read_before_it_is_run() -> None:
    assert len((ROOT / "dev").read_text().splitlines()) <= 130
