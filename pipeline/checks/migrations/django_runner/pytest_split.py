"""Asks an app's tests about the schema, in less time; only green counts.

Left out are tests that cannot reach the database: pytest-django keeps all from it but those that
have its mark or one of its fixtures, or are Django's TestCases. The others run in two processes,
each of which takes the next few when it is done with its own; the second one has a database of its
own, and only its exit code is looked at.
"""

import gc
import os
import sys
import threading
import unittest
import warnings
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, groupby, pairwise
from tempfile import TemporaryFile
from typing import IO, Any
from urllib.parse import urlsplit

import pytest

from pipeline.checks.migrations.worker import ON_ITS_DATABASE

FIXTURES = frozenset({
    "db", "transactional_db", "django_db_reset_sequences", "django_db_serialized_rollback",
    "live_server",
})  # fmt: skip
BY_NAME = frozenset({"django_db_blocker", "request"})  # what may bring any of them
OF_PLUGINS = ("_pytest.", "pytest_django.")
OK = {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED}
# What fails is run again to see why; and pytest rewrites no module that is there before it is.
OPTIONS = (*ON_ITS_DATABASE, "--quiet", "--exitfirst", "--assert=plain")
FEW = 8  # tests of a module that are taken at once
WIDTH = 4  # bytes of a number


def run(second: str, wait: Callable[[], None]) -> int:
    """Run the tests of the directory, and return pytest's exit code.

    Args:
        second: The database of the second process.
        wait: Called when all is collected; it returns when the databases are there.
    """
    sys.argv = ["pytest", *OPTIONS]
    return pytest.main([*OPTIONS], plugins=[Halves(second, wait)])


class Halves:
    """The plugin of pytest."""

    def __init__(self, second: str, wait: Callable[[], None]) -> None:
        self.second, self.wait, self.child = second, wait, 0

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        """Leave out what reaches no database."""
        if config.pluginmanager.hasplugin("django"):
            items[:] = [item for item in items if _reaches(item)]

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """Run what this process and its fork take, each in turn."""
        if session.testsfailed or not session.items:
            return None  # pytest says what that means
        self.wait()
        pieces = list(_pieces(session.items))
        with TemporaryFile(buffering=0) as queue:  # a fork reads on where the other one was
            queue.write(b"".join(number.to_bytes(WIDTH) for number in range(len(pieces))))
            queue.seek(0)
            self._fork(session.config)
            for item, following in pairwise(chain(_taken(queue, pieces), [None])):
                session.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
                if session.shouldfail:
                    raise session.Failed(session.shouldfail)
        return True

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Be as red as the second process."""
        if self.child:
            code = os.waitstatus_to_exitcode(os.waitpid(self.child, 0)[1])
            if code not in OK and session.exitstatus in OK:
                session.exitstatus = code

    def _fork(self, config: pytest.Config) -> None:
        gc.freeze()  # all that was imported stays
        if threading.active_count() > 1:
            return
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of threads that Python has not started
            self.child = os.fork()
        if not self.child:
            _run_second_half(config, self.second)


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


def _pieces(items: Sequence[pytest.Item]) -> Iterator[list[pytest.Item]]:
    """Yield them by a few, in their order, so that a class is set up once."""
    for parent, group in groupby(items, key=lambda item: item.parent):
        piece = list(group)
        size = FEW if isinstance(parent, pytest.Module) else len(piece)
        yield from (piece[start : start + size] for start in range(0, len(piece), size))


def _taken(queue: IO[bytes], pieces: Sequence[list[pytest.Item]]) -> Iterator[pytest.Item]:
    """Yield the tests of each piece whose number is next in the queue."""
    while number := queue.read(WIDTH):
        yield from pieces[int.from_bytes(number)]


def _run_second_half(config: pytest.Config, database: str) -> None:
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
            settings["NAME"] = database
