"""A plugin of pytest that keeps an app's tests in the process that has the database to ask.

pytest -p pipeline.checks.migrations.django_runner.alone

Processes of pytest-xdist have databases of their own, which the app's own migrations make.
"""

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Have the tests distributed to no process, whatever the app's own options are."""
    if hasattr(config.option, "numprocesses"):
        config.option.numprocesses, config.option.dist, config.option.tx = 0, "no", []
