"""The policy for scan results: which vulnerabilities a release may have, and until when.

A HIGH or CRITICAL vulnerability with a fixed version blocks a release. One without a fixed version
needs an exception, which expires.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from pipeline.waivers import GITHUB, Waiver, unwaived

_BLOCKING_SEVERITIES = {"HIGH", "CRITICAL"}


@dataclass(frozen=True)
class _Finding:
    """A vulnerability of a package in an image."""

    id: str
    package: str
    version: str
    severity: str
    fixed_in: str
    also: tuple[str, ...] = ()
    """Its ids at GitHub; an id of a distribution may stand for several vulnerabilities."""

    @property
    def ids(self) -> tuple[str, ...]:
        """All its ids."""
        return (self.id, *self.also)

    def __str__(self) -> str:
        fix = f"fixed in {self.fixed_in}" if self.fixed_in else "no fixed version"
        return f"{self.severity} {self.id} in {self.package} {self.version} ({fix})"


@dataclass(frozen=True)
class ScanVerdict:
    """What blocks a release, and what is accepted."""

    refused: tuple[str, ...]
    accepted: tuple[str, ...]


def evaluate(report: Mapping[str, Any], waivers: Sequence[Waiver], today: date) -> ScanVerdict:
    """Evaluate a report in Trivy's JSON.

    Args:
        report: The report: https://trivy.dev/latest/docs/configuration/reporting/#json
        waivers: The exceptions for this image.
        today: The day on which an exception must not have expired.
    """
    found = [*_parse_findings(report)]
    refused = [f"{each}: upgrade to the fixed version" for each in found if each.fixed_in]
    unfixed = [each for each in found if not each.fixed_in]
    refused += unwaived(unfixed, waivers, today)
    refused += [f"a secret: {title}" for title in _parse_secrets(report)]
    valid = [entry for entry in waivers if entry.expiry >= today]
    accepted = [str(each) for each in unfixed if any(entry.covers(each) for entry in valid)]
    return ScanVerdict(tuple(refused), tuple(accepted))


def _parse_findings(report: Mapping[str, Any]) -> Iterator[_Finding]:
    """Yield the HIGH and CRITICAL vulnerabilities of a report."""
    for result in report.get("Results") or []:
        for entry in result.get("Vulnerabilities") or []:
            if entry["Severity"] in _BLOCKING_SEVERITIES:
                yield _Finding(
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


def _parse_secrets(report: Mapping[str, Any]) -> Iterator[str]:
    """Yield the locations of secrets in a report, without their values."""
    for result in report.get("Results") or []:
        for entry in result.get("Secrets") or []:
            yield f"{entry['Title']} in {result['Target']}, line {entry['StartLine']}"
