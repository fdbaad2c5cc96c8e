"""Line ends do not change a key or a certificate."""

from collections.abc import Callable

import pytest

from pipeline.deploy.commands.generate_secrets import self_signed_certificate
from pipeline.deploy.pem import normalize_pem
from pipeline.process import capture

Change = Callable[[str], str]
CHANGES: dict[str, Change] = {
    "nothing": lambda text: text,
    "Windows": lambda text: text.replace("\n", "\r\n"),
    "an old Mac": lambda text: text.replace("\n", "\r"),
    "spaces": lambda text: text.replace("\n", " "),
    "escapes": lambda text: text.replace("\n", "\\n"),
    "escapes of Windows": lambda text: text.replace("\n", "\\r\\n"),
    "no end": str.strip,
    "indented": lambda text: text.replace("\n", "\n    "),
    "words around it": lambda text: f"subject=Ünited\n{text}\n",
}


@pytest.fixture(scope="module")
def made() -> tuple[str, str]:
    return self_signed_certificate("localhost")


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_its_line_ends_are_mended(made: tuple[str, str], change: Change) -> None:
    assert [normalize_pem(change(text)) for text in made] == [*made]
    assert normalize_pem(change(made[1] * 2)) == made[1] * 2


def test_one_without_any_is_read_as_the_same(made: tuple[str, str]) -> None:
    key = normalize_pem(made[0].replace("\n", ""))
    public = ["openssl", "pkey", "-pubout"]
    assert capture(public, stdin=key).stdout == capture(public, stdin=made[0]).stdout


@pytest.mark.parametrize("text", ["", "swordfish\\n", "-----BEGIN PRIVATE KEY-----\\nMIIE"])
def test_what_is_no_pem_stays_as_it_is(text: str) -> None:
    assert normalize_pem(text) == text
