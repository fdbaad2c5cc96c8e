"""A run that is killed or interrupted at any moment never caches a failure as passed."""

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
def test_killed_run_caches_no_failure(repo: SampleRepo, lines: int) -> None:
    """The orphaned sessions end by themselves; the next run waits for their locks."""
    repo.write("red/one.txt", "BROKEN")
    process = repo.start(TOY_SECONDS="0.3")
    assert process.stdout
    for _ in range(lines):
        assert process.stdout.readline()
    process.kill()
    process.communicate()
    code, output = repo.ci()
    assert code == 1
    assert "failed       red" in output
    assert "failed       blue" not in output
    code, output = repo.ci()
    assert "ci: 2 green (2 from the cache), 1 failed" in output


def test_parallel_runs_share_results(repo: SampleRepo) -> None:
    both = [repo.start(TOY_SECONDS="1"), repo.start(TOY_SECONDS="1")]
    output = [process.communicate(timeout=120)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], output
    assert repo.executed_sessions() == ALL


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("exclusive = []", [["blue", "green", "red"]]),
        ('exclusive = ["red"]', [["blue", "green"], ["red"]]),
        ('exclusive = ["green", "red"]', [["blue"], ["green"], ["red"]]),
    ],
)
def test_exclusive_job_runs_alone(repo: SampleRepo, line: str, expected: list[list[str]]) -> None:
    settings = (repo.root / "pipeline.toml").read_text()
    repo.write("pipeline.toml", settings.replace("exclusive = []", line))
    code, output = repo.ci("--jobs=3", TOY_SECONDS="1")
    assert code == 0, output
    assert sorted(parallel_groups(repo)) == expected


@pytest.mark.parametrize("jobs", ["1", "3"])
def test_job_waits_for_its_needs(repo: SampleRepo, jobs: str) -> None:
    settings = (repo.root / "pipeline.toml").read_text()
    after = '[ci.needs]\nblue = ["green", "red"]'
    repo.write("pipeline.toml", settings.replace("[ci.needs]", after))
    code, output = repo.ci(f"--jobs={jobs}", TOY_SECONDS="0.3")
    assert code == 0, output
    assert output.index("started      blue") > output.index("passed       green")
    assert output.index("started      blue") > output.index("passed       red")


def parallel_groups(toy: SampleRepo) -> Iterator[list[str]]:
    """Yield the groups of sessions whose runs overlapped."""
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


def wait_for_start(toy: SampleRepo, *sessions: str) -> None:
    """Wait until the named sessions have started, or any session without a name."""
    until(lambda: toy.trace.exists() and {*sessions} <= {*toy.trace.read_text().split()})


@pytest.fixture
def interrupt(ci: InProcessCI) -> Iterator[threading.Thread]:
    """Send SIGINT as soon as two sessions have started."""

    def press() -> None:
        until(lambda: ci.toy.trace.exists() and ci.toy.trace.read_text().count("\n") == 2)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=press)
    yield thread
    thread.join()


@pytest.mark.parametrize("stubborn", ["", "1"])
def test_interrupt_stops_sessions_and_reports(
    ci: InProcessCI, interrupt: threading.Thread, monkeypatch: pytest.MonkeyPatch, stubborn: str
) -> None:
    monkeypatch.setattr(scheduler, "TERMINATE_TIMEOUT", 0.5)
    monkeypatch.setenv("TOY_SECONDS", "60")
    monkeypatch.setenv("TOY_STUBBORN", stubborn)
    interrupt.start()
    output = ci(jobs="2")
    assert ci.code == 130
    assert "ci: interrupted: stopping the running sessions\n" in output
    assert "2 interrupted, 1 not started: " in output
    assert process_ids(ci.toy) == []


def process_ids(toy: SampleRepo) -> list[str]:
    """Return the ids of the processes whose working directory is the repository."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if process.joinpath("cwd").readlink() == toy.root and int(process.name) != os.getpid():
                found.append(process.name)
        except OSError:
            continue
    return found


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signal_ends_program_in_order(repo: SampleRepo, number: signal.Signals) -> None:
    process = repo.start(TOY_SECONDS="60")
    wait_for_start(repo)
    process.send_signal(number)
    output, _ = process.communicate(timeout=SOON)
    assert process.returncode == 130, output
    assert process_ids(repo) == []


def test_interrupted_session_is_not_cached(
    ci: InProcessCI, interrupt: threading.Thread, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOY_SECONDS", "60")
    interrupt.start()
    output = ci(jobs="2")
    assert ci.code == 130, output
    monkeypatch.setenv("TOY_SECONDS", "0")
    assert ci.ran() == ALL


def test_input_changed_during_run_is_not_cached(repo: SampleRepo) -> None:
    """Also if the input is restored before the end: the session may have read the other content."""
    wait = repo.folder / "wait"
    wait.touch()
    process = repo.start("--jobs=3", TOY_WAIT=str(wait))
    wait_for_start(repo, "red")
    file = repo.root / "red/one.txt"
    before = file.read_text()
    file.write_text("BROKEN")
    file.write_text(before)
    wait.unlink()
    output, _ = process.communicate(timeout=SOON)
    assert "not cached: red/one.txt changed during the run" in output
    repo.executed_sessions()
    assert repo.ci()[0] == 0
    assert repo.executed_sessions() == ["red"]


def test_fail_fast_starts_no_more_sessions(ci: InProcessCI) -> None:
    ci.toy.write("red/one.txt", "BROKEN")
    output = ci(jobs="1", fail_fast=True)
    assert ci.toy.executed_sessions() == ["red"]
    assert "ci: 0 green, 1 failed, 2 not started: " in output
    assert ci.code == 1


@pytest.mark.parametrize("jobs", ["0", "-1", "two"])
def test_jobs_must_be_a_positive_number(ci: InProcessCI, jobs: str) -> None:
    assert f"--jobs is not a positive number: `{jobs}`" in ci(jobs=jobs)
    assert ci.code == 2
