"""The way to an engine elsewhere: a real ssh, and a server that has a key of its own."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import asyncssh
import pytest

from pipeline.deploy.cluster import ssh as module
from pipeline.deploy.cluster.ssh import SSHTunnel
from pipeline.errors import InputError
from pipeline.process import capture
from tests.waiting import SOON, until

KIND = "OPENSSH PRIVATE KEY"  # without its dashes, as no secret may be in this file


class Server(asyncssh.SSHServer):
    """Accepts the key, and forwards to the requested socket."""

    connections: list[asyncssh.SSHServerConnection]

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self.connections.append(conn)

    def unix_connection_requested(self, dest_path: str) -> bool:
        return dest_path == module.DOCKER_SOCKET


class Host:
    """A machine with an engine: a socket that answers in capitals."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key, self.client = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
        self.connections: list[asyncssh.SSHServerConnection] = []
        self.port, self.listens = 0, threading.Event()

    async def serve(self) -> None:
        self.loop, self.leaves = asyncio.get_running_loop(), asyncio.Event()
        (self.folder / "clients").write_bytes(self.client.export_public_key())
        factory = type("Serving", (Server,), {"connections": self.connections})
        keys = {"server_host_keys": [self.key], "authorized_client_keys": f"{self.folder}/clients"}
        async with (
            await asyncio.start_unix_server(answer, module.DOCKER_SOCKET),
            await asyncssh.create_server(factory, "127.0.0.1", 0, **keys) as server,
        ):
            self.port = server.get_port()
            self.listens.set()
            await self.leaves.wait()
            await self.hang_up()

    async def hang_up(self) -> None:
        for connection in self.connections:
            connection.abort()
            await connection.wait_closed()


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write((await reader.readline()).upper())
    writer.close()


Reach = Callable[..., SSHTunnel]


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    monkeypatch.setattr(module, "DOCKER_SOCKET", str(tmp_path / "docker.sock"))
    found = Host(tmp_path)
    thread = threading.Thread(target=lambda: asyncio.run(found.serve()))
    thread.start()
    assert found.listens.wait(SOON)
    yield found
    found.loop.call_soon_threadsafe(found.leaves.set)
    thread.join()


@pytest.fixture
def reach(host: Host) -> Iterator[Reach]:
    made: list[SSHTunnel] = []

    def tunnel(
        known: asyncssh.SSHKey = host.key,
        key: asyncssh.SSHKey = host.client,
        change: Callable[[str], str] = str,
    ) -> SSHTunnel:
        line = known.export_public_key().decode().strip()
        secret = change(key.export_private_key().decode())
        place = f"127.0.0.1:{host.port}"
        known_hosts = (f"[127.0.0.1]:{host.port} {line}",)
        made.append(module.get_tunnel(f"ssh://dep%6Coy@{place}", known_hosts, secret))
        return made[-1]

    yield tunnel
    for each in made:
        each.close()


def requested(tunnel: SSHTunnel) -> bytes:
    address = tunnel.ensure_open()
    with closing(socket.socket(socket.AF_UNIX)) as client:
        client.connect(address.removeprefix("unix://"))
        client.sendall(b"ping\n")
        return client.recv(99)


def test_the_engine_of_a_known_host_is_reached(reach: Reach) -> None:
    assert requested(reach()) == b"PING\n"


def test_one_connection_serves_many_questions(reach: Reach, host: Host) -> None:
    tunnel = reach()
    assert [requested(tunnel) for _ in range(3)] == [b"PING\n"] * 3
    assert len(host.connections) == 1


def test_a_connection_that_broke_is_made_again(reach: Reach, host: Host) -> None:
    tunnel = reach()
    requested(tunnel)
    asyncio.run_coroutine_threadsafe(host.hang_up(), host.loop).result(SOON)
    until(lambda: tunnel.control("check"), "the connection does not break")
    assert requested(tunnel) == b"PING\n"
    assert len(host.connections) > 1


def test_a_host_with_another_key_is_refused(reach: Reach) -> None:
    other = asyncssh.generate_private_key("ssh-ed25519")
    with pytest.raises(InputError, match="cannot be reached: Host key verification failed"):
        reach(known=other).ensure_open()


def test_a_key_that_the_host_does_not_know_is_refused_in_one_sentence(reach: Reach) -> None:
    other = asyncssh.generate_private_key("ssh-ed25519")
    with pytest.raises(InputError, match="Permission denied") as caught:
        reach(key=other).ensure_open()
    assert "known_hosts" in caught.value.hint


@pytest.mark.parametrize("ending", ["\r\n", " ", "\\n", "\\r\\n"])
def test_a_key_opens_the_way_whatever_became_of_its_line_ends(reach: Reach, ending: str) -> None:
    assert requested(reach(change=lambda key: key.replace("\n", ending))) == b"PING\n"


@pytest.mark.parametrize(
    "key",
    [
        "swordfish",
        f"-----BEGIN {KIND}-----\nswordfish\n",
        f"-----BEGIN {KIND}-----\nsword\n-----END {KIND}-----\n",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICZA7S swordfish",
    ],
)
def test_what_ssh_cannot_read_as_a_key_is_said_before_anything_is_asked(
    reach: Reach, host: Host, key: str
) -> None:
    why = "(error in libcrypto|invalid format)"  # by the version of ssh
    with pytest.raises(InputError, match=f"^DEPLOY_SSH_KEY cannot be read: {why}$") as caught:
        reach(change=lambda _: key).ensure_open()
    assert "from its BEGIN to its END line" in caught.value.hint
    assert not host.connections


def test_a_key_with_a_passphrase_is_refused(reach: Reach, tmp_path: Path) -> None:
    file = tmp_path / "locked"
    made = capture(["ssh-keygen", "-q", "-t", "ed25519", "-N", "swordfish", "-f", str(file)])
    assert made.returncode == 0
    with pytest.raises(InputError, match="cannot be read: incorrect passphrase") as caught:
        reach(change=lambda _: file.read_text()).ensure_open()
    assert "without a passphrase" in caught.value.hint


def test_a_key_of_one_s_own_that_cannot_be_read_is_told_before_what_follows(
    reach: Reach,
) -> None:
    tunnel = reach(change=lambda _: "swordfish")
    answer = capture(tunnel.command("-N"), seconds=SOON)
    received, last = module.ssh_error(answer).split("; ")
    assert received.startswith("Load key ")
    assert "Permission denied" in last


def test_the_user_reaches_ssh_decoded_and_no_host_is_an_option() -> None:
    command = SSHTunnel("ssh://dep%40loy@example.com:2222", Path("/x"), has_key=False).command("-N")
    assert command[-2:] == ("--", "example.com")
    assert {"-ldep@loy", "-p2222"} <= {*command}
    with pytest.raises(ValueError, match="it must be a user, a host and a port"):
        SSHTunnel("ssh://x@-oProxyCommand=id", Path("/x"), has_key=False).command("-N")


def test_nothing_is_left_when_it_is_closed_and_only_its_owner_could_read_the_key(
    reach: Reach,
) -> None:
    tunnel = reach()
    requested(tunnel)
    assert (tunnel.folder / "key").stat().st_mode & 0o077 == 0
    assert tunnel.folder.stat().st_mode & 0o077 == 0
    tunnel.close()
    assert not tunnel.folder.exists()
    assert tunnel.control("check")
