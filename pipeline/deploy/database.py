"""Dumps of a database: created before a migration, read once, and restored.

A job of the PostgreSQL image in the network of the environment runs pg_dump, so it reaches the
database by the same address as the app. Dumps are kept in a volume of the manager node.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.deploy.cluster.deploy_target import DeployTarget
from pipeline.deploy.cluster.one_shot_jobs import (
    END_MARKER,
    Job,
    run_and_read_lines,
    script_command,
    secret_option,
)
from pipeline.deploy.confirmation import utc_now
from pipeline.deploy.database_url import VARIABLE, pg_service_file
from pipeline.deploy.environment_secrets import secret_object_name

MAX_DUMPS = 5
_PG_SERVICE_FILE = "pg_service.conf"
_DUMP_SUFFIX = ".dump"


@dataclass(frozen=True)
class Database:
    """The database of an environment.

    Attributes:
        target: The environment; its secrets have the address of the database.
        image: PostgreSQL, by digest.
    """

    target: DeployTarget
    image: str

    def dump(self, version: str) -> str:
        """Dump the database, and return the name of the dump.

        Args:
            version: The release of the data.

        Raises:
            InputError: The database is not PostgreSQL.
            JobFailedError: The dump failed, or cannot be read.
        """
        name = f"{utc_now().replace('+00:00', 'Z').replace(':', '')}-{version}"
        self.run_script("dump", script_command("dump.sh", name, str(MAX_DUMPS)))
        return name

    def restore(self, name: str) -> None:
        """Replace the database by a dump.

        Raises:
            JobFailedError: The restore failed; the database is unchanged.
        """
        self.run_script("restore", script_command("restore.sh", name))

    def undo_restore(self) -> None:
        """Swap back the database that the last restore replaced.

        Raises:
            JobFailedError: The swap failed.
        """
        self.restore("--back")

    def list_dumps(self) -> list[str]:
        """Return the names of all dumps, the oldest first.

        Raises:
            JobFailedError: The engine does not answer.
        """
        lines = self.run_script("dumps", ["-euc", "ls /dumps"])
        return sorted(
            line.removesuffix(_DUMP_SUFFIX) for line in lines if line.endswith(_DUMP_SUFFIX)
        )

    def run_script(self, name: str, script: list[str]) -> list[str]:
        """Run a shell script with access to the database and the dumps; return its output.

        Raises:
            InputError: The database is not PostgreSQL.
            JobFailedError: The script failed.
        """
        target, stack = self.target, self.target.stack
        content = pg_service_file(target.secrets[VARIABLE])
        source = secret_object_name(stack, _PG_SERVICE_FILE, content)
        target.swarm.ensure_secrets({source: content}, f"pipeline.stack={stack}")
        options = [
            secret_option({"source": source, "target": _PG_SERVICE_FILE, "uid": 0, "gid": 0}),
            f"--mount=type=volume,source={stack}-dumps,destination=/dumps",
            "--mount=type=tmpfs,destination=/var/lib/postgresql",  # a volume of the image
            f"--constraint=node.id=={target.swarm.node_id()}",
            "--user=0:0",
            "--entrypoint=sh",
        ]
        variables = {"PGSERVICEFILE": f"/run/secrets/{_PG_SERVICE_FILE}", "PGSERVICE": "app"}
        shell, text, *rest = script
        ended = [shell, f"{text}\necho {END_MARKER}", *rest]
        job = Job(f"{stack}-{name}", self.image, ended, variables, options)
        return run_and_read_lines(target, job, target.environment.timings.dump_timeout)


def require_database_url(credentials: Mapping[str, str]) -> None:
    """Check that the database can be dumped, before a deployment starts.

    Args:
        credentials: The values of an environment's secrets.

    Raises:
        InputError: DATABASE_URL is not a PostgreSQL URL, or cannot be written to a service file.
    """
    pg_service_file(credentials.get(VARIABLE, ""))
