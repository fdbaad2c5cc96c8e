"""The short way of asking tests about a schema leaves out none that reaches the database."""

import pytest

from pipeline.gates.flight.code import Code
from pipeline.gates.flight.databases import Server
from tests.flight.project import Project

RED = {  # beside the project's own tests, which are more and so in the first half
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
GREEN = {
    "it reaches no database": "def test_it():\n    assert False\n",
    "it is red only where both halves are one": """
        @pytest.mark.django_db
        def test_it():
            assert not Order.objects.exists()
            assert django.db.connection.settings_dict["NAME"] == "test_second"
    """,
}
HEAD = "import django\nimport pytest\nfrom django import test\nfrom shop.models import Order\n\n"


def code(project: Project, server: str, body: str) -> int:
    """Return the exit code of the short way, with one more file of tests."""
    project.write("backend/shop/test_more.py", body)
    path = project.root / "backend/shop/test_more.py"
    path.write_text(HEAD + path.read_text())
    app, databases = Code(project.root / "backend"), Server(server)
    app.migrate(databases.create("test_copy"))
    databases.create("test_second", like="test_copy")
    return app.tests(databases.of("copy"), second="second").returncode


@pytest.mark.parametrize("why", RED)
def test_what_reaches_the_database_is_asked(project: Project, server: str, why: str) -> None:
    assert code(project, server, RED[why]) == 1


@pytest.mark.parametrize("why", GREEN)
def test_what_does_not_is_left_out(project: Project, server: str, why: str) -> None:
    assert code(project, server, GREEN[why]) == 0
