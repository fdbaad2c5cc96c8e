"""Dumps of a database: made before it changes, read once, the newest kept, and restored.

They lie in a volume of the node that is deployed through, and are made and read by a job of the
PostgreSQL image in the environment's network: wherever the app's database is, it is reached alike.
"""

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlsplit

from pipeline.deploy.credentials import object_name
from pipeline.deploy.environments import Environment
from pipeline.deploy.jobs import END, Job, file_option, lines, script_of
from pipeline.deploy.people import now
from pipeline.deploy.swarm import Swarm
from pipeline.errors import InputError

KEPT = 5
SERVICE = "pg_service.conf"
SCHEMES = {"postgres", "postgresql"}
SUFFIX = ".dump"
BREAK = re.compile(r"[\r\n\0]")


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
        return lines(self.swarm, stack, job, self.environment.timings.dump)


def service_file(url: str) -> str:
    """Return where and as whom to connect, as PostgreSQL's programs read it from a file.

    In a file, because what a program is told on its command line, whoever is on the node can read:
    https://www.postgresql.org/docs/current/libpq-pgservice.html

    Raises:
        InputError: The URL is not PostgreSQL's.
    """
    parts = urlsplit(url)
    if parts.scheme not in SCHEMES:
        raise InputError(
            "DATABASE_URL is not PostgreSQL's, so that nobody can dump it here",
            hint="set `dump = false` for the environment in pipeline.toml",
        )
    values = {
        "host": parts.hostname,
        "port": parts.port,
        "dbname": unquote(parts.path[1:]),
        "user": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        **dict(parse_qsl(parts.query)),
    }
    if any(BREAK.search(str(value)) for value in values.values()):
        raise InputError("DATABASE_URL holds a line break", hint="set it anew")
    return "[app]\n" + "".join(f"{key}={value}\n" for key, value in values.items() if value)
