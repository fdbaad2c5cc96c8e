"""Look for secrets: in the tree as git would take it, and in every commit of this work.

python -m pipeline.checks.secret_scan

Kingfisher knows them by the rules of Betterleaks, which follows Gitleaks; it may not try them out.
A secret that a later commit took away again is still in the history, and out in the world.
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

CHECK = "secrets"
REPORTS = Path("reports")
KINGFISHER_OPTIONS = ("--no-validate", "--no-update-check", "--redact", "--quiet", "--no-dedup")
EXIT_CODE_FINDINGS = 200


def main() -> None:
    """Scan the tree and the commits, and judge what is found.

    Raises:
        CheckFailedError: Names every place where a secret is, never the secret.
        NotJudgedError: The tree is clean, but the commits are not all here.
    """
    found, silent = scan_worktree(), None
    try:
        found += scan_commits()
    except InconclusiveError as error:
        silent = error
    if silent and not found:
        raise silent
    clear_inconclusive(CHECK)
    if found:
        raise CheckFailedError(
            "secrets:\n" + "\n".join(found),
            hint="revoke it first, then take it out; on a false alarm's line: kingfisher:ignore",
        )


def scan_worktree() -> list[str]:
    """Scan all files that git has or would take, as they are now."""
    with TemporaryDirectory() as folder:
        # of a submodule git takes only which commit it is
        copy_files((name for name in git.files() if not Path(name).is_dir()), Path(folder))
        return scan("secrets", Path(folder))


def scan_commits() -> list[str]:
    """Scan what each commit of this work has changed; all that there are, if it follows none.

    Other branches are left alone: a clone may have those of everybody.

    Raises:
        NotJudgedError: They are not all here.
    """
    since = baseline_commit(CHECK)
    options = ["--branch=HEAD", *([f"--since-commit={since}"] if since else [])]
    return scan("secrets-commits", Path.cwd(), *options)


def scan(name: str, folder: Path, *options: str) -> list[str]:
    """Scan a folder and leave a report, in SARIF.

    Args:
        name: Of the report.
        folder: What to scan.
        *options: Of Kingfisher, besides those that it always gets.

    Raises:
        CheckFailedError: Kingfisher failed.
    """
    REPORTS.mkdir(exist_ok=True)
    report = (REPORTS / f"{name}.sarif").resolve()
    answer = capture(
        [
            "kingfisher",
            "scan",
            ".",
            *KINGFISHER_OPTIONS,
            "--format=sarif",
            f"--output={report}",
            *options,
        ],
        cwd=folder,
    )
    if answer.returncode not in {0, EXIT_CODE_FINDINGS}:
        raise CheckFailedError(
            f"kingfisher failed: {last_error_line(answer)}", hint="kingfisher scan --help"
        )
    return sorted({*sarif_locations(json.loads(report.read_text()))})


def sarif_locations(sarif: dict[str, Any]) -> Iterator[str]:
    """Return where secrets are, and of which kind: https://docs.oasis-open.org/sarif/sarif/."""
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
