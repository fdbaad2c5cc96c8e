"""The short way of asking tests about a schema leaves out none that reaches the database."""

import pytest

from pipeline.checks.migrations import dynamic_checks
from pipeline.checks.migrations.app_version import AppVersion
from pipeline.checks.migrations.databases import PostgresServer
from tests.support.django_project import Project
from tests.waiting import until

# Each process takes a class, and one beforehand, so that three are never with one of them.
MEETING = """
    import pathlib
    import time

    def met():
        here, name = pathlib.Path("met"), django.db.connection.settings_dict["NAME"]
        here.mkdir(exist_ok=True)
        (here / name).touch()
        deadline = time.monotonic() + 60
        while len([*here.iterdir()]) < 2:
            assert time.monotonic() < deadline, "one process has all"
            time.sleep(0.01)
        return name

    @pytest.mark.django_db
    class Meeting:
        def test_it(self):
            assert met() in {"test_copy", "test_second"}

    class TestOne(Meeting):
        pass

    class TestTwo(Meeting):
        pass

    class TestThree(Meeting):
        pass
"""
RED = {
    "the second process alone is red": MEETING.replace(
        "assert met() in", "assert met() not in"
    ).replace('{"test_copy", "test_second"}', '{"test_second"}'),
    "it has the mark": """
        @pytest.mark.django_db
        def test_it():
            assert Order.objects.exists()
    """,
    "it has a fixture": """
        def test_it(transactional_db):
            assert Order.objects.exists()
    """,
    "a fixture of its fixtures is one": """
        @pytest.fixture
        def found(db):
            return Order.objects.exists()

        def test_it(found):
            assert found
    """,
    "it is a TestCase of Django": """
        class TestIt(django.test.TestCase):
            def test_it(self):
                assert Order.objects.exists()
    """,
    "it may ask by name": """
        def test_it(request):
            request.getfixturevalue("db")
            assert Order.objects.exists()
    """,
    "a fixture may ask by name": """
        @pytest.fixture(autouse=True)
        def _found(request):
            request.getfixturevalue("db")

        def test_it():
            assert Order.objects.exists()
    """,
}
ENDLESS = """
    import pathlib
    import signal

    pathlib.Path("started").touch()
    signal.pause()
"""
GREEN = {
    "it reaches no database": "def test_it():\n    assert False\n",
    "it is run in one of two processes": MEETING,
}
HEAD = "import django\nimport pytest\nfrom django import test\nfrom shop.models import Order\n\n"


def green(project: Project, server: str, body: str) -> bool:
    """Tell whether the short way is green, with one more file of tests."""
    project.write("backend/shop/test_more.py", body)
    path = project.root / "backend/shop/test_more.py"
    path.write_text(HEAD + path.read_text())
    databases = PostgresServer(server)
    with AppVersion(project.root / "backend").start_worker(server) as app:
        app.migrate(databases.create_database("test_copy"))
        databases.create_database("test_second", like="test_copy")
        return dynamic_checks.collect(databases, app).green()


@pytest.mark.parametrize("why", RED)
def test_what_reaches_the_database_is_asked(project: Project, server: str, why: str) -> None:
    assert not green(project, server, RED[why])


@pytest.mark.parametrize("why", GREEN)
def test_what_does_not_is_left_out(project: Project, server: str, why: str) -> None:
    assert green(project, server, GREEN[why])


DISTRIBUTED = """
    [tool.pytest.ini_options]
    DJANGO_SETTINGS_MODULE = "config.settings.test"
    addopts = "-n 2"
    pythonpath = ["."]
"""


def test_what_the_app_distributes_is_asked_here(project: Project, server: str) -> None:
    project.write("backend/pyproject.toml", DISTRIBUTED)
    assert not green(project, server, RED["it has the mark"])
    everything = AppVersion(project.root / "backend").run_tests(
        PostgresServer(server).database_url("copy")
    )
    assert everything.returncode == 1
    assert "gw0" not in everything.stdout


def test_what_the_app_distributes_is_run_in_two_processes(project: Project, server: str) -> None:
    project.write("backend/pyproject.toml", DISTRIBUTED)
    assert green(project, server, MEETING)


def test_tests_that_are_asked_nothing_end_with_their_worker(project: Project, server: str) -> None:
    project.write("backend/shop/test_more.py", ENDLESS)
    with AppVersion(project.root / "backend").start_worker(server) as app:
        dynamic_checks.collect(PostgresServer(server), app)
        until((project.root / "backend/started").exists)
    assert app.running.process.wait()


def test_tests_that_cannot_be_collected_are_not_green(project: Project, server: str) -> None:
    assert not green(project, server, "import gone")
