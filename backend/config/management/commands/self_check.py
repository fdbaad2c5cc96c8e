import json

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from apps.health.checks import cache_answers, database_answers, static_files_are_collected, verdict
from config.leftovers import invalid_indexes
from config.pending import pending
from config.schema import breaking_changes, too_early

CHECKS = {
    "database": database_answers,
    "cache": cache_answers,
    "static": static_files_are_collected,
}


class Command(BaseCommand):
    """Changes nothing.

    The deployer parses the output (pipeline/deploy/rollout/steps.py, barrier.py).
    """

    help = "Check that this image can run here: settings, database, cache and static files."

    def handle(self, *_: object, **__: object) -> None:
        call_command("check", deploy=True, fail_level="WARNING")
        failed = [name for name, check in CHECKS.items() if verdict(name, check) == "failed"]
        if failed:
            raise CommandError(
                f"checks failed: {', '.join(failed)}\nhint: the log above holds the reasons"
            )
        if left := invalid_indexes():
            raise CommandError("\n".join([*left, "hint: run these statements, then deploy again"]))
        executor = MigrationExecutor(connection)
        graph = executor.loader.graph
        plan = [migration for migration, _ in executor.migration_plan(graph.leaf_nodes())]
        for migration in plan:
            self.stdout.write(f"to be applied: {migration}")
        broken, early = breaking_changes(plan), too_early(graph, plan)
        for fault, names in ("taken away", broken), ("too early", early):
            if names:
                self.stdout.write(f"{fault}: {json.dumps(names)}")
        if not plan:
            self.stdout.write("nothing is to be applied")
            found = [f"for migrate: {each}" for each in pending()]
            self.stdout.write("\n".join(found) or "migrate has nothing to do")
