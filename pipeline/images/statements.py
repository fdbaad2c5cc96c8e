"""Evaluate Cosign's answers about a digest: a refusal, or a verified attestation."""

import base64
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from pipeline.config import load
from pipeline.images.inspection import NOT_SCANNED
from pipeline.process import CommandResult


def answer_problems(kind: str, answer: CommandResult, *, allow_unscanned: bool) -> Iterator[str]:
    """Yield the problems in one answer of Cosign."""
    if answer.returncode:
        yield cosign_error(answer.stderr)
    elif kind == "vuln":
        yield from scan_problems(newest_scan(answer.stdout), allow_unscanned=allow_unscanned)


def cosign_error(errors: str) -> str:
    """Return the error message in the output of Cosign."""
    lines = [line.strip(" :") for line in errors.splitlines() if line.strip(" :")]
    sentences = [line for line in lines if line.startswith("Error: ")]
    return (sentences or lines or ["cosign printed no error"])[-1].removeprefix("Error: ")


def newest_scan(envelopes: str) -> Mapping[str, Any]:
    """Return the last attested scan, from Cosign's lines of JSON."""
    scans = [decode_statement(line)["predicate"] for line in envelopes.splitlines() if line.strip()]
    return max(scans, key=_scan_time)


def decode_statement(envelope: str) -> dict[str, Any]:
    """Return the statement in an envelope: https://github.com/secure-systems-lab/dsse."""
    content: dict[str, Any] = json.loads(base64.b64decode(json.loads(envelope)["payload"]))
    return content


def scan_problems(scan: Mapping[str, Any], *, allow_unscanned: bool) -> Iterator[str]:
    """Yield the problems of a scan: no scanner ran, or it is too old."""
    if NOT_SCANNED in (scan["scanner"].get("result") or {}) and not allow_unscanned:
        yield "no scanner ran"
    days = load().images.max_scan_age_days
    if datetime.now(UTC) - _scan_time(scan) > timedelta(days=days):
        yield f"it is older than {days} days"


def _scan_time(scan: Mapping[str, Any]) -> datetime:
    """Return the time of a scan."""
    return datetime.fromisoformat(scan["metadata"]["scanFinishedOn"])
