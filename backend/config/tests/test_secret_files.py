"""Secret files set environment variables."""

import os
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest

from config.secret_files import load_secret_files


@pytest.fixture(autouse=True)
def _isolated_environment() -> Iterator[None]:
    with patch.dict(os.environ):
        yield


def test_missing_variable_is_set(tmp_path: Path) -> None:
    (tmp_path / "SWORDFISH_KEY").write_text("first line\nsecond line\n")
    load_secret_files(tmp_path)

    assert os.environ["SWORDFISH_KEY"] == "first line\nsecond line"


@pytest.mark.parametrize("value", ["mine", ""])
def test_existing_variable_is_kept(tmp_path: Path, value: str) -> None:
    os.environ["SWORDFISH_KEY"] = value
    (tmp_path / "SWORDFISH_KEY").write_text("theirs")
    load_secret_files(tmp_path)

    assert os.environ["SWORDFISH_KEY"] == value


def test_other_files_are_ignored(tmp_path: Path) -> None:
    (tmp_path / "preview.conf").write_text("map")
    (tmp_path / "lower").write_text("1")
    (tmp_path / ".HIDDEN").write_text("1")
    before = dict(os.environ)
    load_secret_files(tmp_path)

    assert dict(os.environ) == before


def test_missing_folder(tmp_path: Path) -> None:
    before = dict(os.environ)
    load_secret_files(tmp_path / "missing")

    assert dict(os.environ) == before
