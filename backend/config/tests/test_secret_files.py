"""What a container engine mounts as files is read as if it were variables."""

import os
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest

from config.secret_files import load_secret_files


@pytest.fixture(autouse=True)
def _variables_of_its_own() -> Iterator[None]:
    with patch.dict(os.environ):
        yield


def test_a_missing_variable_is_set_from_the_file_of_its_name(tmp_path: Path) -> None:
    (tmp_path / "SWORDFISH_KEY").write_text("first line\nsecond line\n")
    load_secret_files(tmp_path)

    assert os.environ["SWORDFISH_KEY"] == "first line\nsecond line"


@pytest.mark.parametrize("value", ["mine", ""])
def test_a_variable_that_is_set_stays_as_it_is(tmp_path: Path, value: str) -> None:
    os.environ["SWORDFISH_KEY"] = value
    (tmp_path / "SWORDFISH_KEY").write_text("theirs")
    load_secret_files(tmp_path)

    assert os.environ["SWORDFISH_KEY"] == value


def test_what_is_not_called_like_a_variable_of_the_app_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "preview.conf").write_text("map")
    (tmp_path / "lower").write_text("1")
    (tmp_path / ".HIDDEN").write_text("1")
    before = dict(os.environ)
    load_secret_files(tmp_path)

    assert dict(os.environ) == before


def test_where_no_files_are_mounted_the_variables_are_all_there_is(tmp_path: Path) -> None:
    before = dict(os.environ)
    load_secret_files(tmp_path / "nowhere")

    assert dict(os.environ) == before
