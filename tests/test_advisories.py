"""The gate on advisories: the tools' reports are judged, since their exit codes can lie.

The reports are in the tools' own documented forms:
https://github.com/pypa/pip-audit#usage and https://docs.npmjs.com/cli/commands/npm-audit
"""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.errors import CheckFailedError, InputError, NotJudgedError
from pipeline.gates import advisories

CLEAN = {"dependencies": [{"name": "django", "version": "5.2.19", "vulns": []}]}
VULNERABLE = {
    "dependencies": [
        {"name": "django", "version": "5.2", "vulns": [{"id": "PYSEC-1", "fix_versions": []}]}
    ]
}
SILENT = {"dependencies": [{"name": "django", "skip_reason": "not found on the service"}]}
NPM_CLEAN: dict[str, object] = {"vulnerabilities": {}}
NPM_HIGH = {"vulnerabilities": {"left": {"severity": "high", "range": "<2"}}}
NPM_LOW = {"vulnerabilities": {"left": {"severity": "moderate", "range": "<2"}}}
NPM_SILENT = {"error": {"code": "E405"}}

Answer = Callable[[str, object], None]


@pytest.fixture
def answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Answer:
    """Put a program on the PATH that prints a report, and exits 0 as the real one may."""
    (tmp_path / "requirements").mkdir()
    (tmp_path / "frontend").mkdir()
    (tmp_path / "requirements/app.txt").write_text("")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    def answer(program: str, report: object) -> None:
        (tmp_path / "report.json").write_text(json.dumps(report) if report else "no json")
        script = tmp_path / program
        script.write_text(f"#!/bin/sh\ncat {tmp_path}/report.json\n")
        script.chmod(0o755)

    return answer


@pytest.mark.parametrize(
    ("program", "audit", "report"),
    [("pip-audit", "python", CLEAN), ("npm", "node", NPM_CLEAN), ("npm", "node", NPM_LOW)],
)
def test_no_finding_is_green(answer: Answer, program: str, audit: str, report: object) -> None:
    answer(program, report)
    advisories.main([audit])


@pytest.mark.parametrize(
    ("program", "audit", "report", "sentence"),
    [
        ("pip-audit", "python", VULNERABLE, r"requirements/app\.txt: django 5\.2: PYSEC-1"),
        ("npm", "node", NPM_HIGH, r"left: high \(<2\)"),
    ],
)
def test_a_finding_is_red(
    answer: Answer, program: str, audit: str, report: object, sentence: str
) -> None:
    answer(program, report)
    with pytest.raises(CheckFailedError, match=sentence):
        advisories.main([audit])


@pytest.mark.parametrize(
    ("program", "audit", "report"),
    [
        ("pip-audit", "python", SILENT),
        ("pip-audit", "python", None),
        ("npm", "node", NPM_SILENT),
        ("npm", "node", None),
    ],
)
def test_a_service_that_does_not_answer_is_no_pass(
    answer: Answer, program: str, audit: str, report: object
) -> None:
    answer(program, report)
    with pytest.raises(NotJudgedError, match="out of reach"):
        advisories.main([audit])


def test_reports_are_kept_for_the_upload(answer: Answer) -> None:
    answer("pip-audit", CLEAN)
    advisories.main(["python"])
    kept = Path("reports/pip-audit-requirements-app.json")
    assert json.loads(kept.read_text()) == CLEAN


@pytest.mark.parametrize("arguments", [[], ["ruby"], ["python", "node"]])
def test_an_unknown_audit_is_an_error(arguments: list[str]) -> None:
    with pytest.raises(InputError, match="python or node"):
        advisories.main(arguments)
