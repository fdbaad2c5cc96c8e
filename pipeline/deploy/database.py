"""Dumps of a database: made before it changes, read once, the newest kept, and restored.

They lie in a volume of the node that is deployed through, and are made and read by a job of the
PostgreSQL image in the environment's network: wherever the app's database is, it is reached alike.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pipeline.deploy.cluster.client import Swarm
from pipeline.deploy.cluster.one_shot_jobs import END, Job, file_option, lines, script_of
from pipeline.deploy.confirmation import now
from pipeline.deploy.database_url import NAME, service_file
from pipeline.deploy.environment_secrets import object_name
from pipeline.environments import Environment

KEPT = 5
SERVICE = "pg_service.conf"
SUFFIX = ".dump"


@dataclass(frozen=True)
class Database:
    """The database of an environment.

    Attributes:
        swarm: Whose jobs reach it.
        environment: Whose it is.
        image: PostgreSQL, by digest.
        url: Where it is, and how to get in.
    """

    swarm: Swarm
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
        name = f"{now().replace('+00:00', 'Z').replace(':', '')}-{version}"
        self.run("dump", script_of("dump.sh", name, str(KEPT)))
        return name

    def restore(self, name: str) -> None:
        """Let what is in a dump take its place.

        Raises:
            JobFailedError: It could not; the database is what it was.
        """
        self.run("restore", script_of("restore.sh", name))

    def put_back(self) -> None:
        """Let what the last restore replaced take its place again.

        Raises:
            JobFailedError: It could not.
        """
        self.restore("--back")

    def dumps(self) -> list[str]:
        """Return what the dumps are called that there are, the oldest first.

        Raises:
            JobFailedError: The engine does not tell.
        """
        said = self.run("dumps", ["-euc", "ls /dumps"])
        return sorted(line.removesuffix(SUFFIX) for line in said if line.endswith(SUFFIX))

    def run(self, name: str, script: list[str]) -> list[str]:
        """Run a shell script beside the database and the dumps, and return what it printed.

        Raises:
            InputError: It is no PostgreSQL.
            JobFailedError: The script failed.
        """
        stack, content = self.environment.stack, service_file(self.url)
        source = object_name(stack, SERVICE, content)
        self.swarm.ensure_secrets({source: content}, f"pipeline.stack={stack}")
        options = [
            file_option({"source": source, "target": SERVICE, "uid": 0, "gid": 0}),
            f"--mount=type=volume,source={stack}-dumps,destination=/dumps",
            "--mount=type=tmpfs,destination=/var/lib/postgresql",  # of a server, which none is
            f"--constraint=node.id=={self.swarm.node()}",
            "--user=0:0",
            "--entrypoint=sh",
        ]
        told = {"PGSERVICEFILE": f"/run/secrets/{SERVICE}", "PGSERVICE": "app"}
        shell, text, *rest = script
        ended = [shell, f"{text}\necho {END}", *rest]
        job = Job(f"{stack}-{name}", self.image, ended, told, options)
        return lines(self.swarm, self.environment, job, self.environment.timings.dump)


def require_address(credentials: Mapping[str, str]) -> None:
    """Find out now that the database could not be dumped, before anything begins.

    Args:
        credentials: The values of an environment's secrets.

    Raises:
        InputError: DATABASE_URL is not PostgreSQL's, or a service file cannot hold it.
    """
    service_file(credentials.get(NAME, ""))
