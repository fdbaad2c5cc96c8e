"""The lists of secrets in workflows are generated from pipeline.toml."""

from pathlib import Path

import pytest

from pipeline.config import load
from pipeline.github.model import WORKFLOWS_DIR
from pipeline.parity.secret_lists import update_secret_lists
from tests.conftest import ROOT

FILE = Path("deploy.yml")
NAMES = {"MAP_KEY", "PREVIEW_TOKEN", "SHOP_TOKEN"}
DECLARED = """\
    secrets: # by name
      GONE: { required: false }
      PREVIEW_TOKEN: { required: false }
      SHOP_TOKEN: { required: false } # shop
  workflow_dispatch:
"""
PASSED = """\
    env:
      PREVIEW_TOKEN: ${{ secrets.PREVIEW_TOKEN }}
      SHOP_TOKEN: ${{ secrets.SHOP_TOKEN }} # shop
      REGISTRY_TOKEN: ${{ secrets.GITHUB_TOKEN }}
"""


def test_declared_secrets() -> None:
    ((_, text),) = update_secret_lists({FILE: DECLARED}, NAMES)
    assert text == DECLARED.replace("GONE", "MAP_KEY")


def test_passed_secrets() -> None:
    ((_, text),) = update_secret_lists({FILE: PASSED}, NAMES)
    assert text == PASSED.replace("env:\n", "env:\n      MAP_KEY: ${{ secrets.MAP_KEY }}\n")


@pytest.mark.parametrize("text", ["", "env:\n  CODECOV_TOKEN: ${{ secrets.CODECOV_TOKEN }}\n"])
def test_other_text_is_unchanged(text: str) -> None:
    assert not [*update_secret_lists({FILE: text}, NAMES)]


def test_this_repository_is_up_to_date() -> None:
    files = [*ROOT.joinpath(WORKFLOWS_DIR).glob("*.yml")]
    texts = {file: file.read_text() for file in files}
    assert not [*update_secret_lists(texts, load().deploy_secrets)]


def test_new_secret_of_this_repository() -> None:
    """A new secret adds a line to each of four lists: two jobs, a call, and what it declares."""
    files = [*ROOT.joinpath(WORKFLOWS_DIR).glob("*.yml")]
    texts = {file: file.read_text() for file in files}
    changed = dict(update_secret_lists(texts, {*load().deploy_secrets, "MAP_KEY"}))
    added = [
        line.strip()
        for file, text in changed.items()
        for line in text.splitlines()
        if line not in texts[file].splitlines()
    ]
    assert sorted(added) == ["MAP_KEY: ${{ secrets.MAP_KEY }}"] * 3 + [
        "MAP_KEY: { required: false }"
    ]
