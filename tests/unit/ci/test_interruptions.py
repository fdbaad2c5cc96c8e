"""Whatever happens in the middle of a run, nothing is green that would be red."""

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.ci.execution import scheduler
from tests.support.sample_repo import SampleRepo
from tests.unit.ci.conftest import InProcessCI
from tests.waiting import SOON, until

ALL = ["blue", "green", "red"]


@pytest.mark.parametrize("lines", range(7))
def test_killed_at_any_moment_nothing_red_is_green(repo: SampleRepo, lines: int) -> None:
    """The sessions that it leaves behind end by themselves; the next run waits for them."""
    repo.write("red/one.txt", "BROKEN")
    process = repo.start(TOY_SECONDS="0.3")
    assert process.stdout
    for _ in range(lines):
        assert process.stdout.readline()
    process.kill()
    process.communicate()
    code, said = repo.ci()
    assert code == 1
    assert "failed       red" in said
    assert "failed       blue" not in said
    code, said = repo.ci()
    assert "ci: 2 green (2 from the cache), 1 failed" in said


def test_two_runs_at_once_share_the_work(repo: SampleRepo) -> None:
    both = [repo.start(TOY_SECONDS="1"), repo.start(TOY_SECONDS="1")]
    said = [process.communicate(timeout=120)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert repo.executed_sessions() == ALL


@pytest.mark.parametrize(
    ("line", "beside"),
    [
        ("exclusive = []", [["blue", "green", "red"]]),
        ('exclusive = ["red"]', [["blue", "green"], ["red"]]),
        ('exclusive = ["green", "red"]', [["blue"], ["green"], ["red"]]),
    ],
)
def test_nothing_runs_beside_what_is_to_run_alone(
    repo: SampleRepo, line: str, beside: list[list[str]]
) -> None:
    settings = (repo.root / "pipeline.toml").read_text()
    repo.write("pipeline.toml", settings.replace("exclusive = []", line))
    code, said = repo.ci("--jobs=3", TOY_SECONDS="1")
    assert code == 0, said
    assert sorted(groups(repo)) == beside


@pytest.mark.parametrize("jobs", ["1", "3"])
def test_what_takes_what_others_make_waits_for_them(repo: SampleRepo, jobs: str) -> None:
    settings = (repo.root / "pipeline.toml").read_text()
    after = '[ci.needs]\nblue = ["green", "red"]'
    repo.write("pipeline.toml", settings.replace("[ci.needs]", after))
    code, said = repo.ci(f"--jobs={jobs}", TOY_SECONDS="0.3")
    assert code == 0, said
    assert said.index("started      blue") > said.index("passed       green")
    assert said.index("started      blue") > said.index("passed       red")


def groups(toy: SampleRepo) -> Iterator[list[str]]:
    """Yield the sessions that were at work at the same time."""
    sessions = toy.report()["sessions"]
    assert isinstance(sessions, list)
    together, end = list[str](), 0.0
    for each in sorted(sessions, key=lambda each: each["begin"]):
        if each["begin"] > end and together:
            yield sorted(together)
            together = []
        together.append(each["session"])
        end = max(end, each["begin"] + each["seconds"])
    yield sorted(together)


def started(toy: SampleRepo, *sessions: str) -> None:
    """Wait until sessions are at work; until any is, if none is named."""
    until(lambda: toy.trace.exists() and {*sessions} <= {*toy.trace.read_text().split()})


@pytest.fixture
def interrupt(ci: InProcessCI) -> Iterator[threading.Thread]:
    """Press Ctrl-C as soon as two sessions are at work."""

    def press() -> None:
        until(lambda: ci.toy.trace.exists() and ci.toy.trace.read_text().count("\n") == 2)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=press)
    yield thread
    thread.join()


@pytest.mark.parametrize("stubborn", ["", "1"])
def test_an_interruption_ends_what_runs_and_says_how_far_it_got(
    ci: InProcessCI, interrupt: threading.Thread, monkeypatch: pytest.MonkeyPatch, stubborn: str
) -> None:
    monkeypatch.setattr(scheduler, "TERMINATE_TIMEOUT", 0.5)
    monkeypatch.setenv("TOY_SECONDS", "60")
    monkeypatch.setenv("TOY_STUBBORN", stubborn)
    interrupt.start()
    said = ci(jobs="2")
    assert ci.code == 130
    assert "ci: interrupted: ending what runs\n" in said
    assert "2 interrupted, 1 not started: " in said
    assert living(ci.toy) == []


def living(toy: SampleRepo) -> list[str]:
    """The processes that work in a repository."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if process.joinpath("cwd").readlink() == toy.root and int(process.name) != os.getpid():
                found.append(process.name)
        except OSError:
            continue
    return found


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_whole_program_in_order(repo: SampleRepo, number: signal.Signals) -> None:
    process = repo.start(TOY_SECONDS="60")
    started(repo)
    process.send_signal(number)
    said, _ = process.communicate(timeout=SOON)
    assert process.returncode == 130, said
    assert living(repo) == []


def test_what_was_interrupted_is_not_remembered(
    ci: InProcessCI, interrupt: threading.Thread, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOY_SECONDS", "60")
    interrupt.start()
    said = ci(jobs="2")
    assert ci.code == 130, said
    monkeypatch.setenv("TOY_SECONDS", "0")
    assert ci.ran() == ALL


def test_an_input_that_changes_while_it_runs_is_not_remembered(repo: SampleRepo) -> None:
    """Nor if it is put back before the end: the result may be that of the other content."""
    wait = repo.folder / "wait"
    wait.touch()
    process = repo.start("--jobs=3", TOY_WAIT=str(wait))
    started(repo, "red")
    file = repo.root / "red/one.txt"
    before = file.read_text()
    file.write_text("BROKEN")
    file.write_text(before)
    wait.unlink()
    said, _ = process.communicate(timeout=SOON)
    assert "not remembered: red/one.txt changed while it ran" in said
    repo.executed_sessions()
    assert repo.ci()[0] == 0
    assert repo.executed_sessions() == ["red"]


def test_with_fail_fast_nothing_starts_after_a_failure(ci: InProcessCI) -> None:
    ci.toy.write("red/one.txt", "BROKEN")
    said = ci(jobs="1", fail_fast=True)
    assert ci.toy.executed_sessions() == ["red"]
    assert "ci: 0 green, 1 failed, 2 not started: " in said
    assert ci.code == 1


@pytest.mark.parametrize("jobs", ["0", "-1", "two"])
def test_jobs_is_a_number(ci: InProcessCI, jobs: str) -> None:
    assert f"--jobs is no number: `{jobs}`" in ci(jobs=jobs)
    assert ci.code == 2
