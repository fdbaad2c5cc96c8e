from django.core.management.base import BaseCommand

from config.leftovers import invalid_indexes, sessions, unvalidated_constraints
from config.management.commands.migrate_safely import LOCK


class Command(BaseCommand):
    """Changes nothing.

    The deployer parses the output (pipeline/deploy/cluster/management_commands.py).
    """

    help = "List what a failed migration left, with the statements that remove it."

    def handle(self, *_: object, **__: object) -> None:
        found = [*sessions(LOCK), *invalid_indexes(), *unvalidated_constraints()]
        for line in found or ["nothing is left"]:
            self.stdout.write(line)
