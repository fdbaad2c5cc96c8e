import json

from django.core.management.base import BaseCommand

from config.schema import uses


class Command(BaseCommand):
    """The deployer compares the list with what the migrations of the next release remove."""

    help = "List the models and fields that this code uses, as JSON."

    def handle(self, *_: object, **__: object) -> None:
        self.stdout.write(json.dumps(uses()))
