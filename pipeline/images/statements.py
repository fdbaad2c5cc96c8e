"""Judge what Cosign answers about a digest: its refusal, or the statement that it verified."""

import base64
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from pipeline.config import load
from pipeline.images.inspection import NOT_SCANNED
from pipeline.process import CommandResult


def answer_problems(kind: str, answer: CommandResult, *, unjudged: bool) -> Iterator[str]:
    """Return what is wrong with one answer of Cosign's."""
    if answer.returncode:
        yield cosign_error(answer.stderr)
    elif kind == "vuln":
        yield from scan_problems(newest_scan(answer.stdout), unjudged=unjudged)


def cosign_error(errors: str) -> str:
    """Return the sentence in what Cosign prints when it refuses."""
    lines = [line.strip(" :") for line in errors.splitlines() if line.strip(" :")]
    sentences = [line for line in lines if line.startswith("Error: ")]
    return (sentences or lines or ["cosign said nothing"])[-1].removeprefix("Error: ")


def newest_scan(envelopes: str) -> Mapping[str, Any]:
    """Return the last of the scans that were attested, from Cosign's lines of JSON."""
    scans = [decode_statement(line)["predicate"] for line in envelopes.splitlines() if line.strip()]
    return max(scans, key=scan_time)


def decode_statement(envelope: str) -> dict[str, Any]:
    """Return the statement in an envelope: https://github.com/secure-systems-lab/dsse."""
    content: dict[str, Any] = json.loads(base64.b64decode(json.loads(envelope)["payload"]))
    return content


def scan_problems(scan: Mapping[str, Any], *, unjudged: bool) -> Iterator[str]:
    """Return what is wrong with a scan: no scanner ran, or too long ago."""
    if NOT_SCANNED in (scan["scanner"].get("result") or {}) and not unjudged:
        yield "it says that no scanner ran"
    days = load().images.max_scan_age_days
    if datetime.now(UTC) - scan_time(scan) > timedelta(days=days):
        yield f"it is older than {days} days"


def scan_time(scan: Mapping[str, Any]) -> datetime:
    """Return when a scan was done."""
    return datetime.fromisoformat(scan["metadata"]["scanFinishedOn"])
