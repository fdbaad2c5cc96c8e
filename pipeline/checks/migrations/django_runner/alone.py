"""A pytest plugin that switches pytest-xdist off.

pytest -p pipeline.checks.migrations.django_runner.alone

The workers of pytest-xdist create databases with the app's own migrations, so their tests would not
run on the schema under test.
"""

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Override the app's own options of pytest-xdist."""
    if hasattr(config.option, "numprocesses"):
        config.option.numprocesses, config.option.dist, config.option.tx = 0, "no", []
