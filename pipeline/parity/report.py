"""Print violations for people, programs and GitHub's Security tab."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict

from pipeline.parity.rule import ReportedViolation
from pipeline.parity.rules import RULES

_SARIF = "https://json.schemastore.org/sarif-2.1.0.json"


def as_text(findings: Sequence[ReportedViolation]) -> str:
    """Return one paragraph for each violation: file:line, the rule, the message, the hint."""
    if not findings:
        return f"parity: {len(RULES)} rules hold"
    paragraphs = [
        f"{each.file}:{each.line}: [{each.rule}] {each.message}\n  hint: {each.hint}"
        for each in findings
    ]
    return "\n".join([*paragraphs, f"parity: {len(findings)} findings"])


def as_json(findings: Sequence[ReportedViolation]) -> str:
    """Return the violations as a JSON list."""
    return json.dumps([asdict(each) for each in findings], indent=2)


def as_sarif(findings: Sequence[ReportedViolation]) -> str:
    """Return the violations as SARIF 2.1.0, which GitHub shows next to the code."""
    rules = [{"id": each.id, "shortDescription": {"text": each.summary}} for each in RULES]
    run = {
        "tool": {"driver": {"name": "parity", "rules": rules}},
        "results": [_result(each) for each in findings],
    }
    return json.dumps({"$schema": _SARIF, "version": "2.1.0", "runs": [run]}, indent=2)


def _result(finding: ReportedViolation) -> dict[str, object]:
    place = {
        "artifactLocation": {"uri": finding.file},
        "region": {"startLine": finding.line},
    }
    return {
        "ruleId": finding.rule,
        "level": "error",
        "message": {"text": f"{finding.message}; hint: {finding.hint}"},
        "locations": [{"physicalLocation": place}],
    }


FORMATS: dict[str, Callable[[Sequence[ReportedViolation]], str]] = {
    "text": as_text,
    "json": as_json,
    "sarif": as_sarif,
}
