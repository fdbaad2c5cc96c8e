"""A project with two images, and tools that follow the contract of the real ones' command lines.

The PATH holds git and what a test puts there, so that a machine's own Docker, Cosign or Trivy never
answer. `tests/acceptance/signing` runs the same chain on the real tools.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from pipeline.images.commands import cosign
from pipeline.images.registry import manifest_digest
from pipeline.images.targets import Target
from pipeline.images.tools import is_engine_available
from pipeline.images.verification import VERIFIED_CACHE
from tests import settings
from tests.conftest import ROOT

DOUBLES = Path(__file__).parent / "fakes"
AMD, ARM = "linux/amd64", "linux/arm64"
APP = Target("app", AMD)
DIGEST = f"sha256:{'0' * 64}"
IMAGES = {"built": ["app"], "third_party": ["store"]}
COMPOSE = f"services:\n  store:\n    image: ${{STORE_IMAGE:-store:1@{DIGEST}}}\n"
DOCKERFILE = f"ARG BASE_IMAGE=base:1@{DIGEST}\nFROM $BASE_IMAGE\n"
UNSET = ("COSIGN_KEY", "IMAGES_REGISTRY", "PIPELINE_STRICT", "REGISTRY_TOKEN")

Calls = Callable[[], list[str]]
CopyProject = Callable[..., None]
RunOnce = Callable[[Callable[[], None]], None]


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A committed checkout without a remote, and a folder of tools with nothing but git."""
    home = tmp_path_factory.mktemp("template")
    folder, tools = home / "project", home / "bin"
    (folder / "app").mkdir(parents=True)
    tools.mkdir()
    for tool in ("git", "sh"):
        (tools / tool).symlink_to(str(shutil.which(tool)))
    (folder / "pipeline.toml").write_text(settings.text({"images": IMAGES}))
    (folder / ".gitignore").write_text("/dist/\n/reports/\n")
    (folder / "docker-compose.yml").write_text(COMPOSE)
    (folder / "app" / "Dockerfile").write_text(DOCKERFILE)
    for command in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message=Work"]):
        git("-C", str(folder), *command)
    return home


@pytest.fixture
def project(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the checkout to stand in, with only its own tools on the PATH."""
    shutil.copytree(template, tmp_path, symlinks=True, dirs_exist_ok=True)
    for name in UNSET:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.chdir(tmp_path / "project")
    cosign.signing_config_option.cache_clear()
    is_engine_available.cache_clear()
    VERIFIED_CACHE.clear()
    return tmp_path / "project"


def git(*arguments: str) -> None:
    """Run git in the project."""
    name = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"]
    command = ["git", *name, *arguments]
    subprocess.run(command, check=True)


def commit() -> None:
    """Commit all files."""
    git("add", "--all")
    git("commit", "--quiet", "--allow-empty", "--message=Work")


@pytest.fixture
def put(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CopyProject:
    """Put doubles of tools on the PATH; what they did is in `calls`, one command a line."""
    monkeypatch.setenv("DOUBLES", str(tmp_path))

    def put(*tools: str) -> None:
        for tool in tools:
            program = project.parent / "bin" / tool
            call = f'exec "{sys.executable}" -P -S "{DOUBLES}/{tool}.py" "$@"'
            program.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" {call}\n')
            program.chmod(0o755)

    return put


@pytest.fixture
def calls(tmp_path: Path) -> Calls:
    """Return what the doubles were called with since the last look."""

    def calls() -> list[str]:
        log = tmp_path / "calls"
        lines = log.read_text().splitlines() if log.exists() else []
        log.unlink(missing_ok=True)
        return lines

    return calls


@pytest.fixture
def once(
    project: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> RunOnce:
    """Bring the project into a state that takes long to reach: it is made once, and then copied."""

    def once(make: Callable[[], None]) -> None:
        home = project.parent
        kept = tmp_path_factory.getbasetemp() / f"{make.__module__}.{make.__name__}"
        if not kept.exists():
            make()
            shutil.copytree(home, kept, symlinks=True)
            return
        shutil.rmtree(home)
        shutil.copytree(kept, home, symlinks=True)
        monkeypatch.chdir(project)

    return once


@pytest.fixture
def archive(project: Path) -> Path:
    """The archive of an image that was built."""
    path = project / APP.archive
    path.parent.mkdir(parents=True)
    path.write_text("an image")
    return path


def set_engine_state(tmp_path: Path, *, on: bool) -> None:
    """Start or stop the engine of the double of Docker."""
    switch = tmp_path / "engine-is-down"
    switch.unlink(missing_ok=True) if on else switch.touch()
    is_engine_available.cache_clear()


def add_waiver(until: date, *places: str, name: str = "CVE-2026-0001") -> None:
    """Except a vulnerability of the project's image until a day."""
    path = Path("security", "exceptions.toml")
    path.parent.mkdir(exist_ok=True)
    with path.open("a") as file:
        file.write(
            f'[[exceptions]]\nid = "{name}"\npackage = "libssl3"\nexpiry = {until}\n'
            f"found_in = {json.dumps(places or ['app'])}\n"
            'reason = "no fixed version"\nowner = "ada@example.com"\n'
        )


def vulnerability(severity: str = "CRITICAL", fixed: str = "", **more: str) -> dict[str, Any]:
    """Return a finding of Trivy's, with what the kit reads of it and some of what it does not."""
    return {
        "VulnerabilityID": "CVE-2026-0001",
        "PkgID": "libssl3@3.0.1",
        "PkgName": "libssl3",
        "InstalledVersion": "3.0.1",
        **({"FixedVersion": fixed, "Status": "fixed"} if fixed else {"Status": "affected"}),
        "SeveritySource": "nvd",
        "Title": "openssl: a buffer overflow",
        "Severity": severity,
        **more,
    }


def write_vulnerability_report(
    tmp_path: Path, *found: dict[str, Any], secrets: tuple[dict[str, Any], ...] = ()
) -> None:
    """Say what the double of Trivy finds."""
    findings = {"vulnerabilities": found, "secrets": secrets}
    (tmp_path / "findings.json").write_text(json.dumps(findings))


def publish(tmp_path: Path, name: str, manifest: str) -> str:
    """Put a manifest into the registry of the double of Docker, and return its digest."""
    path = tmp_path / "docker.json"
    empty: dict[str, Any] = {"images": {}, "platforms": {}, "registry": {}}
    state = json.loads(path.read_text()) if path.exists() else empty
    repository = name.partition("@")[0].rpartition(":")[0]
    state["registry"] |= {name: manifest, f"{repository}@{manifest_digest(manifest)}": manifest}
    path.write_text(json.dumps(state))
    return manifest_digest(manifest)


def scan_of(**scan: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Return the statement of a scan, done now."""
    now = datetime.now(UTC).isoformat()
    return {
        "scanner": {"uri": "pkg:github/aquasecurity/trivy@0.74.0", "result": {"SchemaVersion": 2}},
        "metadata": {"scanStartedOn": now, "scanFinishedOn": now},
        **scan,
    }
