"""Judge what a scanner found: which vulnerabilities a release may carry, and until when.

A HIGH or CRITICAL one that a newer version mends is never accepted. One without a mend needs an
exception in pipeline.toml, with its reason and its last day; there may be four of them at most.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from pipeline.errors import InputError

REFUSED = {"HIGH", "CRITICAL"}
MOST_EXCEPTIONS = 4


@dataclass(frozen=True)
class Finding:
    """A vulnerability of a package in an image."""

    id: str
    package: str
    version: str
    severity: str
    mended_in: str

    def __str__(self) -> str:
        mend = f"mended in {self.mended_in}" if self.mended_in else "no mend yet"
        return f"{self.severity} {self.id} in {self.package} {self.version} ({mend})"


@dataclass(frozen=True)
class Judgement:
    """What stands against a release, and what is only reported."""

    refused: tuple[str, ...]
    accepted: tuple[str, ...]


@dataclass(frozen=True)
class Exemption:
    """A vulnerability that is accepted until a day, and why."""

    id: str
    until: date
    reason: str


def exemptions(config: Mapping[str, Any]) -> list[Exemption]:
    """Read the exceptions of pipeline.toml.

    Raises:
        InputError: Names every entry that lacks something.
    """
    entries = config["images"].get("exceptions", [])
    wrong = [_name(entry) for entry in entries if not _is_whole(entry)]
    if wrong:
        raise InputError(
            f"exceptions in pipeline.toml need id, until (a date) and reason: {', '.join(wrong)}",
            hint='write { id = "CVE-…", until = 2027-01-31, reason = "…" }',
        )
    return [Exemption(**entry) for entry in entries]


def judge(report: Mapping[str, Any], accepted: Sequence[Exemption], today: date) -> Judgement:
    """Judge a report in Trivy's JSON.

    Args:
        report: The report: https://trivy.dev/latest/docs/configuration/reporting/#json
        accepted: What is accepted for now.
        today: The day on which an exception must still hold.
    """
    by_id = {exemption.id: exemption for exemption in accepted}
    refused: list[str] = list(_too_many(accepted))
    reported: list[str] = []
    for finding in findings(report):
        why = _refusal(finding, by_id.get(finding.id), today)
        (refused if why else reported).append(f"{finding}{why}")
    refused += [f"a secret: {title}" for title in secrets(report)]
    return Judgement(tuple(refused), tuple(reported))


def findings(report: Mapping[str, Any]) -> Iterator[Finding]:
    """Return the vulnerabilities of a report that are grave."""
    for result in report.get("Results") or []:
        for entry in result.get("Vulnerabilities") or []:
            if entry["Severity"] in REFUSED:
                yield Finding(
                    id=entry["VulnerabilityID"],
                    package=entry["PkgName"],
                    version=entry.get("InstalledVersion", ""),
                    severity=entry["Severity"],
                    mended_in=entry.get("FixedVersion", ""),
                )


def secrets(report: Mapping[str, Any]) -> Iterator[str]:
    """Return where a report found secrets, never what they are."""
    for result in report.get("Results") or []:
        for entry in result.get("Secrets") or []:
            yield f"{entry['Title']} in {result['Target']}, line {entry['StartLine']}"


def _refusal(finding: Finding, exemption: Exemption | None, today: date) -> str:
    if finding.mended_in:
        return ": take the mended version"
    if exemption is None:
        return ": it needs an exception with a last day"
    return f": its exception ended on {exemption.until}" if exemption.until < today else ""


def _too_many(accepted: Sequence[Exemption]) -> Iterator[str]:
    if len(accepted) > MOST_EXCEPTIONS:
        yield f"{len(accepted)} exceptions, where {MOST_EXCEPTIONS} are allowed"


def _is_whole(entry: object) -> bool:
    if not isinstance(entry, dict) or set(entry) != {"id", "until", "reason"}:
        return False
    said = all(isinstance(entry[name], str) and entry[name] for name in ("id", "reason"))
    return said and type(entry["until"]) is date  # a date and time is one as well


def _name(entry: object) -> str:
    return str(entry.get("id", entry) if isinstance(entry, dict) else entry)
