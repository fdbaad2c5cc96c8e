"""Exceptions have a reason, an owner and an expiry; all errors are reported at once."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from pipeline.errors import InputError
from pipeline.waivers import load_waivers, unwaived, waivers_for
from tests import settings
from tests.conftest import ROOT

TODAY = date(2026, 11, 23)
WHOLE = {
    "id": '"CVE-2026-1"',
    "package": '"libssl3"',
    "found_in": '["backend", "pypi"]',
    "reason": '"no fixed version"',
    "owner": '"ada@example.com"',
    "expiry": "2027-02-21",
}


@dataclass(frozen=True)
class Found:
    ids: tuple[str, ...] = ("CVE-2026-1",)
    package: str = "libssl3"

    def __str__(self) -> str:
        return f"{self.package} has {self.ids[0]}"


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pipeline.toml").write_text(settings.text())
    (tmp_path / "security").mkdir()
    monkeypatch.chdir(tmp_path)


def write(*entries: dict[str, str]) -> None:
    lines = [
        "\n".join(["[[exceptions]]", *(f"{name} = {value}" for name, value in entry.items())])
        for entry in entries
    ]
    Path("security/exceptions.toml").write_text("\n".join(lines) + "\n")


def faults() -> list[str]:
    with pytest.raises(InputError) as caught:
        load_waivers(TODAY)
    return [
        line.removeprefix("security/exceptions.toml:") for line in str(caught.value).splitlines()
    ]


def test_a_whole_entry_is_for_the_places_that_it_names() -> None:
    write(WHOLE)
    (entry,) = waivers_for(["pypi"], TODAY)
    assert (entry.id, entry.owner, entry.expiry) == (
        "CVE-2026-1",
        "ada@example.com",
        date(2027, 2, 21),
    )
    assert waivers_for(["backend", "backend on linux/amd64"], TODAY) == [entry]
    assert waivers_for(["npm"], TODAY) == []


def test_without_a_file_or_an_entry_nothing_is_excepted() -> None:
    assert load_waivers(TODAY) == []
    write()
    assert load_waivers(TODAY) == []


def test_what_is_shipped_with_the_kit_can_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    load_waivers(TODAY)


def test_the_entry_that_the_file_shows_is_whole() -> None:
    shown = (ROOT / "security/exceptions.toml").read_text().partition("[[exceptions]]")
    lines = [line.removeprefix("# ") for line in "".join(shown[1:]).splitlines()]
    Path("security/exceptions.toml").write_text("\n".join(lines))
    (entry,) = load_waivers(TODAY)
    assert "backend" in entry.found_in


@pytest.mark.parametrize("key", WHOLE)
def test_nothing_may_be_left_out(key: str) -> None:
    write({name: value for name, value in WHOLE.items() if name != key})
    (fault,) = faults()
    assert fault.startswith(f"1: exceptions[0]: `{key}` is missing; it must be ")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"reason": '" "'}, "5: exceptions[0].reason: it must be a line of text without blanks "),
        ({"until": "2027-01-01"}, "8: exceptions[0].until: there is no such key; known: "),
        ({"expiry": '"2027-01-01"'}, "7: exceptions[0].expiry: it must be a date such as "),
        ({"expiry": "2027-01-01T12:00:00Z"}, "7: exceptions[0].expiry: it must be a date such as "),
        ({"expiry": "2027-02-22"}, "7: exceptions[0].expiry: it is more than 90 days ahead"),
        ({"found_in": "[]"}, "4: exceptions[0].found_in: it must be a list of at least one place"),
        ({"found_in": '["backent"]'}, "there is no place `backent`; did you mean `backend`?"),
        ({"found_in": '["backend on linux/s390x"]'}, "no place `backend on linux/s390x`; did you"),
    ],
)
def test_a_malformed_entry_is_named(change: dict[str, str], sentence: str) -> None:
    write(WHOLE | change)
    (fault,) = faults()
    assert sentence in fault


@pytest.mark.parametrize(
    ("output", "found"),
    [
        ("ghsa-H5C8-rqwp-cp95", "GHSA-h5c8-rqwp-cp95"),
        ("cve-2026-1", "CVE-2026-1"),
        ("Pysec-2026-1", "PYSEC-2026-1"),
        ("temp-0290435-0b57b5", "TEMP-0290435-0B57B5"),
    ],
)
def test_the_letters_of_a_name_do_not_matter(output: str, found: str) -> None:
    write(WHOLE | {"id": f'"{output}"'})
    (entry,) = load_waivers(TODAY)
    assert entry.id == found
    assert [*unwaived([Found((found,))], [entry], TODAY)] == []


@pytest.mark.parametrize("name", ["CVE-2026-1", "PYSEC-2026-1"])
def test_npm_knows_no_other_names_than_those_of_github(name: str) -> None:
    write(WHOLE | {"id": f'"{name}"', "found_in": '["pypi", "npm"]'})
    assert faults() == ["2: exceptions[0].id: npm has only its GHSA-… id"]
    write(WHOLE | {"id": '"ghsa-1"', "found_in": '["npm"]'})
    assert len(load_waivers(TODAY)) == 1


def test_two_exceptions_for_one_vulnerability_are_noticed_under_whatever_names() -> None:
    write(WHOLE, WHOLE | {"id": '"GHSA-1"'})
    found = [Found(("PYSEC-1", "GHSA-1", "CVE-2026-1"))]
    (fault,) = unwaived(found, load_waivers(TODAY), TODAY)
    assert fault == "libssl3 has PYSEC-1: 2 exceptions apply to it, CVE-2026-1 and GHSA-1: keep one"


def test_all_faults_are_named_at_once() -> None:
    write({}, WHOLE | {"owner": "1"}, WHOLE | {"package": '"zlib"', "expiry": "2028-01-01"})
    assert len(faults()) == len(WHOLE) + 2


def test_an_exception_stands_once_for_each_place() -> None:
    same = {"id": '"cve-2026-1"', "package": '"LibSSL3"', "found_in": '["pypi", "postgres"]'}
    write(WHOLE, WHOLE | same)
    output = "there is another exception for CVE-2026-1 in LibSSL3 in pypi"
    assert faults() == [f"11: exceptions[1].found_in[0]: {output}"]
    write(WHOLE, WHOLE | {"found_in": '["postgres"]'})
    assert len(load_waivers(TODAY)) == 2


@pytest.mark.parametrize(("images", "locked"), [(4, 3), (5, 0)])
def test_four_exceptions_for_images_are_the_most(images: int, locked: int) -> None:
    write(
        *(WHOLE | {"id": f'"CVE-{number}"'} for number in range(images)),
        *(WHOLE | {"id": f'"GHSA-{number}"', "found_in": '["npm"]'} for number in range(locked)),
    )
    if images > 4:
        assert faults() == ["1: exceptions: 5 are for images, but only 4 are allowed"]
    else:
        assert len(load_waivers(TODAY)) == images + locked


@pytest.mark.parametrize(
    "text", ["exceptions = 1", "[exceptions]", "[[exception]]", "id = 'x'", "[[exceptions"]
)
def test_a_file_of_something_else_is_not_read_as_empty(text: str) -> None:
    Path("security/exceptions.toml").write_text(text)
    (fault,) = faults()
    assert fault.startswith("1: ")


def test_what_is_found_and_not_excepted_stands() -> None:
    assert [*unwaived([Found()], [], TODAY)] == ["libssl3 has CVE-2026-1"]


def test_an_exception_covers_until_its_last_day_and_whatever_name_it_uses() -> None:
    write(WHOLE | {"package": '"LibSSL3"'})
    found = [Found(("GHSA-1", "CVE-2026-1"))]
    assert [*unwaived(found, load_waivers(TODAY), date(2027, 2, 21))] == []
    (fault,) = unwaived(found, load_waivers(TODAY), date(2027, 2, 22))
    assert fault == "libssl3 has GHSA-1: its exception expired on 2027-02-21"


def test_what_nothing_needs_stands_too() -> None:
    write(WHOLE)
    faults = [*unwaived([Found(package="zlib")], load_waivers(TODAY), TODAY)]
    assert faults[0] == "zlib has CVE-2026-1"
    assert faults[1].startswith("the exception for CVE-2026-1 in libssl3 is not needed")
