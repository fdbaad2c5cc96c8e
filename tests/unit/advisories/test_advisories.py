"""The gate on known vulnerabilities: the real pip-audit and npm, on a service of this machine's."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.checks.dependency_audit.cli import check, main
from pipeline.errors import CheckFailedError, InconclusiveError, InputError
from tests.support.fake_advisories import FakeAdvisoryService, npm_advisory, pypi_advisory
from tests.unit.advisories.conftest import HASH, TODAY, Except

BOTH = pytest.mark.parametrize("place", ["pypi", "npm"])
PACKAGES = {"pypi": "django", "npm": "react"}
IDS = {"pypi": "PYSEC-2026-1", "npm": "GHSA-2222-3333-4444"}
SENTENCES = {
    "pypi": "django 5.2.19: PYSEC-2026-1 (requirements/app.txt)",
    "npm": "react (<99): GHSA-2222-3333-4444, high: It can be made to do what it should not",
}
BROKEN = [(500, b"oops"), (200, b"<html>Sign in</html>"), (200, b""), (200, b"[]"), (200, b"{}")]


def plant(service: FakeAdvisoryService) -> None:
    """Let the service know something against both packages."""
    service.pypi["django==5.2.19"] = [pypi_advisory(IDS["pypi"], "CVE-2026-1")]
    service.npm["react"] = [npm_advisory(IDS["npm"])]


def refused(place: str) -> list[str]:
    """Insist that the gate is red, and return for what."""
    with pytest.raises(CheckFailedError) as caught:
        check(place)
    first, *faults = str(caught.value).splitlines()
    assert first == "known vulnerabilities:"
    return faults


@BOTH
@pytest.mark.usefixtures("service")
def test_without_a_known_vulnerability_it_is_green_and_leaves_a_report(place: str) -> None:
    main([place])
    (report,) = Path("reports").glob("*.json")
    assert json.loads(report.read_text())


@BOTH
def test_a_known_vulnerability_is_red_and_is_in_the_report(
    place: str, service: FakeAdvisoryService
) -> None:
    plant(service)
    assert refused(place) == [SENTENCES[place]]
    (report,) = Path("reports").glob("*.json")
    assert IDS[place] in report.read_text()


@pytest.mark.parametrize(("severity", "count"), [("moderate", 0), ("high", 1), ("critical", 1)])
def test_npm_s_severity_decides(severity: str, count: int, service: FakeAdvisoryService) -> None:
    service.npm["react"] = [npm_advisory(IDS["npm"], severity)]
    if count:
        assert severity in refused("npm")[0]
    else:
        check("npm")


@BOTH
def test_what_is_excepted_is_green_on_its_last_day(
    place: str, service: FakeAdvisoryService, excepted: Except
) -> None:
    plant(service)
    excepted(IDS[place], PACKAGES[place], place)
    check(place)


@pytest.mark.parametrize("name", ["CVE-2026-1", "cve-2026-1", "pysec-2026-1"])
def test_any_of_its_names_will_do(
    name: str, service: FakeAdvisoryService, excepted: Except
) -> None:
    plant(service)
    excepted(name, "Django", "pypi")
    check("pypi")


def test_two_exceptions_under_two_of_its_names_are_one_too_many(
    service: FakeAdvisoryService, excepted: Except
) -> None:
    plant(service)
    excepted("CVE-2026-1", "django", "pypi")
    excepted(IDS["pypi"], "django", "pypi")
    (fault,) = refused("pypi")
    assert "2 exceptions apply to it, CVE-2026-1 and PYSEC-2026-1: keep one" in fault


@BOTH
def test_an_exception_that_has_expired_is_red(
    place: str, service: FakeAdvisoryService, excepted: Except
) -> None:
    plant(service)
    excepted(IDS[place], PACKAGES[place], place, TODAY - timedelta(days=1))
    (fault,) = refused(place)
    assert fault == f"{SENTENCES[place]}: its exception expired on {TODAY - timedelta(days=1)}"


@BOTH
@pytest.mark.usefixtures("service")
def test_an_exception_that_nothing_needs_is_red(place: str, excepted: Except) -> None:
    excepted(IDS[place], PACKAGES[place], place)
    (fault,) = refused(place)
    assert fault.startswith(f"the exception for {IDS[place]} in {PACKAGES[place]} is not needed")


def test_an_exception_is_for_one_vulnerability_of_one_package_in_one_place(
    service: FakeAdvisoryService, excepted: Except
) -> None:
    plant(service)
    excepted("PYSEC-2026-2", "django", "pypi")
    excepted(IDS["pypi"], "flask", "pypi")
    excepted(IDS["npm"], "django", "npm")
    faults = refused("pypi")
    assert faults[0] == SENTENCES["pypi"]
    assert len(faults) == 3


@BOTH
@pytest.mark.parametrize("answer", BROKEN)
def test_a_service_that_answers_something_else_is_no_pass(
    place: str, answer: tuple[int, bytes], service: FakeAdvisoryService
) -> None:
    service.broken = answer
    with pytest.raises(InconclusiveError, match="the advisory service"):
        check(place)


@BOTH
def test_a_service_that_has_forgotten_everything_is_found_out(
    place: str, service: FakeAdvisoryService
) -> None:
    service.pypi, service.npm = {}, {}
    with pytest.raises(InconclusiveError, match="which is vulnerable"):
        check(place)


@BOTH
def test_without_a_service_it_is_red_where_everything_must_be_judged(
    place: str, service: FakeAdvisoryService, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.port = 9
    for name, value in service.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("npm_config_fetch_retries", "0")
    with pytest.raises(InconclusiveError) as caught:
        check(place)
    for strict, code in (("0", 0), ("1", 4)):
        monkeypatch.setenv("PIPELINE_STRICT", strict)
        assert caught.value.report() == code
    assert [*Path("reports/inconclusive").iterdir()]


@pytest.mark.usefixtures("service")
def test_an_exception_may_be_needed_for_what_nobody_answered(
    service: FakeAdvisoryService, excepted: Except
) -> None:
    service.broken = (500, b"")
    excepted(IDS["npm"], "react", "npm")
    with pytest.raises(InconclusiveError):
        check("npm")


def test_a_package_that_the_service_does_not_know_is_no_pass(service: FakeAdvisoryService) -> None:
    service.unknown_releases = {"django==5.2.19"}
    with pytest.raises(InconclusiveError, match=r"it has no data about django==5\.2\.19"):
        check("pypi")


def test_what_was_found_stands_though_the_service_then_fell_silent(
    service: FakeAdvisoryService,
) -> None:
    plant(service)
    Path("requirements/next.txt").write_text(f"django==6.1.3 {HASH}\n")
    service.unknown_releases = {"django==6.1.3"}
    assert refused("pypi") == [SENTENCES["pypi"]]


@pytest.mark.parametrize(
    ("entry", "known"),
    [
        ("Certifi==2023.07.22", "certifi==2023.7.22"),
        ("ruamel_yaml==0.18", "ruamel-yaml==0.18"),
        ("uvicorn[standard]==0.30.0", "uvicorn==0.30.0"),
        ("torch==2.0+CPU", "torch==2.0+cpu"),
    ],
)
def test_a_lock_may_have_other_forms_of_names_and_versions(
    entry: str, known: str, service: FakeAdvisoryService
) -> None:
    Path("requirements/next.txt").write_text(f"{entry} \\\n    {HASH}\n")
    service.pypi[known] = [pypi_advisory("PYSEC-2026-3")]
    name, _, version = known.partition("==")
    assert refused("pypi") == [f"{name} {version}: PYSEC-2026-3 (requirements/next.txt)"]


def test_packages_for_other_platforms_are_asked_about(service: FakeAdvisoryService) -> None:
    Path("requirements/next.txt").write_text(
        f"colorama==0.4.6 ; sys_platform == 'win32' \\\n {HASH}"
    )
    service.pypi["colorama==0.4.6"] = [pypi_advisory("PYSEC-2026-3")]
    assert refused("pypi") == ["colorama 0.4.6: PYSEC-2026-3 (requirements/next.txt)"]


@pytest.mark.usefixtures("service")
def test_what_no_service_could_be_asked_about_is_refused() -> None:
    Path("requirements/next.txt").write_text("shop @ https://example.com/shop.whl\n")
    with pytest.raises(InputError, match=r"next\.txt pins no version in line 1$"):
        check("pypi")


@pytest.mark.parametrize("arguments", [[], ["ruby"], ["pypi", "npm"]])
def test_an_unknown_audit_is_an_error(arguments: list[str]) -> None:
    with pytest.raises(InputError, match="pypi or npm"):
        main(arguments)
