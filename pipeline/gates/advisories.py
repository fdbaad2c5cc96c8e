"""Ask the advisory services about every locked dependency.

python -m pipeline.gates.advisories python|node

pip-audit exits 0 when its service knows nothing or is out of reach, so its report is judged, not
its exit code. A service that did not answer is "not judged", never a pass.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pipeline.errors import CheckFailedError, InputError, NotJudgedError, judged, reported
from pipeline.locks import python_locks
from pipeline.run import read

REPORTS = Path("reports")
Answer = list[str] | None
"""Findings as sentences; None if the service did not answer."""


def audit_python() -> Iterator[Answer]:
    """Ask about each Python lock: any known vulnerability is a finding."""
    return map(_audit_lock, python_locks())


def audit_node() -> Iterator[Answer]:
    """Ask about what the frontend ships: a high or critical vulnerability is a finding."""
    command = ["npm", "audit", "--omit=dev", "--json"]
    found = _report("npm-audit", read(command, cwd=Path("frontend")).stdout).get("vulnerabilities")
    if found is None:
        yield None
        return
    yield [
        f"{name}: {entry['severity']} ({entry['range']})"
        for name, entry in found.items()
        if entry["severity"] in {"high", "critical"}
    ]


def _audit_lock(lock: Path) -> Answer:
    command = [
        "pip-audit",
        "--disable-pip",
        "--require-hashes",
        "--requirement",
        str(lock),
        "--desc",
    ]
    result = read([*command, "--progress-spinner=off", "--format=json"])
    report = _report("pip-audit-" + "-".join(lock.with_suffix("").parts), result.stdout)
    packages = report.get("dependencies", [])
    if not packages or any("skip_reason" in package for package in packages):
        return None
    return [
        f"{lock}: {package['name']} {package['version']}: {vulnerability['id']}"
        for package in packages
        for vulnerability in package["vulns"]
    ]


def _report(name: str, text: str) -> dict[str, Any]:
    """Keep a tool's report for the upload, and read it."""
    REPORTS.mkdir(exist_ok=True)
    (REPORTS / f"{name}.json").write_text(text)
    try:
        content: dict[str, Any] = json.loads(text)
    except json.JSONDecodeError:
        return {}
    return content


AUDITS = {"python": ("pip-audit", audit_python), "node": ("npm-audit", audit_node)}


def main(arguments: Sequence[str]) -> None:
    """Run the command line.

    Args:
        arguments: `python` or `node`.

    Raises:
        CheckFailedError: There is a finding, even if the service then fell silent.
        InputError: There is no such audit.
        NotJudgedError: The service did not answer.
    """
    if len(arguments) != 1 or arguments[0] not in AUDITS:
        raise InputError("name one audit: python or node", hint="nox -s security")
    check, audit = AUDITS[arguments[0]]
    findings: list[str] = []
    for answer in audit():
        if answer is None and not findings:
            raise NotJudgedError(check, "the advisory service is out of reach")
        findings += answer or []
    judged(check)
    if findings:
        raise CheckFailedError("; ".join(findings), hint="nox -s lock -- --upgrade")


if __name__ == "__main__":
    with reported():
        main(sys.argv[1:])
