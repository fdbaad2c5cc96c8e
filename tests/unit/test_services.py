"""Services start with their command, end with it, and leave nothing."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest
from psycopg import sql

from pipeline import services
from pipeline.config import load
from pipeline.errors import CheckFailedError, MissingToolError
from pipeline.process import capture
from pipeline.settings import Services, Settings
from tests.conftest import ROOT
from tests.settings import changed


@pytest.fixture(autouse=True)
def scratch(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where temporary folders go, so that a test sees what is left of them.

    Not pytest's own: the server runs as another user, who may not read that.
    """
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        monkeypatch.setattr(services, "TemporaryDirectory", partial(TemporaryDirectory, dir=folder))
        yield Path(folder)


def answers(url: str) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port_of(url))) == 0


def port_of(url: str) -> int:
    return int(url.rsplit(":", 1)[1].split("/", maxsplit=1)[0])


def test_a_postgresql_of_ones_own_answers_and_is_gone_afterwards(scratch: Path) -> None:
    with services.postgres() as url:
        assert answers(url)
    assert not answers(url)
    assert list(scratch.iterdir()) == []


def test_postgresql_brings_its_contrib_extensions() -> None:
    """What Django's contrib.postgres makes, without pgcrypto, which the package lacks."""
    names = ("bloom", "btree_gin", "btree_gist", "citext", "hstore", "pg_trgm", "unaccent")
    with services.postgres() as url, psycopg.connect(url, autocommit=True) as connection:
        for name in (*names, "ltree", "vector"):
            connection.execute(sql.SQL("CREATE EXTENSION {}").format(sql.Identifier(name)))


def with_postgres(folder: Path) -> Settings:
    """Return the settings of a team that has a PostgreSQL of its own."""
    return changed(load(), services=Services(postgres=str(folder)))


def test_a_team_names_a_postgresql_of_its_own(
    monkeypatch: pytest.MonkeyPatch, scratch: Path
) -> None:
    package = find_spec(services.WHEEL)
    assert package
    assert package.origin
    for part in Path(package.origin).parents[1].glob(f"{services.WHEEL}*"):
        shutil.copytree(part, scratch / "own" / part.name)
    # installed with a normal umask, as another user has to run it
    assert capture(["chmod", "--recursive", "u=rwX,go=rX", str(scratch)]).returncode == 0
    own = scratch / "own" / services.WHEEL / "pginstall" / "bin"
    monkeypatch.setattr(services, "load", lambda: with_postgres(own))
    monkeypatch.setattr(services, "find_spec", lambda _: None)
    with services.postgres() as url:
        assert answers(url)


def test_a_folder_without_postgresql_is_an_error_with_a_hint(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(services, "load", lambda: with_postgres(tmp_path))
    with pytest.raises(MissingToolError, match=f"{tmp_path}"), services.postgres():
        pass


def test_a_redis_of_ones_own_answers_and_is_gone_afterwards(scratch: Path) -> None:
    with services.redis() as url:
        assert answers(url)
        with socket.create_connection(("127.0.0.1", port_of(url))) as connection:
            connection.sendall(b"PING\r\n")
            assert connection.recv(16) == b"+PONG\r\n"
    assert not answers(url)
    assert list(scratch.iterdir()) == []


def test_a_redis_that_does_not_start_is_an_error_with_a_hint(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(services, "_redis_server", lambda: "false")
    monkeypatch.setattr(services, "START_TIMEOUT", 0.1)
    with pytest.raises(CheckFailedError, match="nothing answers on port"), services.redis():
        pass


def test_without_a_redis_it_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(services, "find_spec", lambda _: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingToolError, match="`redis-server`"), services.redis():
        pass


def test_two_at_once_do_not_meet() -> None:
    with services.postgres() as one, services.postgres() as other:
        assert one != other
        assert answers(one)
        assert answers(other)


def test_it_is_gone_after_a_failure_too(scratch: Path) -> None:
    with pytest.raises(ZeroDivisionError), services.postgres() as url:
        raise ZeroDivisionError
    assert not answers(url)
    assert list(scratch.iterdir()) == []


def test_the_exit_code_is_that_of_the_command() -> None:
    assert services.main(["--", sys.executable, "-c", "raise SystemExit(5)"]) == 5


def test_the_command_runs_in_its_folder_with_the_database(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    script = "import os; print(os.getcwd(), os.environ['DATABASE_URL'])"
    options = ["--postgres", f"--directory={tmp_path}", "--"]
    assert services.main([*options, sys.executable, "-c", script]) == 0
    assert capfd.readouterr().out.startswith(f"{tmp_path} postgres://postgres@127.0.0.1:")


def test_when_it_is_told_to_stop_the_server_stops_too(scratch: Path) -> None:
    script = "import os, time; print(os.environ['DATABASE_URL'], flush=True); time.sleep(60)"
    command = ["-m", "pipeline.services", "--postgres", "--", sys.executable, "-c", script]
    environment = {**os.environ, "TMPDIR": str(scratch)}
    with subprocess.Popen(
        [sys.executable, *command], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert answers(url)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 128 + signal.SIGTERM
    assert not answers(url)
    assert list(scratch.iterdir()) == []


def test_a_free_port_is_free_for_a_server() -> None:
    with socket.create_server(("127.0.0.1", services.free_port())):
        pass


def any_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def test_a_free_port_is_given_to_none_who_asks_for_any() -> None:
    """Ports are drawn: of so many, some would else be drawn twice."""
    ours = [services.free_port() for _ in range(500)]
    assert len({*ours}) == len(ours)
    assert {any_port() for _ in range(2000)}.isdisjoint(ours)


def test_a_port_is_handed_over_unless_one_was_chosen(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHOSEN_PORT", "8123")
    script = "import os; print(os.environ['CHOSEN_PORT'], int(os.environ['OTHER_PORT']) > 1023)"
    ports = ["--free-port=CHOSEN_PORT", "--free-port=OTHER_PORT", "--"]
    assert services.main([*ports, sys.executable, "-c", script]) == 0
    assert capfd.readouterr().out == "8123 True\n"


def test_a_port_in_use_stops_the_server_from_starting(
    monkeypatch: pytest.MonkeyPatch, scratch: Path
) -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        monkeypatch.setattr(services, "free_port", lambda: port)
        with pytest.raises(CheckFailedError, match="pg_ctl failed"), services.postgres():
            pass
    assert list(scratch.iterdir()) == []


def test_an_environment_without_postgresql_is_an_error_with_a_hint(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(services, "find_spec", lambda _: None)
    with pytest.raises(MissingToolError, match="postgresql") as caught, services.postgres():
        pass
    assert caught.value.hint == "nox -s tests-postgres installs it"
