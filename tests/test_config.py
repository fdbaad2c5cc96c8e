"""A file that cannot be read is told in one sentence."""

from pathlib import Path

import pytest

from pipeline.config import load
from pipeline.errors import InputError
from tests.conftest import ROOT


def test_the_repository_s_own_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert load()["name"]


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"[a]\nb = \n", "pipeline.toml cannot be read: invalid value (at line 2, column 5)"),
        (b'a = "\xff"\n', "pipeline.toml cannot be read: 'utf-8' codec can't decode byte 0xff"),
    ],
)
def test_one_that_is_no_toml_is_named_with_the_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, fault: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("pipeline.toml").write_bytes(content)
    with pytest.raises(InputError) as caught:
        load()
    assert str(caught.value).startswith(fault)


def test_where_there_is_none_one_is_told_where_to_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"there is no pipeline\.toml here"):
        load()
