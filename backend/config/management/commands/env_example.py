from itertools import starmap
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError, CommandParser
from pydantic.fields import FieldInfo

from config.environment import Environment

FILE = Path(__file__).resolve().parents[3] / ".env.example"
HEAD = "# Written by `nox -s env-example`, from the schema in config/environment.py.\n"


class Command(BaseCommand):
    help = "Write .env.example, which lists every variable that the app reads."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="only tell whether it is fresh")

    def handle(self, *_: object, **options: object) -> None:
        example = HEAD + "".join(starmap(entry, Environment.model_fields.items()))
        if not options["check"]:
            FILE.write_text(example)
        elif not FILE.exists() or FILE.read_text() != example:
            raise CommandError(f"{FILE.name} is stale\nhint: nox -s env-example")


def entry(name: str, field: FieldInfo) -> str:
    """Describe a variable, and set it to an example or to its default; secrets stay empty."""
    necessity = "required" if field.is_required() else "optional"
    default = "" if field.is_required() else field.default or ""
    value = field.examples[0] if field.examples else default
    return f"\n# {necessity}: {field.description}\n{name.upper()}={value}\n"
