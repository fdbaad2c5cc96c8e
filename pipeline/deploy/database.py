"""Dumps of a database: made before it changes, read once, the newest kept, and restored.

They lie in a volume of the node that is deployed through, and are made and read by a job of the
PostgreSQL image in the environment's network: wherever the app's database is, it is reached alike.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pipeline.deploy.cluster.client import SwarmClient
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
from pipeline.environments import Environment

MAX_DUMPS = 5
PG_SERVICE_FILE = "pg_service.conf"
DUMP_SUFFIX = ".dump"


@dataclass(frozen=True)
class Database:
    """The database of an environment.

    Attributes:
        swarm: Whose jobs reach it.
        environment: Whose it is.
        image: PostgreSQL, by digest.
        url: Where it is, and how to get in.
    """

    swarm: SwarmClient
    environment: Environment
    image: str
    url: str = field(repr=False)

    def dump(self, version: str) -> str:
        """Dump it, and return what the dump is called.

        Args:
            version: The release whose data it is.

        Raises:
            InputError: It is no PostgreSQL.
            JobFailedError: It cannot be dumped, or the dump cannot be read.
        """
        name = f"{utc_now().replace('+00:00', 'Z').replace(':', '')}-{version}"
        self.run_script("dump", script_command("dump.sh", name, str(MAX_DUMPS)))
        return name

    def restore(self, name: str) -> None:
        """Let what is in a dump take its place.

        Raises:
            JobFailedError: It could not; the database is what it was.
        """
        self.run_script("restore", script_command("restore.sh", name))

    def undo_restore(self) -> None:
        """Let what the last restore replaced take its place again.

        Raises:
            JobFailedError: It could not.
        """
        self.restore("--back")

    def list_dumps(self) -> list[str]:
        """Return what the dumps are called that there are, the oldest first.

        Raises:
            JobFailedError: The engine does not tell.
        """
        said = self.run_script("dumps", ["-euc", "ls /dumps"])
        return sorted(line.removesuffix(DUMP_SUFFIX) for line in said if line.endswith(DUMP_SUFFIX))

    def run_script(self, name: str, script: list[str]) -> list[str]:
        """Run a shell script beside the database and the dumps, and return what it printed.

        Raises:
            InputError: It is no PostgreSQL.
            JobFailedError: The script failed.
        """
        stack, content = self.environment.stack, pg_service_file(self.url)
        source = secret_object_name(stack, PG_SERVICE_FILE, content)
        self.swarm.ensure_secrets({source: content}, f"pipeline.stack={stack}")
        options = [
            secret_option({"source": source, "target": PG_SERVICE_FILE, "uid": 0, "gid": 0}),
            f"--mount=type=volume,source={stack}-dumps,destination=/dumps",
            "--mount=type=tmpfs,destination=/var/lib/postgresql",  # of a server, which none is
            f"--constraint=node.id=={self.swarm.node_id()}",
            "--user=0:0",
            "--entrypoint=sh",
        ]
        told = {"PGSERVICEFILE": f"/run/secrets/{PG_SERVICE_FILE}", "PGSERVICE": "app"}
        shell, text, *rest = script
        ended = [shell, f"{text}\necho {END_MARKER}", *rest]
        job = Job(f"{stack}-{name}", self.image, ended, told, options)
        return run_and_read_lines(
            self.swarm, self.environment, job, self.environment.timings.dump_timeout
        )


def require_database_url(credentials: Mapping[str, str]) -> None:
    """Find out now that the database could not be dumped, before anything begins.

    Args:
        credentials: The values of an environment's secrets.

    Raises:
        InputError: DATABASE_URL is not PostgreSQL's, or a service file cannot hold it.
    """
    pg_service_file(credentials.get(VARIABLE, ""))
