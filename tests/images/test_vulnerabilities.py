"""What a release may carry: nothing that can be mended, and the rest only until a day."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from pipeline.errors import InputError
from pipeline.images.vulnerabilities import Exemption, Judgement, exemptions, judge
from tests.images.conftest import vulnerability

TODAY = date(2026, 11, 23)
UNTIL_TODAY = Exemption("CVE-2026-0001", TODAY, "no mend yet")
NOBODY = "CVE-2026-0001 in libssl3 3.0.1"


def report(*found: dict[str, Any], **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return {"Results": [{"Target": "debian", "Vulnerabilities": [*found], **more}]}


def judged(*found: dict[str, Any], accepted: tuple[Exemption, ...] = ()) -> Judgement:
    return judge(report(*found), accepted, TODAY)


@pytest.mark.parametrize("severity", ["HIGH", "CRITICAL"])
@pytest.mark.parametrize("accepted", [(), (UNTIL_TODAY,)], ids=["bare", "with an exception"])
def test_what_a_newer_version_mends_is_refused_whatever_is_excepted(
    severity: str, accepted: tuple[Exemption, ...]
) -> None:
    judgement = judged(vulnerability(severity, fixed="3.0.2"), accepted=accepted)
    assert judgement.refused == (f"{severity} {NOBODY} (mended in 3.0.2): take the mended version",)


def test_what_nobody_can_mend_needs_an_exception() -> None:
    assert judged(vulnerability()).refused == (
        f"CRITICAL {NOBODY} (no mend yet): it needs an exception with a last day",
    )


def test_an_exception_holds_on_its_last_day() -> None:
    judgement = judged(vulnerability(), accepted=(UNTIL_TODAY,))
    assert judgement == Judgement((), (f"CRITICAL {NOBODY} (no mend yet)",))


def test_an_exception_that_ended_is_no_exception() -> None:
    ended = Exemption("CVE-2026-0001", date(2026, 11, 22), "no mend yet")
    (refused,) = judged(vulnerability(), accepted=(ended,)).refused
    assert refused.endswith(": its exception ended on 2026-11-22")


def test_an_exception_is_for_one_vulnerability_only() -> None:
    other = Exemption("CVE-2026-0002", TODAY, "no mend yet")
    assert judged(vulnerability(), accepted=(other,)).refused


@pytest.mark.parametrize(("count", "refused"), [(4, 0), (5, 1)])
def test_four_exceptions_are_the_most(count: int, refused: int) -> None:
    accepted = tuple(Exemption(f"CVE-{number}", TODAY, "why") for number in range(count))
    assert len(judged(accepted=accepted).refused) == refused


@pytest.mark.parametrize("severity", ["UNKNOWN", "LOW", "MEDIUM"])
def test_what_is_not_grave_is_left_alone(severity: str) -> None:
    assert judged(vulnerability(severity, fixed="3.0.2")) == Judgement((), ())


def test_a_secret_is_refused_whatever_its_severity_and_not_shown() -> None:
    secret = {"Title": "GitHub token", "Severity": "LOW", "StartLine": 3, "Match": "ghp_secret"}
    (refused,) = judge(report(Secrets=[secret]), (), TODAY).refused
    assert refused == "a secret: GitHub token in debian, line 3"


@pytest.mark.parametrize(
    "empty",
    [{}, {"Results": None}, {"Results": []}, {"Results": [{"Target": "debian"}]},
     {"Results": [{"Target": "debian", "Vulnerabilities": None, "Secrets": None}]}],
)  # fmt: skip
def test_a_report_without_findings_may_leave_out_its_lists(empty: dict[str, Any]) -> None:
    assert judge(empty, (), TODAY) == Judgement((), ())


def test_exceptions_are_read_from_the_configuration() -> None:
    entry = {"id": "CVE-2026-0001", "until": TODAY, "reason": "no mend yet"}
    assert exemptions({"images": {"exceptions": [entry]}}) == [UNTIL_TODAY]
    assert exemptions({"images": {}}) == []


def test_every_exception_that_lacks_something_is_named_at_once() -> None:
    whole = {"until": TODAY, "reason": "why"}
    entries = [
        {"id": "no-day", "reason": "why"},
        {"id": "no-reason", "until": TODAY, "reason": ""},
        {"id": "a-time", "until": datetime(2027, 1, 1, tzinfo=UTC), "reason": "why"},
        {"id": "a-text", "until": "2027-01-01", "reason": "why"},
        {"id": "too-much", **whole, "paths": []},
        "bare",
        {"id": "fine", **whole},
    ]
    with pytest.raises(InputError) as caught:
        exemptions({"images": {"exceptions": entries}})
    names = "no-day, no-reason, a-time, a-text, too-much, bare"
    assert str(caught.value).endswith(f"need id, until (a date) and reason: {names}")
