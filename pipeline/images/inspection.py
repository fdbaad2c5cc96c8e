"""Write the SBOM of an image, and scan it for vulnerabilities."""

import json
import shutil
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from pipeline import filesystem
from pipeline.errors import CheckFailedError, InconclusiveError, InputError, clear_inconclusive
from pipeline.git import head
from pipeline.images import third_party
from pipeline.images.commands import syft, trivy
from pipeline.images.records import read_json
from pipeline.images.scan_policy import evaluate
from pipeline.images.targets import Target, is_built, repository_for
from pipeline.images.tools import INSTALL_HINTS, empty_variables, require_tools, run_commands
from pipeline.process import capture, last_error_line
from pipeline.waivers import waivers_for

NOT_SCANNED = "notJudged"
_UNKNOWN = "the vulnerabilities of the images are unknown"
_SECONDS_PER_DAY = 24 * 60 * 60


def sbom(targets: Iterable[Target], *, dry_run: bool = False) -> None:
    """Write the SBOMs of the targets' archives, SPDX and CycloneDX.

    Args:
        targets: What to inspect.
        dry_run: Whether to only print the commands.

    Raises:
        MissingToolError: Syft is missing.
        CheckFailedError: Syft failed.
    """
    if not dry_run:
        require_tools("syft")
    for target in targets:
        files = [target.directory / name for name in syft.OUTPUT_FILES.values()]
        if not dry_run and all(_is_newer_than_archive(file, target) for file in files):
            continue
        version = head().tag if is_built(target.image) else third_party.image_version(target.image)
        command = syft.sbom_command(target, repository_for(target.image), version)
        run_commands([command], dry_run=dry_run, env=empty_variables(syft.VARIABLES))


def _is_newer_than_archive(file: Path, target: Target) -> bool:
    """Return whether a file was written after the archive that it describes.

    Raises:
        InputError: There is no archive.
    """
    if not target.archive.exists():
        raise InputError(f"{target} was not built", hint=f"invoke build --image={target.image}")
    return file.exists() and file.stat().st_mtime >= target.archive.stat().st_mtime


def scan(targets: Iterable[Target], *, dry_run: bool = False) -> None:
    """Scan the targets' archives for vulnerabilities, and evaluate the reports.

    All reports are written before any is evaluated, so that those of a failed scan can be read.

    Args:
        targets: What to scan.
        dry_run: Whether to only print the commands.

    Raises:
        CheckFailedError: A vulnerability blocks the release; all are named.
        InconclusiveError: Trivy or its database is missing. A statement that no scanner ran is
            written.
    """
    chosen = list(targets)
    if dry_run:
        run_commands(
            [trivy.scan_command(target, form) for target in chosen for form in trivy.OUTPUT_FILES],
            dry_run=True,
        )
        return
    outdated = [target for target in chosen if _needs_scan(target)]
    try:
        for target in outdated:
            _write_reports(target)
    except InconclusiveError:
        for target in outdated:
            _write_unscanned_statement(target)
        raise
    _evaluate_reports(chosen)


def _write_reports(target: Target) -> None:
    """Write a target's reports.

    Raises:
        CheckFailedError: Trivy failed.
        InconclusiveError: Trivy is missing, or its database is out of reach.
    """
    if shutil.which("trivy") is None:
        hint = f"install it: {INSTALL_HINTS['trivy']}"
        raise InconclusiveError("scan", f"Trivy is missing, so {_UNKNOWN}", hint=hint)
    env = empty_variables(trivy.VARIABLES, keep=trivy.LOCATION_VARIABLES)
    for command in [trivy.scan_command(target, form) for form in trivy.OUTPUT_FILES]:
        answer = capture(command, env=env)
        if any(sign in answer.stderr for sign in trivy.UNREACHABLE):
            raise InconclusiveError("scan", f"Trivy's database is out of reach, so {_UNKNOWN}")
        if answer.returncode:
            hint = "trivy image --help"
            raise CheckFailedError(f"trivy failed: {last_error_line(answer)}", hint=hint)


def _needs_scan(target: Target) -> bool:
    """Return whether a report is missing, older than the archive, or a day outdated."""
    return not all(
        _is_fresh(target.directory / file, target) for file in trivy.OUTPUT_FILES.values()
    )


def _is_fresh(file: Path, target: Target) -> bool:
    """Return whether a file describes the current archive, and was written within a day."""
    now = datetime.now(UTC).timestamp()
    return _is_newer_than_archive(file, target) and now - file.stat().st_mtime < _SECONDS_PER_DAY


def _evaluate_reports(targets: Iterable[Target]) -> None:
    """Evaluate the reports of all targets.

    Raises:
        CheckFailedError: Names everything that blocks a release.
        InputError: security/exceptions.toml is invalid.
    """
    today = datetime.now(UTC).date()
    refused = []
    for target in targets:
        report = read_json(target.directory / trivy.OUTPUT_FILES["json"])
        verdict = evaluate(report, waivers_for([target.image, str(target)], today), today)
        refused += [f"{target}: {finding}" for finding in verdict.refused]
        for finding in verdict.accepted:
            print(f"accepted by exception: {target}: {finding}", file=sys.stderr)
    clear_inconclusive("scan")
    if refused:
        raise CheckFailedError(
            "the scan found problems that block a release:\n" + "\n".join(sorted(set(refused))),
            hint="upgrade packages and base images: ./dev nox -s lock -- --upgrade; "
            "invoke pin-base-images; if no version fixes it, see exceptions in CI_CD.md",
        )


def _write_unscanned_statement(target: Target) -> None:
    """Write the statement that no scanner ran, in the format of a scan.

    https://github.com/sigstore/cosign/blob/main/specs/COSIGN_VULN_ATTESTATION_SPEC.md
    """
    now = datetime.now(UTC).isoformat()
    statement = {
        "invocation": {"parameters": [], "uri": "", "event_id": "", "builder.id": ""},
        "scanner": {
            "uri": "",
            "version": "",
            "db": {"uri": "", "version": ""},
            "result": {NOT_SCANNED: "there was no scanner"},
        },
        "metadata": {"scanStartedOn": now, "scanFinishedOn": now},
    }
    file = target.directory / trivy.OUTPUT_FILES["cosign-vuln"]
    if not _is_fresh(file, target):
        filesystem.write_files({file: json.dumps(statement, indent=2)})
