"""The way to an engine on another machine: SSH, to a host whose key is known beforehand.

Docker's own `ssh://` asks the caller's configuration whom to trust, and asks it anew for each
command. Here the keys stand in pipeline.toml, one connection serves the whole deployment, and one
that breaks is made again. https://man.openbsd.org/ssh, "ControlMaster" and "-L".
"""

import atexit
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from pipeline.addresses import parse_ssh_host
from pipeline.deploy.pem import normalize_pem
from pipeline.errors import InputError
from pipeline.process import CommandResult, capture, last_error_line

DOCKER_SOCKET = "/var/run/docker.sock"
CONNECT_TIMEOUT, COMMAND_TIMEOUT = 15, 30
SSH_OPTIONS = {
    "BatchMode": "yes",
    "ConnectTimeout": f"{CONNECT_TIMEOUT}",
    "ControlPersist": "no",
    "ExitOnForwardFailure": "yes",
    "GlobalKnownHostsFile": "/dev/null",
    "ServerAliveCountMax": "3",
    "ServerAliveInterval": "5",
    "StrictHostKeyChecking": "yes",
    "StreamLocalBindUnlink": "yes",
}


@dataclass(frozen=True)
class SSHTunnel:
    """A way to the engine of one host.

    Attributes:
        host: `ssh://user@host:port`.
        folder: Where its sockets and files are; nobody else may look into it.
        has_key: Whether a key was given, instead of the caller's own keys.
    """

    host: str
    folder: Path
    has_key: bool

    def ensure_open(self) -> str:
        """Have it open, and return what Docker's command line is to talk to.

        Raises:
            InputError: The host cannot be reached, is another one, or refuses the login; or the key
                cannot be read.
        """
        address = f"unix://{self.folder / 'engine'}"
        if self.control("check") == 0:
            return address
        if self.has_key:
            require_readable_key(self.folder / "key")
        (self.folder / "control").unlink(missing_ok=True)  # of one that was killed
        forward = f"-L{self.folder / 'engine'}:{DOCKER_SOCKET}"
        answer = capture([*self.command("-fNM", forward)], seconds=COMMAND_TIMEOUT)
        if answer.returncode:
            raise InputError(
                f"{self.host} cannot be reached: {ssh_error(answer)}",
                hint="correct `host` and `known_hosts` in pipeline.toml, or DEPLOY_SSH_KEY",
            )
        return address

    def control(self, what: str) -> int:
        """Ask or tell the connection that is there; return the exit code."""
        return capture(self.command("-O", what), seconds=COMMAND_TIMEOUT).returncode

    def command(self, *arguments: str) -> Sequence[str]:
        """Return a command of ssh about this connection."""
        place = parse_ssh_host(self.host)
        key = ("-oIdentitiesOnly=yes", f"-i{self.folder / 'key'}") if self.has_key else ()
        options = [f"-o{name}={value}" for name, value in SSH_OPTIONS.items()]
        known = f"-oUserKnownHostsFile={self.folder / 'known_hosts'}"
        whom = (f"-l{place.user}" if place.user else "", f"-p{place.port}")
        given = [option for option in (*options, known, *key, *whom) if option]
        return ("ssh", f"-S{self.folder / 'control'}", *given, *arguments, "--", place.host)

    def close(self) -> None:
        """End it, and leave nothing."""
        self.control("exit")
        shutil.rmtree(self.folder, ignore_errors=True)


def require_readable_key(file: Path) -> None:
    """Refuse a key that ssh cannot read: it would go on without one, and be let in nowhere.

    Raises:
        InputError: It cannot be read, or it has a passphrase.
    """
    answer = capture(["ssh-keygen", "-y", "-P", "", f"-f{file}"])
    if answer.returncode:
        raise InputError(
            f"DEPLOY_SSH_KEY cannot be read: {last_error_line(answer).rpartition(': ')[2]}",
            hint="set it to a private key without a passphrase, from its BEGIN to its END line",
        )


def ssh_error(answer: CommandResult) -> str:
    """Return why ssh failed: its last words, and before them those about keys it could not read."""
    lines = [line.strip() for line in answer.stderr.splitlines()]
    keys = [line for line in lines if line.startswith("Load key ")]
    return "; ".join([*keys, last_error_line(answer)])


@cache
def get_tunnel(host: str, known_hosts: tuple[str, ...], key: str = "") -> SSHTunnel:
    """Return the way to a host; it is opened when it is first needed, and closed at the end.

    Args:
        host: `ssh://user@host:port`.
        known_hosts: The host's keys, each a line as `ssh-keyscan` prints it.
        key: A private key, whatever its line ends; the caller's own keys, if not given.
    """
    folder = Path(mkdtemp(prefix="engine-"))
    (folder / "known_hosts").write_text("".join(f"{line}\n" for line in known_hosts))
    file = folder / "key"
    file.touch(mode=0o600)
    file.write_text(normalize_pem(f"{key.rstrip()}\n"))
    made = SSHTunnel(host, folder, bool(key))
    atexit.register(made.close)
    return made
