"""Run the tests of an app that use a database, in two processes; only success is a result.

Tests that cannot reach the database are skipped: pytest-django only allows it to tests with its
mark or one of its fixtures, and to Django's TestCases. Each of the two processes takes the next
tests from a shared queue. The second process has another database; only its exit code counts.
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

_FIXTURES = frozenset({
    "db", "transactional_db", "django_db_reset_sequences", "django_db_serialized_rollback",
    "live_server",
})  # fmt: skip
_BY_NAME = frozenset({"django_db_blocker", "request"})  # these give access to any fixture
_OF_PLUGINS = ("_pytest.", "pytest_django.")
_OK = {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED}
# A failure is repeated in a full run that explains it, so this run needs no rewritten assertions;
# pytest cannot rewrite modules that the process imported earlier.
_OPTIONS = (*ON_ITS_DATABASE, "--quiet", "--exitfirst", "--assert=plain")
_FEW = 8  # tests of a module that a process takes from the queue in one step
_WIDTH = 4  # bytes of a number in the queue


def run(second: str, wait: Callable[[], None]) -> int:
    """Run the tests of the current folder, and return pytest's exit code.

    Args:
        second: The database of the second process.
        wait: Called after the collection; it returns when the databases exist.
    """
    sys.argv = ["pytest", *_OPTIONS]
    return pytest.main([*_OPTIONS], plugins=[_Halves(second, wait)])


class _Halves:
    """A pytest plugin that filters the tests, forks after the collection and shares a queue."""

    def __init__(self, second: str, wait: Callable[[], None]) -> None:
        self.second, self.wait, self.child = second, wait, 0

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        """Remove the tests that cannot reach a database."""
        if config.pluginmanager.hasplugin("django"):
            items[:] = [item for item in items if _reaches(item)]

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """Fork, and run the tests that each of the two processes takes from the queue."""
        if session.testsfailed or not session.items:
            return None  # pytest reports these cases itself
        self.wait()
        pieces = list(_pieces(session.items))
        # Parent and child share the file offset: each read returns a number that no other read gets.
        with TemporaryFile(buffering=0) as queue:
            queue.write(b"".join(number.to_bytes(_WIDTH) for number in range(len(pieces))))
            queue.seek(0)
            self._fork(session.config)
            for item, following in pairwise(chain(_taken(queue, pieces), [None])):
                session.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
                if session.shouldfail:
                    raise session.Failed(session.shouldfail)
        return True

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Fail if the second process has failed."""
        if self.child:
            code = os.waitstatus_to_exitcode(os.waitpid(self.child, 0)[1])
            if code not in _OK and session.exitstatus in _OK:
                session.exitstatus = code

    def _fork(self, config: pytest.Config) -> None:
        gc.freeze()  # the collector of a fork would copy the memory pages of all modules
        if threading.active_count() > 1:  # a fork could inherit a lock that a thread holds
            return
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about threads that Python did not start
            self.child = os.fork()
        if not self.child:
            _run_second_half(config, self.second)


def _reaches(item: pytest.Item) -> bool:
    """Return whether a test may reach the database; in doubt, it may."""
    if not isinstance(item, pytest.Function) or item.get_closest_marker("django_db"):
        return True
    if item.cls is not None and issubclass(item.cls, unittest.TestCase):
        return True
    info: Any = item._fixtureinfo  # noqa: SLF001 - pytest has no other way to see it
    requested = {*info.argnames}
    for definitions in info.name2fixturedefs.values():
        for each in definitions:
            if not each.func.__module__.startswith(_OF_PLUGINS):
                requested |= {*each.argnames}
    return not requested.isdisjoint(_BY_NAME) or not _FIXTURES.isdisjoint(item.fixturenames)


def _pieces(items: Sequence[pytest.Item]) -> Iterator[list[pytest.Item]]:
    """Split the tests into pieces of a few tests; a class stays whole, so it is set up once."""
    for parent, group in groupby(items, key=lambda item: item.parent):
        piece = list(group)
        size = _FEW if isinstance(parent, pytest.Module) else len(piece)
        yield from (piece[start : start + size] for start in range(0, len(piece), size))


def _taken(queue: IO[bytes], pieces: Sequence[list[pytest.Item]]) -> Iterator[pytest.Item]:
    """Yield the tests of the next piece in the queue, until the queue is empty."""
    while number := queue.read(_WIDTH):
        yield from pieces[int.from_bytes(number)]


def _run_second_half(config: pytest.Config, database: str) -> None:
    """Discard the output of this process, and let Django use the second database.

    Capturing starts again because the two processes would share pytest's capture files.
    """
    from django.db import connections  # noqa: PLC0415 - the tests may not use Django

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
