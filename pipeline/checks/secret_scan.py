"""Scan for secrets: in the working tree, and in every commit of this change.

python -m pipeline.checks.secret_scan

Kingfisher uses the rules of Betterleaks, the successor of Gitleaks; it may not validate the secrets
online. A secret that a later commit removed is still in the history.
https://mongodb.github.io/kingfisher/
"""

import json
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pipeline import git
from pipeline.checks.baseline import baseline_commit
from pipeline.errors import CheckFailedError, InconclusiveError, clear_inconclusive, handle_errors
from pipeline.process import capture, last_error_line
from pipeline.scratch_repository import copy_files

_CHECK = "secrets"
_REPORTS = Path("reports")
_KINGFISHER_OPTIONS = ("--no-validate", "--no-update-check", "--redact", "--quiet", "--no-dedup")
_EXIT_CODE_FINDINGS = 200


def main() -> None:
    """Scan the working tree and the commits.

    Raises:
        CheckFailedError: Names the location of every secret, without its value.
        InconclusiveError: The working tree is clean, but some commits do not exist here.
    """
    found, incomplete = scan_worktree(), None
    try:
        found += _scan_commits()
    except InconclusiveError as error:
        incomplete = error
    if incomplete and not found:
        raise incomplete
    clear_inconclusive(_CHECK)
    if found:
        raise CheckFailedError(
            "secrets:\n" + "\n".join(found),
            hint="revoke the secret, then remove it; for a false positive, add: kingfisher:ignore",
        )


def scan_worktree() -> list[str]:
    """Scan all tracked and untracked files."""
    with TemporaryDirectory() as folder:
        # git tracks only the commit of a submodule
        copy_files((name for name in git.files() if not Path(name).is_dir()), Path(folder))
        return _scan("secrets", Path(folder))


def _scan_commits() -> list[str]:
    """Scan the changes of each commit since the baseline; all commits, if there is none.

    Other branches are not scanned, as a clone may contain any.

    Raises:
        InconclusiveError: Some commits do not exist here.
    """
    since = baseline_commit(_CHECK)
    options = ["--branch=HEAD", *([f"--since-commit={since}"] if since else [])]
    return _scan("secrets-commits", Path.cwd(), *options)


def _scan(name: str, folder: Path, *options: str) -> list[str]:
    """Scan a folder, and write a report in SARIF.

    Args:
        name: The name of the report.
        folder: The folder.
        *options: Options of Kingfisher, in addition to `_KINGFISHER_OPTIONS`.

    Raises:
        CheckFailedError: Kingfisher failed.
    """
    _REPORTS.mkdir(exist_ok=True)
    report = (_REPORTS / f"{name}.sarif").resolve()
    answer = capture(
        [
            "kingfisher",
            "scan",
            ".",
            *_KINGFISHER_OPTIONS,
            "--format=sarif",
            f"--output={report}",
            *options,
        ],
        cwd=folder,
    )
    if answer.returncode not in {0, _EXIT_CODE_FINDINGS}:
        raise CheckFailedError(
            f"kingfisher failed: {last_error_line(answer)}", hint="kingfisher scan --help"
        )
    return sorted({*_sarif_locations(json.loads(report.read_text()))})


def _sarif_locations(sarif: dict[str, Any]) -> Iterator[str]:
    """Yield the location and the rule of each secret: https://docs.oasis-open.org/sarif/sarif/."""
    for result in (result for run in sarif["runs"] for result in run["results"]):
        (location,) = result["locations"]
        place = location["physicalLocation"]
        path = place["artifactLocation"]["uri"].removeprefix("./")
        commit = location["properties"].get("git_metadata", {}).get("commit", {}).get("id", "")
        where = f" in commit {commit[:12]}" if commit else ""
        yield f"{path}:{place['region']['startLine']}: {result['ruleId']}{where}"


if __name__ == "__main__":
    with handle_errors():
        main()
