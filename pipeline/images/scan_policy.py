"""Judge what a scanner found: which vulnerabilities a release may carry, and until when.

A HIGH or CRITICAL one that a newer version mends is never accepted. One without a mend needs an
exception, which ends.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from pipeline.waivers import GITHUB, Waiver, unwaived

BLOCKING_SEVERITIES = {"HIGH", "CRITICAL"}


@dataclass(frozen=True)
class Finding:
    """A vulnerability of a package in an image."""

    id: str
    package: str
    version: str
    severity: str
    fixed_in: str
    also: tuple[str, ...] = ()
    """Its names at GitHub; those of distributions may stand for many vulnerabilities."""

    @property
    def ids(self) -> tuple[str, ...]:
        """Every name that it has."""
        return (self.id, *self.also)

    def __str__(self) -> str:
        mend = f"mended in {self.fixed_in}" if self.fixed_in else "no mend yet"
        return f"{self.severity} {self.id} in {self.package} {self.version} ({mend})"


@dataclass(frozen=True)
class ScanVerdict:
    """What stands against a release, and what is only reported."""

    refused: tuple[str, ...]
    accepted: tuple[str, ...]


def evaluate(report: Mapping[str, Any], excepted: Sequence[Waiver], today: date) -> ScanVerdict:
    """Judge a report in Trivy's JSON.

    Args:
        report: The report: https://trivy.dev/latest/docs/configuration/reporting/#json
        excepted: What is excepted in this image.
        today: The day on which an exception must still hold.
    """
    found = [*parse_findings(report)]
    refused = [f"{each}: take the mended version" for each in found if each.fixed_in]
    unmended = [each for each in found if not each.fixed_in]
    refused += unwaived(unmended, excepted, today)
    refused += [f"a secret: {title}" for title in parse_secrets(report)]
    held = [entry for entry in excepted if entry.expiry >= today]
    accepted = [str(each) for each in unmended if any(entry.covers(each) for entry in held)]
    return ScanVerdict(tuple(refused), tuple(accepted))


def parse_findings(report: Mapping[str, Any]) -> Iterator[Finding]:
    """Return the vulnerabilities of a report that are grave."""
    for result in report.get("Results") or []:
        for entry in result.get("Vulnerabilities") or []:
            if entry["Severity"] in BLOCKING_SEVERITIES:
                yield Finding(
                    id=entry["VulnerabilityID"],
                    package=entry["PkgName"],
                    version=entry.get("InstalledVersion", ""),
                    severity=entry["Severity"],
                    fixed_in=entry.get("FixedVersion", ""),
                    also=tuple(
                        name
                        for name in entry.get("VendorIDs") or ()
                        if name.startswith(f"{GITHUB}-")
                    ),
                )


def parse_secrets(report: Mapping[str, Any]) -> Iterator[str]:
    """Return where a report found secrets, never what they are."""
    for result in report.get("Results") or []:
        for entry in result.get("Secrets") or []:
            yield f"{entry['Title']} in {result['Target']}, line {entry['StartLine']}"
