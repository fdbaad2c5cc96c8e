"""Where an environment has `confirm`, nothing else will do."""

import io
import sys

import pytest

from pipeline.deploy import confirmation
from pipeline.errors import InputError
from tests.unit.deploy.factories import make_environment


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("output", ["staging\n", " staging \n"])
def test_who_types_the_environment_s_name_has_agreed(
    monkeypatch: pytest.MonkeyPatch, output: str
) -> None:
    monkeypatch.setattr(sys, "stdin", Screen(output))
    confirmation.confirm(make_environment(confirm=True), "deploy v1", yes=False)


@pytest.mark.parametrize("stdin", [Screen("yes\n"), Screen(""), io.StringIO("staging\n")])
def test_whoever_says_anything_else_or_is_no_person_has_not(
    monkeypatch: pytest.MonkeyPatch, stdin: io.StringIO
) -> None:
    monkeypatch.setattr(sys, "stdin", stdin)
    with pytest.raises(InputError, match="not confirmed: deploy v1"):
        confirmation.confirm(make_environment(confirm=True), "deploy v1", yes=False)


def test_nobody_is_asked_where_it_was_said_before() -> None:
    confirmation.confirm(make_environment(confirm=True), "deploy v1", yes=True)
    confirmation.confirm(make_environment(), "deploy v1", yes=False)


def test_what_cannot_be_undone_is_asked_everywhere() -> None:
    with pytest.raises(InputError, match="not confirmed: replace all data"):
        confirmation.confirm(make_environment(), "replace all data", yes=False, always=True)
