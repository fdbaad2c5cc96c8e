"""Say what is in an image, and what is known against it."""

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
UNKNOWN = "the images' vulnerabilities are not known"
SECONDS_PER_DAY = 24 * 60 * 60


def sbom(targets: Iterable[Target], *, dry_run: bool = False) -> None:
    """Write the bills of materials of the targets' archives, SPDX and CycloneDX.

    Args:
        targets: Whose.
        dry_run: Whether to only print the commands.

    Raises:
        MissingToolError: Syft is not here.
        CheckFailedError: Syft failed.
    """
    if not dry_run:
        require_tools("syft")
    for target in targets:
        bills = [target.directory / file for file in syft.OUTPUT_FILES.values()]
        if not dry_run and all(is_newer_than_archive(bill, target) for bill in bills):
            continue
        version = head().tag if is_built(target.image) else third_party.image_version(target.image)
        command = syft.sbom_command(target, repository_for(target.image), version)
        run_commands([command], dry_run=dry_run, env=empty_variables(syft.VARIABLES))


def is_newer_than_archive(paper: Path, target: Target) -> bool:
    """Say whether a paper was written after the archive that it speaks of.

    Raises:
        InputError: There is no archive.
    """
    if not target.archive.exists():
        raise InputError(f"{target} was not built", hint=f"invoke build --image={target.image}")
    return paper.exists() and paper.stat().st_mtime >= target.archive.stat().st_mtime


def scan(targets: Iterable[Target], *, dry_run: bool = False) -> None:
    """Scan the targets' archives for vulnerabilities, and judge what is found.

    All reports are written before anything is judged, so that a red scan can be read.

    Args:
        targets: Whose.
        dry_run: Whether to only print the commands.

    Raises:
        CheckFailedError: A vulnerability stands against a release; all are named.
        NotJudgedError: There is no Trivy, or none that knows anything; a statement that says so is
            left to be signed.
    """
    chosen = list(targets)
    if dry_run:
        run_commands(
            [trivy.scan_command(target, form) for target in chosen for form in trivy.OUTPUT_FILES],
            dry_run=True,
        )
        return
    old = [target for target in chosen if needs_scan(target)]
    try:
        for target in old:
            write_reports(target)
    except InconclusiveError:
        for target in old:
            write_unscanned_statement(target)
        raise
    evaluate_reports(chosen)


def write_reports(target: Target) -> None:
    """Write a target's reports.

    Raises:
        CheckFailedError: Trivy failed.
        NotJudgedError: There is none, or what it knows is out of reach.
    """
    if shutil.which("trivy") is None:
        hint = f"install it: {INSTALL_HINTS['trivy']}"
        raise InconclusiveError("scan", f"there is no Trivy, so {UNKNOWN}", hint=hint)
    env = empty_variables(trivy.VARIABLES, but=trivy.PLACES)
    for command in [trivy.scan_command(target, form) for form in trivy.OUTPUT_FILES]:
        answer = capture(command, env=env)
        if any(sign in answer.stderr for sign in trivy.UNREACHABLE):
            raise InconclusiveError("scan", f"Trivy's database is out of reach, so {UNKNOWN}")
        if answer.returncode:
            hint = "trivy image --help"
            raise CheckFailedError(f"trivy failed: {last_error_line(answer)}", hint=hint)


def needs_scan(target: Target) -> bool:
    """Say whether a target has to be scanned: a report is missing, of before, or a day old."""
    return not all(
        is_fresh(target.directory / file, target) for file in trivy.OUTPUT_FILES.values()
    )


def is_fresh(paper: Path, target: Target) -> bool:
    """Say whether a paper speaks of the archive that is there, and was written within a day."""
    now = datetime.now(UTC).timestamp()
    return is_newer_than_archive(paper, target) and now - paper.stat().st_mtime < SECONDS_PER_DAY


def evaluate_reports(targets: Iterable[Target]) -> None:
    """Judge the reports of all targets at once.

    Raises:
        CheckFailedError: Names everything that stands against a release.
        InputError: security/exceptions.toml is wrong.
    """
    today = datetime.now(UTC).date()
    refused = []
    for target in targets:
        report = read_json(target.directory / trivy.OUTPUT_FILES["json"])
        judgement = evaluate(report, waivers_for([target.image, str(target)], today), today)
        refused += [f"{target}: {finding}" for finding in judgement.refused]
        for finding in judgement.accepted:
            print(f"accepted for now: {target}: {finding}", file=sys.stderr)
    clear_inconclusive("scan")
    if refused:
        raise CheckFailedError(
            "what the scan found is refused:\n" + "\n".join(sorted(set(refused))),
            hint="take newer packages and bases: ./dev nox -s lock -- --upgrade; "
            "invoke pin-base-images; if no version mends it: CI_CD.md, exceptions",
        )


def write_unscanned_statement(target: Target) -> None:
    """Write the statement that no scanner ran, in the form of a scan.

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
    paper = target.directory / trivy.OUTPUT_FILES["cosign-vuln"]
    if not is_fresh(paper, target):
        filesystem.write_files({paper: json.dumps(statement, indent=2)})
