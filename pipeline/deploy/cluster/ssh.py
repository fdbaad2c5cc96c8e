"""An SSH tunnel to the engine of a remote host, with pinned host keys.

Docker's own `ssh://` trusts the hosts of the caller's configuration, and connects again for each
command. Here the host keys come from pipeline.toml, and one connection serves the whole deployment;
a broken one is opened again. https://man.openbsd.org/ssh, "ControlMaster" and "-L".
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
_CONNECT_TIMEOUT, _COMMAND_TIMEOUT = 15, 30
_SSH_OPTIONS = {
    "BatchMode": "yes",
    "ConnectTimeout": f"{_CONNECT_TIMEOUT}",
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
    """A tunnel to the engine of one host.

    Attributes:
        host: `ssh://user@host:port`.
        folder: Private folder of its sockets and files.
        has_key: Whether a key was given, instead of the caller's own keys.
    """

    host: str
    folder: Path
    has_key: bool

    def ensure_open(self) -> str:
        """Open the tunnel if necessary, and return the value of DOCKER_HOST.

        Raises:
            InputError: The host cannot be reached, has another host key, or refuses the login; or
                the key cannot be read.
        """
        address = f"unix://{self.folder / 'engine'}"
        if self.control("check") == 0:
            return address
        if self.has_key:
            _require_readable_key(self.folder / "key")
        (self.folder / "control").unlink(missing_ok=True)  # left by a killed ssh
        forward = f"-L{self.folder / 'engine'}:{DOCKER_SOCKET}"
        answer = capture([*self.command("-fNM", forward)], seconds=_COMMAND_TIMEOUT)
        if answer.returncode:
            raise InputError(
                f"{self.host} cannot be reached: {ssh_error(answer)}",
                hint="check `host` and `known_hosts` in pipeline.toml, and DEPLOY_SSH_KEY",
            )
        return address

    def control(self, what: str) -> int:
        """Send a control command to the running ssh; return the exit code."""
        return capture(self.command("-O", what), seconds=_COMMAND_TIMEOUT).returncode

    def command(self, *arguments: str) -> Sequence[str]:
        """Return an ssh command for this connection."""
        place = parse_ssh_host(self.host)
        key = ("-oIdentitiesOnly=yes", f"-i{self.folder / 'key'}") if self.has_key else ()
        options = [f"-o{name}={value}" for name, value in _SSH_OPTIONS.items()]
        known = f"-oUserKnownHostsFile={self.folder / 'known_hosts'}"
        whom = (f"-l{place.user}" if place.user else "", f"-p{place.port}")
        given = [option for option in (*options, known, *key, *whom) if option]
        return ("ssh", f"-S{self.folder / 'control'}", *given, *arguments, "--", place.host)

    def close(self) -> None:
        """Close the connection, and remove its files."""
        self.control("exit")
        shutil.rmtree(self.folder, ignore_errors=True)


def _require_readable_key(file: Path) -> None:
    """Refuse a key that ssh cannot read; ssh would go on without it, and report a denied login.

    Raises:
        InputError: The key cannot be read, or has a passphrase.
    """
    answer = capture(["ssh-keygen", "-y", "-P", "", f"-f{file}"])
    if answer.returncode:
        raise InputError(
            f"DEPLOY_SSH_KEY cannot be read: {last_error_line(answer).rpartition(': ')[2]}",
            hint="set it to a private key without a passphrase, from its BEGIN to its END line",
        )


def ssh_error(answer: CommandResult) -> str:
    """Return the last error line of ssh, after its lines about unreadable keys."""
    lines = [line.strip() for line in answer.stderr.splitlines()]
    keys = [line for line in lines if line.startswith("Load key ")]
    return "; ".join([*keys, last_error_line(answer)])


@cache
def get_tunnel(host: str, known_hosts: tuple[str, ...], key: str = "") -> SSHTunnel:
    """Return the tunnel to a host; it opens on first use, and closes at exit.

    Args:
        host: `ssh://user@host:port`.
        known_hosts: The host keys, as lines of `ssh-keyscan`.
        key: A private key, with any line ends; by default the caller's own keys.
    """
    folder = Path(mkdtemp(prefix="engine-"))
    (folder / "known_hosts").write_text("".join(f"{line}\n" for line in known_hosts))
    file = folder / "key"
    file.touch(mode=0o600)
    file.write_text(normalize_pem(f"{key.rstrip()}\n"))
    made = SSHTunnel(host, folder, bool(key))
    atexit.register(made.close)
    return made
