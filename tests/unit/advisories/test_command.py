"""The advisory service can be put in front of any command."""

import sys

import pytest

from tests.support.with_fake_advisories import main

ASK = "import os, urllib.request; print(urllib.request.urlopen(os.environ['npm_config_registry']))"


def test_a_command_finds_the_service_and_gives_its_exit_code() -> None:
    program = "import os, sys; sys.exit('npm_config_registry' in os.environ and 5)"
    assert main(["--npm=react", "--pypi=django==5.2.19", "--", sys.executable, "-c", program]) == 5


def test_nobody_answers_where_it_is_down(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["--down", "--", sys.executable, "-c", ASK]) == 1
    assert "Connection refused" in capfd.readouterr().err
