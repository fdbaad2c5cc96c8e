"""The shell that dumps and restores, on a PostgreSQL of the test's own."""

import os
import subprocess
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from pipeline.deploy.database_url import MAX_LINE_BYTES, pg_service_file
from pipeline.services import WHEEL, postgres
from tests.conftest import ROOT, Result
from tests.waiting import until


class Ledger:
    """A database, its dumps, and the programs that the image has."""

    def __init__(self, folder: Path, url: str) -> None:
        self.dumps = folder
        package = find_spec(WHEEL)
        assert package
        assert package.origin
        programs = Path(package.origin).parent / "pginstall" / "bin"
        (folder / "service").write_text(pg_service_file(url))
        path = f"{programs}:{os.environ['PATH']}"
        self.env = {"PATH": path, "PGSERVICEFILE": str(folder / "service"), "PGSERVICE": "app"}

    def run(self, script: str, *given: str) -> Result:
        text = (ROOT / "deploy" / script).read_text().replace("/dumps", str(self.dumps))
        return self.call("sh", "-euc", text, script, *given)

    def call(self, *command: str) -> Result:
        return subprocess.run(command, env=self.env, check=False, capture_output=True, text=True)

    def sql(self, text: str, database: str = "postgres") -> list[str]:
        where = f"--dbname=service=app dbname={database}"
        answer = self.call(
            "psql", "--no-psqlrc", "-qAt", "-v", "ON_ERROR_STOP=1", where, "-c", text
        )
        assert answer.returncode == 0, answer.stderr
        return answer.stdout.split()

    def rows(self) -> list[str]:
        return self.sql("select name from entry order by name")


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgres() as url:
        yield url


@pytest.fixture
def ledger(server: str, tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger(tmp_path, server)
    ledger.sql("create table entry (name text); insert into entry values ('before')")
    yield ledger
    ledger.sql("drop table entry")
    for name in ("postgres_restored", "postgres_replaced"):
        ledger.sql(f"drop database if exists {name}", "template1")


@pytest.mark.parametrize(
    ("query", "requested", "output"),
    [
        ("?currentSchema=shop", "show search_path", "shop"),
        ("?application_name=a%3Db%23c'%5C", "show application_name", "a=b#c'\\"),
        ("?options=-c%20statement_timeout%3D7s", "show statement_timeout", "7s"),
    ],
)
def test_psql_takes_what_the_address_says(
    server: str, tmp_path: Path, query: str, requested: str, output: str
) -> None:
    ledger = Ledger(tmp_path, f"{server}{query}")
    assert ledger.sql(requested) == [output]
    assert ledger.run("dump.sh", "first", "5").returncode == 0


def test_psql_reads_lines_that_are_as_long_as_we_let_them_be(server: str, tmp_path: Path) -> None:
    longest = "p" * (MAX_LINE_BYTES - len("password="))
    ledger = Ledger(tmp_path, server.replace("postgres@", f"postgres:{longest}@"))
    assert ledger.sql("select 1") == ["1"]
    file = tmp_path / "service"
    file.write_text(file.read_text().replace("password=", "password=p"))
    answer = ledger.call("psql", "-c", "select 1")
    assert "too long in service file" in answer.stderr


def test_what_was_written_after_the_dump_is_gone_and_what_was_before_is_there(
    ledger: Ledger,
) -> None:
    assert ledger.run("dump.sh", "first", "5").returncode == 0
    ledger.sql("insert into entry values ('after')")
    restored = ledger.run("restore.sh", "first")
    assert restored.returncode == 0, restored.stderr
    assert ledger.rows() == ["before"]
    assert ledger.sql("select name from entry order by name", "postgres_replaced") == [
        "after",
        "before",
    ]


def test_a_restore_can_be_taken_back(ledger: Ledger) -> None:
    ledger.run("dump.sh", "first", "5")
    ledger.sql("insert into entry values ('after')")
    ledger.run("restore.sh", "first")
    back = ledger.run("restore.sh", "--back")
    assert back.returncode == 0, back.stderr
    assert ledger.rows() == ["after", "before"]


def test_whoever_is_connected_does_not_stand_in_the_way(ledger: Ledger) -> None:
    ledger.run("dump.sh", "first", "5")
    command = ["psql", "--dbname=service=app", "-c", "begin; table entry; select pg_sleep(60)"]
    connected = "select pid from pg_stat_activity where query like 'begin; table entry%'"
    with subprocess.Popen(command, env=ledger.env, stderr=subprocess.PIPE) as user:
        until(lambda: ledger.sql(connected, "template1"))
        restored = ledger.run("restore.sh", "first")
        user.wait()
    assert restored.returncode == 0, restored.stderr
    assert ledger.rows() == ["before"]


@pytest.mark.parametrize("content", [None, b"", b"no dump", "half"])
def test_a_dump_that_cannot_be_read_leaves_the_database_as_it_was(
    ledger: Ledger, content: bytes | str | None
) -> None:
    ledger.run("dump.sh", "first", "5")
    file = ledger.dumps / "first.dump"
    if content is None:
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[:-200] if isinstance(content, str) else content)
    ledger.sql("insert into entry values ('after')")
    assert ledger.run("restore.sh", "first").returncode != 0
    assert ledger.rows() == ["after", "before"]


def test_the_newest_dumps_are_kept(ledger: Ledger) -> None:
    for number in range(1, 8):
        assert ledger.run("dump.sh", f"2026110{number}", "5").returncode == 0
    assert sorted(path.name for path in ledger.dumps.glob("*.*")) == [
        f"2026110{number}.dump" for number in range(3, 8)
    ]


def test_a_database_that_does_not_answer_leaves_no_half_a_dump(ledger: Ledger) -> None:
    there = {**ledger.env, "PGPORT": "1", "PGSERVICE": "away"}
    ledger.env, here = there, ledger.env
    assert ledger.run("dump.sh", "first", "5").returncode != 0
    ledger.env = here
    assert [path.name for path in ledger.dumps.iterdir()] == ["service"]
