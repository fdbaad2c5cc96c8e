"""A small Django project in a git repository of its own, made of releases."""

from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent, indent

from pipeline.process import capture
from tests import settings

FILES = {
    "pipeline.toml": settings.text({"migrations": {"rows": 20_000, "max_lock_seconds": 5}}),
    "backend/requirements/django-5.2.txt": "",
    "backend/manage.py": """
        import sys
        from django.core.management import execute_from_command_line
        execute_from_command_line(sys.argv)
    """,
    "backend/pyproject.toml": """
        [tool.pytest.ini_options]
        DJANGO_SETTINGS_MODULE = "config.settings.test"
        pythonpath = ["."]
    """,
    "backend/config/settings/test.py": """
        import dj_database_url
        DATABASES = {"default": dj_database_url.config()}
        INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "shop"]
        DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
        SECRET_KEY = "protects nothing"
        USE_TZ = True
    """,
    "backend/shop/migrations/__init__.py": "",
    "backend/shop/migrations/0001_initial.py": """
        from django.db import migrations, models

        class Migration(migrations.Migration):
            initial = True
            dependencies = []
            operations = [
                migrations.CreateModel("Customer", [
                    ("id", models.BigAutoField(primary_key=True)),
                    ("nick", models.CharField(max_length=50)),
                    ("age", models.IntegerField(null=True)),
                ]),
                migrations.CreateModel("Order", [
                    ("id", models.BigAutoField(primary_key=True)),
                    ("amount", models.IntegerField()),
                    ("customer_number", models.BigIntegerField(null=True)),
                ]),
            ]
    """,
}
CUSTOMER = """
    from django.db import models

    class Customer(models.Model):
        nick = models.CharField(max_length=50)
        age = models.IntegerField(null=True)

    class Order(models.Model):
        amount = models.IntegerField()
        customer_number = models.BigIntegerField(null=True)
"""
TESTS = """
    import pytest
    from shop.models import Customer, Order

    @pytest.mark.django_db
    def test_a_customer_is_found_again():
        Customer.objects.create(nick="ada", age=36)
        assert Customer.objects.get().nick == "ada"

    @pytest.mark.django_db(transaction=True)
    def test_an_order_is_found_again():
        Order.objects.create(amount=3)
        assert Order.objects.get().amount == 3
"""
MIGRATION = """\
import uuid
from functools import partial

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import *
from django.contrib.postgres.indexes import *
from django.contrib.postgres.operations import *
from django.db import migrations, models
from django.db.models.functions import Lower, Random
from django.utils import timezone

def double(apps, _):
    apps.get_model("shop", "Order").objects.update(amount=models.F("amount") * 2)

def fill(apps, _):
    model = apps.get_model("shop", "Customer")
    model.objects.filter(name=None).update(name=models.F("nick"))

noop, noop_sql = migrations.RunPython.noop, migrations.RunSQL.noop

class Migration(migrations.Migration):
    dependencies = [("shop", "{before}")]
"""


@dataclass
class Project:
    """Its checkout."""

    root: Path

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text))

    def migration(self, name: str, body: str) -> Path:
        """Add a migration behind the last one, of this body, and return its file."""
        folder = self.root / "backend/shop/migrations"
        before = max(folder.glob("0*.py")).stem
        head = MIGRATION.replace("{before}", before)
        path = folder / f"{name}.py"
        path.write_text(head + indent(dedent(body), "    "))
        return path

    def release(self) -> None:
        """Put what is there on main."""
        self.git("add", "--all")
        self.git(
            "-c", "user.name=Ada", "-c", "user.email=ada@example.com", "commit", "--message=on"
        )

    def git(self, *arguments: str) -> None:
        assert capture(["git", *arguments], cwd=self.root).returncode == 0


def create_project(root: Path, **files: str) -> Project:
    """Create the project with its first release.

    Args:
        root: Where it shall be.
        **files: The text of files of the app `shop`, by their names without `.py`.
    """
    project = Project(root)
    root.mkdir()
    project.git("init", "--quiet", "--initial-branch=main")
    for name, text in FILES.items():
        project.write(name, text)
    project.write("backend/shop/models.py", CUSTOMER)
    project.write("backend/shop/test_shop.py", TESTS)
    for name, text in files.items():
        project.write(f"backend/shop/{name.replace('__', '/')}.py", text)
    project.release()
    return project
