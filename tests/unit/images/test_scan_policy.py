"""A release has no vulnerability with a fixed version; others need an exception with an expiry."""

from datetime import date
from typing import Any

import pytest

from pipeline.images.scan_policy import ScanVerdict, evaluate
from pipeline.waivers import Waiver, normalize_id
from tests.unit.images.conftest import vulnerability

TODAY = date(2026, 11, 23)
NO_USER = "CVE-2026-0001 in libssl3 3.0.1"


def exemption(name: str = "CVE-2026-0001", expiry: date = TODAY) -> Waiver:
    """Return an exception of the image."""
    return Waiver(id=normalize_id(name), package="libssl3", found_in=("app",),
                     reason="no fixed version",
                     owner="ada@example.com", expiry=expiry)  # fmt: skip


UNTIL_TODAY = exemption()


def report(*found: dict[str, Any], **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return {"Results": [{"Target": "debian", "Vulnerabilities": [*found], **more}]}


def evaluated(*found: dict[str, Any], accepted: tuple[Waiver, ...] = ()) -> ScanVerdict:
    return evaluate(report(*found), accepted, TODAY)


@pytest.mark.parametrize("severity", ["HIGH", "CRITICAL"])
@pytest.mark.parametrize("accepted", [(), (UNTIL_TODAY,)], ids=["bare", "with an exception"])
def test_what_a_newer_version_mends_is_refused_whatever_is_excepted(
    severity: str, accepted: tuple[Waiver, ...]
) -> None:
    judgement = evaluated(vulnerability(severity, fixed="3.0.2"), accepted=accepted)
    assert (
        judgement.refused[0]
        == f"{severity} {NO_USER} (fixed in 3.0.2): upgrade to the fixed version"
    )
    assert len(judgement.refused) == 1 + len(accepted)  # such an exception is of no use


def test_what_nobody_can_mend_needs_an_exception() -> None:
    assert evaluated(vulnerability()).refused == (f"CRITICAL {NO_USER} (no fixed version)",)


def test_an_exception_holds_on_its_last_day() -> None:
    judgement = evaluated(vulnerability(), accepted=(UNTIL_TODAY,))
    assert judgement == ScanVerdict((), (f"CRITICAL {NO_USER} (no fixed version)",))


def test_an_exception_that_ended_is_no_exception() -> None:
    judgement = evaluated(vulnerability(), accepted=(exemption(expiry=date(2026, 11, 22)),))
    (refused,) = judgement.refused
    assert refused.endswith(": its exception expired on 2026-11-22")
    assert judgement.accepted == ()


def test_an_exception_is_for_one_vulnerability_only() -> None:
    refused = evaluated(vulnerability(), accepted=(exemption("CVE-2026-0002"),)).refused
    assert refused[0] == f"CRITICAL {NO_USER} (no fixed version)"
    assert "is not needed" in refused[1]


@pytest.mark.parametrize("severity", ["UNKNOWN", "LOW", "MEDIUM"])
def test_what_is_not_grave_is_left_alone(severity: str) -> None:
    assert evaluated(vulnerability(severity, fixed="3.0.2")) == ScanVerdict((), ())


def test_a_secret_is_refused_whatever_its_severity_and_not_shown() -> None:
    secret = {"Title": "GitHub token", "Severity": "LOW", "StartLine": 3, "Match": "ghp_secret"}
    (refused,) = evaluate(report(Secrets=[secret]), (), TODAY).refused
    assert refused == "a secret: GitHub token in debian, line 3"


@pytest.mark.parametrize(
    "empty",
    [{}, {"Results": None}, {"Results": []}, {"Results": [{"Target": "debian"}]},
     {"Results": [{"Target": "debian", "Vulnerabilities": None, "Secrets": None}]}],
)  # fmt: skip
def test_a_report_without_findings_may_leave_out_its_lists(empty: dict[str, Any]) -> None:
    assert evaluate(empty, (), TODAY) == ScanVerdict((), ())


def test_an_exception_may_have_the_name_that_github_gives() -> None:
    found = vulnerability() | {"VendorIDs": ["DSA-1-1", "GHSA-h5c8-rqwp-cp95"]}
    assert evaluated(found, accepted=(exemption("ghsa-h5c8-rqwp-cp95"),)).refused == ()
    of_many = evaluated(found, accepted=(exemption("DSA-1-1"),)).refused
    assert of_many[0] == f"CRITICAL {NO_USER} (no fixed version)"
