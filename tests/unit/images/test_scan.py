"""The gate on vulnerabilities, on a double of Trivy that takes only Trivy's own flags."""

import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO

import pytest

from pipeline import errors
from pipeline.errors import CheckFailedError, InconclusiveError, InputError, MissingToolError
from pipeline.git import head
from pipeline.images.commands import trivy
from pipeline.images.inspection import NOT_SCANNED, sbom, scan
from pipeline.images.targets import Target
from tests.unit.images.conftest import (
    AMD,
    APP,
    DIGEST,
    Calls,
    CopyProject,
    add_waiver,
    git,
    vulnerability,
    write_vulnerability_report,
)

SECRET = {"RuleID": "github-pat", "Category": "GitHub", "Severity": "CRITICAL",
          "Title": "GitHub token", "StartLine": 3, "Match": "token = ghp_0123"}  # fmt: skip

SYFT = shutil.which("syft") or ""
TODAY = datetime.now(UTC).date()
TOMORROW = TODAY + timedelta(days=1)  # a run that begins before midnight may end after it


def statement(archive: Path) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = json.loads(
        (archive.parent / "scan.attestation.json").read_text()
    )
    return found


def test_the_double_takes_no_flag_that_trivy_does_not_know(put: CopyProject, archive: Path) -> None:
    put("trivy")
    command = ["trivy", "image", f"--input={archive}", "--severities=HIGH"]
    answer = subprocess.run(command, check=False, capture_output=True, text=True)
    assert answer.returncode == 1
    assert "FATAL\tFatal error\tunknown flag: --severities=HIGH" in answer.stderr


def test_a_clean_image_passes_with_all_reports(
    put: CopyProject, archive: Path, tmp_path: Path
) -> None:
    put("trivy")
    write_vulnerability_report(tmp_path, vulnerability("MEDIUM", fixed="3.0.2"))
    scan([APP])
    for file in trivy.OUTPUT_FILES.values():
        assert (archive.parent / file).read_text()


@pytest.mark.parametrize("excepted", [False, True])
def test_a_mended_critical_is_red_and_its_reports_are_written(
    excepted: bool,  # noqa: FBT001 - the case
    put: CopyProject,
    archive: Path,
    tmp_path: Path,
) -> None:
    put("trivy")
    write_vulnerability_report(tmp_path, vulnerability(fixed="3.0.2"))
    if excepted:
        add_waiver(TODAY + timedelta(days=30))
    with pytest.raises(CheckFailedError, match="CRITICAL CVE-2026-0001 in libssl3") as caught:
        scan([APP])
    assert str(caught.value).startswith(
        "the scan found problems that block a release:\napp on linux/amd64: "
    )
    sarif = json.loads((archive.parent / "scan.sarif").read_text())
    assert sarif["runs"][0]["results"][0]["ruleId"] == "CVE-2026-0001"
    assert "CVE-2026-0001" in (archive.parent / "scan.txt").read_text()


@pytest.mark.usefixtures("archive")
def test_an_unmended_one_with_an_exception_is_reported(
    put: CopyProject, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put("trivy")
    write_vulnerability_report(tmp_path, vulnerability("HIGH"))
    add_waiver(TOMORROW)
    scan([APP])
    assert (
        "accepted by exception: app on linux/amd64: HIGH CVE-2026-0001" in capsys.readouterr().err
    )


@pytest.mark.usefixtures("archive")
def test_an_exception_that_ended_is_red(put: CopyProject, tmp_path: Path) -> None:
    put("trivy")
    write_vulnerability_report(tmp_path, vulnerability("HIGH"))
    add_waiver(TODAY - timedelta(days=1))
    with pytest.raises(CheckFailedError, match="its exception expired on"):
        scan([APP])


@pytest.mark.usefixtures("archive")
@pytest.mark.parametrize(
    ("place", "refused"),
    [("app", True), ("app on linux/amd64", True), ("app on linux/arm64", False)],
)
def test_an_exception_that_this_image_does_not_need_is_red(
    place: str,
    refused: bool,  # noqa: FBT001 - the case
    put: CopyProject,
    tmp_path: Path,
) -> None:
    put("trivy")
    write_vulnerability_report(tmp_path)
    add_waiver(TOMORROW, place, "store")
    if refused:
        with pytest.raises(CheckFailedError, match="for CVE-2026-0001 in libssl3 is not needed"):
            scan([APP])
    else:
        scan([APP])


@pytest.mark.usefixtures("archive")
def test_a_secret_is_red_and_stays_one(put: CopyProject, tmp_path: Path) -> None:
    put("trivy")
    write_vulnerability_report(tmp_path, secrets=(SECRET,))
    with pytest.raises(CheckFailedError, match="a secret: GitHub token in /app/settings") as caught:
        scan([APP])
    assert "ghp_0123" not in str(caught.value)


@pytest.mark.usefixtures("archive")
@pytest.mark.parametrize("place", ["trivy.yaml", "trivy-secret.yaml", "TRIVY_SEVERITY"])
def test_nothing_but_the_exceptions_keeps_a_finding_back(
    put: CopyProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    put("trivy")
    write_vulnerability_report(tmp_path, vulnerability(fixed="3.0.2"), secrets=(SECRET,))
    if place.startswith("TRIVY_"):
        monkeypatch.setenv(place, "LOW")
    else:
        Path(place).write_text("severity: [LOW]\n")
    with pytest.raises(CheckFailedError) as caught:
        scan([APP])
    assert "CVE-2026-0001" in str(caught.value)
    assert "a secret: GitHub token" in str(caught.value)


def test_a_scan_of_today_is_judged_again_but_not_made_again(
    put: CopyProject, archive: Path, tmp_path: Path, calls: Calls
) -> None:
    put("trivy")
    write_vulnerability_report(tmp_path, vulnerability("HIGH"))
    for made in (4, 0):
        with pytest.raises(CheckFailedError):
            scan([APP])
        assert len(calls()) == made
    os.utime(archive.parent / "scan.txt", (0, time.time() - 25 * 60 * 60))
    with pytest.raises(CheckFailedError):
        scan([APP])
    assert len(calls()) == 4


def test_a_scanner_that_fails_is_red(put: CopyProject, archive: Path) -> None:
    put("trivy")
    with pytest.raises(CheckFailedError, match=r"^trivy failed: "):
        scan([APP])
    assert not (archive.parent / "scan.json").exists()


def test_without_trivy_nothing_is_judged_and_a_statement_says_so(archive: Path) -> None:
    with pytest.raises(InconclusiveError, match="Trivy is missing") as caught:
        scan([APP])
    assert caught.value.hint.startswith("install it: https://")
    assert NOT_SCANNED in statement(archive)["scanner"]["result"]


def test_without_what_trivy_knows_nothing_is_judged(
    put: CopyProject, archive: Path, tmp_path: Path
) -> None:
    put("trivy")
    (tmp_path / "registry-is-away").touch()
    with pytest.raises(InconclusiveError, match="Trivy's database is out of reach"):
        scan([APP])
    assert NOT_SCANNED in statement(archive)["scanner"]["result"]


def test_a_statement_of_today_stays_and_an_older_one_is_renewed(archive: Path) -> None:
    output = []
    for age in (0, 0, 25 * 60 * 60):
        if age:
            old = time.time() - age
            os.utime(archive, (0, old))
            os.utime(archive.parent / "scan.attestation.json", (0, old))
        with pytest.raises(InconclusiveError):
            scan([APP])
        output.append(statement(archive)["metadata"]["scanFinishedOn"])
    assert output[0] == output[1] != output[2]


@pytest.mark.usefixtures("archive")
def test_trivy_judges_what_could_not_be_judged_before(put: CopyProject, tmp_path: Path) -> None:
    with errors.handle_errors():
        scan([APP])
    assert [each.check for each in errors.read_inconclusive(errors.INCONCLUSIVE_DIR)] == ["scan"]
    put("trivy")
    write_vulnerability_report(tmp_path)
    scan([APP])
    assert errors.read_inconclusive(errors.INCONCLUSIVE_DIR) == []


@pytest.mark.usefixtures("project")
def test_what_was_not_built_is_not_looked_at(put: CopyProject) -> None:
    put("trivy", "syft")
    for look in (sbom, scan):
        with pytest.raises(InputError, match="app on linux/amd64 was not built") as caught:
            look([APP])
        assert caught.value.hint == "invoke build --image=app"


def test_dry_looks_print_all_commands_and_run_none(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMAGES_REGISTRY", "127.0.0.1:5000/kit")
    sbom([APP], dry_run=True)
    scan([APP], dry_run=True)
    programs = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert programs == ["syft", *["trivy"] * 4]
    assert not (project / "dist").exists()


def test_bills_of_materials_are_written_once_for_an_archive(
    put: CopyProject, archive: Path, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    put("syft")
    monkeypatch.setenv("IMAGES_REGISTRY", "127.0.0.1:5000/kit")
    for made in (1, 0):
        sbom([APP])
        assert len(calls()) == made
    os.utime(archive, (0, time.time() + 60))
    sbom([APP])
    assert len(calls()) == 1


def image(archive: Path) -> None:
    """Write the archive of an image that holds one package, as `docker save` does."""
    layer, package = io.BytesIO(), b"Metadata-Version: 2.1\nName: flask\nVersion: 3.0.0\n"
    pack(layer, {"usr/lib/python3/site-packages/flask-3.0.0.dist-info/METADATA": package})
    digest = hashlib.sha256(layer.getvalue()).hexdigest()
    layers = {"type": "layers", "diff_ids": [f"sha256:{digest}"]}
    config = {"architecture": "amd64", "os": "linux", "config": {}, "rootfs": layers}
    listed = [{"Config": "config.json", "RepoTags": ["app:1"], "Layers": ["layer.tar"]}]
    files = {"config.json": json.dumps(config), "manifest.json": json.dumps(listed)}
    with archive.open("wb") as file:
        texts = {name: text.encode() for name, text in files.items()}
        pack(file, {**texts, "layer.tar": layer.getvalue()})


def pack(file: IO[bytes], contents: dict[str, bytes]) -> None:
    with tarfile.open(fileobj=file, mode="w") as tar:
        for name, content in contents.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))


@pytest.mark.parametrize("place", [".syft.yaml", "home", "SYFT_EXCLUDE"])
def test_nothing_keeps_a_package_out_of_the_bill(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """With the real Syft."""
    (tmp_path / "bin" / "syft").symlink_to(SYFT)
    monkeypatch.setenv("IMAGES_REGISTRY", "127.0.0.1:5000/kit")
    monkeypatch.setenv("HOME", str(tmp_path))
    image(archive)
    if place.startswith("SYFT_"):
        monkeypatch.setenv(place, "**/site-packages/**")
    else:
        folder = tmp_path if place == "home" else Path()
        (folder / ".syft.yaml").write_text('exclude: ["**/site-packages/**"]\n')
    sbom([APP])
    bill = json.loads((archive.parent / "sbom.cdx.json").read_text())
    assert "flask" in {component["name"] for component in bill["components"]}


@pytest.mark.parametrize(
    ("reference", "version"),
    [(f"store:1@{DIGEST}", "1"), ("mirror.example.com:5000/store:2", "2")],
)
def test_a_bill_of_an_image_of_others_bears_their_version(
    put: CopyProject,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    reference: str,
    version: str,
) -> None:
    put("docker")
    git("remote", "add", "origin", "https://github.com/octo-org/shop")
    (tmp_path / "compose.json").write_text(json.dumps({"store": reference}))
    sbom([APP, Target("store", AMD)], dry_run=True)
    ours, theirs = capsys.readouterr().out.splitlines()
    assert f"--source-version={head().tag} " in ours
    assert f"--source-version={version} " in theirs


@pytest.mark.usefixtures("archive")
def test_without_syft_it_is_said_where_it_is() -> None:
    with pytest.raises(MissingToolError, match="missing tools: syft"):
        sbom([APP])
