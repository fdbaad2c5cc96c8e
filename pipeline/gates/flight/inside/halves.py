"""A plugin of pytest that asks the tests about the schema, in less time; only green counts.

pytest -p pipeline.gates.flight.inside.halves, with SECOND_DATABASE

Left out are tests that cannot reach the database: pytest-django keeps all from it but those that
have its mark or one of its fixtures, or are Django's TestCases. The others run in two processes, by
their files; the second one has a database of its own, and only its exit code is looked at.
"""

import gc
import os
import threading
import unittest
import warnings
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import pytest

FIXTURES = frozenset({
    "db", "transactional_db", "django_db_reset_sequences", "django_db_serialized_rollback",
    "live_server",
})  # fmt: skip
BY_NAME = frozenset({"django_db_blocker", "request"})  # what may bring any of them
OF_PLUGINS = ("_pytest.", "pytest_django.")
OK = {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED}


class Second:
    """The process of the second half, as the first one sees it."""

    def __init__(self, child: int) -> None:
        self.child = child

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Be as red as the second half."""
        code = os.waitstatus_to_exitcode(os.waitpid(self.child, 0)[1])
        if code not in OK and session.exitstatus in OK:
            session.exitstatus = code


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what reaches no database, and have the half of the rest run by a fork."""
    if config.pluginmanager.hasplugin("django"):
        items[:] = [item for item in items if _reaches(item)]
    gc.freeze()  # all that was imported stays
    halves = _halved(items)
    if halves[1] and threading.active_count() == 1:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of threads that Python has not started
            child = os.fork()
        items[:] = halves[0 if child else 1]
        if child:
            config.pluginmanager.register(Second(child))
        else:
            _be_second(config)


def _reaches(item: pytest.Item) -> bool:
    """Tell whether a test may reach the database, as far as it cannot be ruled out."""
    if not isinstance(item, pytest.Function) or item.get_closest_marker("django_db"):
        return True
    if item.cls is not None and issubclass(item.cls, unittest.TestCase):
        return True
    info: Any = item._fixtureinfo  # noqa: SLF001 - pytest has no other way to see it
    asked = {*info.argnames}
    for definitions in info.name2fixturedefs.values():
        for each in definitions:
            if not each.func.__module__.startswith(OF_PLUGINS):
                asked |= {*each.argnames}
    return not asked.isdisjoint(BY_NAME) or not FIXTURES.isdisjoint(item.fixturenames)


def _halved(items: Sequence[pytest.Item]) -> tuple[list[pytest.Item], list[pytest.Item]]:
    """Return two halves that have no file in common, each in its order."""
    files: dict[Any, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.path, []).append(item)
    sizes, half = [0, 0], {}
    for file in sorted(files, key=lambda file: -len(files[file])):
        half[file] = sizes.index(min(sizes))
        sizes[half[file]] += len(files[file])
    first, second = ([item for item in items if half[item.path] == number] for number in (0, 1))
    return first, second


def _be_second(config: pytest.Config) -> None:
    """Say nothing, and use the other database; what pytest captures is in a file of its own."""
    from django.db import connections  # noqa: PLC0415 - tests of no Django come here, too

    capture: Any = config.pluginmanager.getplugin("capturemanager")
    capture.stop_global_capturing()
    for number in (1, 2):
        os.dup2(os.open(os.devnull, os.O_WRONLY), number)
    capture.start_global_capturing()
    capture.suspend_global_capture()
    first = urlsplit(os.environ["DATABASE_URL"]).path[1:]
    for settings in connections.settings.values():
        if settings["NAME"] == first:
            settings["NAME"] = os.environ["SECOND_DATABASE"]
