"""A passing result is reused only if none of its inputs changed."""

import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest

from pipeline.ci.execution import session_process
from pipeline.process import Process, start_group
from tests.support.sample_repo import SampleRepo
from tests.unit.ci.conftest import InProcessCI, RunInRepo

ALL = ["blue", "green", "red"]


def test_hit_prints_age_and_saved_time(
    ci_after_green_run: InProcessCI,
) -> None:
    output = ci_after_green_run()
    assert "cached       red  " in output
    assert " old, saved " in output
    assert "ci: 3 green (3 from the cache): " in output


def rename(toy: SampleRepo) -> None:
    (toy.root / "red/one.txt").rename(toy.root / "red/three.txt")


def same_name_elsewhere(toy: SampleRepo) -> None:
    (toy.root / "red/deep").mkdir()
    (toy.root / "red/one.txt").rename(toy.root / "red/deep/one.txt")


def program(toy: SampleRepo) -> None:
    toy.write("probe", "#!/bin/sh\n").chmod(0o755)


def edit_with_old_times(toy: SampleRepo) -> None:
    """Same length and old modification time, as after restoring a backup."""
    file = toy.root / "red/one.txt"
    status = file.stat()
    file.write_text(file.read_text().replace("fine", "fins"))
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))


def assume_unchanged(toy: SampleRepo) -> None:
    toy.git("update-index", "--assume-unchanged", "red/one.txt")
    toy.write("red/one.txt", "other")


def ignored_by_the_clone(toy: SampleRepo) -> None:
    toy.write(".git/info/exclude", "lib/\n")
    toy.write("red/lib/new.txt", "new")


def ignored_by_the_user(toy: SampleRepo) -> None:
    (toy.home / ".config/git").mkdir(parents=True)
    (toy.home / ".config/git/ignore").write_text("lib/\n")
    toy.write("red/lib/new.txt", "new")


def line_ends(toy: SampleRepo) -> None:
    """git reports no change: it would normalise the line ends when it stores the file."""
    toy.write(".gitattributes", "* text=auto eol=lf\n")
    toy.commit()
    assert not toy.git("status", "--porcelain")
    toy.root.joinpath("red/one.txt").write_bytes(b"red is fine\r\n")


CHANGES: dict[str, tuple[Callable[[SampleRepo], object], str]] = {
    "edit": (lambda toy: toy.write("red/one.txt", "other"), "red/one.txt: changed"),
    "edit with the old times": (edit_with_old_times, "red/one.txt: changed"),
    "edit of a file marked assume-unchanged": (assume_unchanged, "red/one.txt: changed"),
    "line ends": (line_ends, "red/one.txt: changed"),
    "new file": (lambda toy: toy.write("red/new.txt", "new"), "red/new.txt: added"),
    "empty file": (lambda toy: toy.write("red/new.txt", ""), "red/new.txt: added"),
    "deletion": (lambda toy: (toy.root / "red/one.txt").unlink(), "red/one.txt: removed"),
    "new name": (rename, "red/three.txt: added"),
    "other folder": (same_name_elsewhere, "red/deep/one.txt: added"),
    "mode": (lambda toy: (toy.root / "red/one.txt").chmod(0o755), "red/one.txt: changed"),
    "symlink": (lambda toy: (toy.root / "red/link").symlink_to("one.txt"), "red/link: added"),
    "ignored, but declared": (lambda toy: toy.write(".env", "A=1"), ".env: added"),
    "ignored in .git/info/exclude only": (ignored_by_the_clone, "red/lib/new.txt: added"),
    "ignored in the user's git config only": (ignored_by_the_user, "red/lib/new.txt: added"),
    "noxfile": (lambda toy: toy.write("noxfile.py", "x"), "noxfile.py: changed"),
    "the library": (
        lambda toy: toy.write("pipeline/process.py", "x"),
        "pipeline/process.py: changed",
    ),
    "file without an area": (lambda toy: toy.write("notes.txt", "x"), "notes.txt: added"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_changed_file_is_a_miss_and_named(
    ci_after_green_run: InProcessCI, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    mutate, named = CHANGES[change]
    monkeypatch.setattr("pipeline.ci.plan._definition_digest", lambda _: "the same list")
    ci_after_green_run(plan=True)
    mutate(ci_after_green_run.toy)
    assert named in ci_after_green_run(explain="red")


def test_variable_and_program_are_in_the_key(
    ci_after_green_run: InProcessCI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DECLARED", "1")
    assert "variable DECLARED: added" in ci_after_green_run(explain="red")
    monkeypatch.delenv("DECLARED")
    program(ci_after_green_run.toy)
    monkeypatch.setenv("PATH", f"{ci_after_green_run.toy.root}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.chdir(ci_after_green_run.toy.root)
    output = ci_after_green_run(explain="red")
    assert "tool probe: changed" in output
    assert "DECLARED" not in output


@pytest.mark.parametrize(
    ("field", "where"),
    [
        ("schema", "pipeline.ci.cache.fingerprint.CACHE_SCHEMA_VERSION"),
        ("nox's python", "pipeline.ci.cache.fingerprint.sys.version"),
    ],
)
def test_other_schema_or_python_is_a_miss(
    ci_after_green_run: InProcessCI, monkeypatch: pytest.MonkeyPatch, field: str, where: str
) -> None:
    monkeypatch.setattr(where, "another")
    assert f"{field}: changed" in ci_after_green_run(explain="red")


def test_other_user_is_a_miss(
    ci_after_green_run: InProcessCI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    assert "user: changed" in ci_after_green_run(explain="red")


PARTS = ("sysname", "release", "machine")


@pytest.mark.parametrize("part", PARTS)
def test_other_system_is_a_miss(
    ci_after_green_run: InProcessCI, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    system = {name: getattr(os.uname(), name) for name in PARTS} | {part: "another"}
    monkeypatch.setattr(os, "uname", lambda: SimpleNamespace(**system))
    assert "system: changed" in ci_after_green_run(explain="red")


def test_other_session_python_is_a_miss(ci: InProcessCI, monkeypatch: pytest.MonkeyPatch) -> None:
    noxfile = ci.toy.root / "noxfile.py"
    noxfile.write_text(noxfile.read_text().replace("tags=[name]", 'tags=[name], python="3.0"'))
    ci()
    program = ci.toy.folder / "bin" / "python3.0"
    program.parent.mkdir()
    program.touch(mode=0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    assert "tool python3.0: changed" in ci(explain="red")


def touch(toy: SampleRepo) -> None:
    for path in toy.root.glob("*/*.txt"):
        path.touch()


def branches(toy: SampleRepo) -> None:
    toy.git("switch", "--quiet", "--create=work")
    toy.write("red/one.txt", "other")
    toy.commit()
    toy.git("switch", "--quiet", "main")


@pytest.mark.parametrize(
    "change",
    [
        touch,
        branches,
        lambda toy: toy.commit(),
        lambda toy: toy.write("reports/x.txt", "ignored"),
        lambda toy: toy.git("gc", "--quiet"),
        lambda toy: toy.git("update-index", "--assume-unchanged", "red/one.txt"),
        lambda toy: shutil.rmtree(toy.root / ".cache"),
    ],
    ids=["touch", "branches", "commit", "ignored", "gc", "flags", "no stamps"],
)
def test_irrelevant_change_is_a_hit(
    ci_after_green_run: InProcessCI, change: Callable[[SampleRepo], object]
) -> None:
    change(ci_after_green_run.toy)
    assert ci_after_green_run.ran() == []


def test_other_clone_is_a_hit(
    ci_after_green_run: InProcessCI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ci_after_green_run.toy.git("clone", "--quiet", ".", str(tmp_path / "clone"))
    monkeypatch.chdir(tmp_path / "clone")
    assert ci_after_green_run.ran() == []


def test_undeclared_variable_is_not_passed(
    ci: InProcessCI, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other runners pass a variable that is not part of the key, so their hits can be wrong."""
    monkeypatch.setenv("UNDECLARED", "BROKEN")
    assert ci.ran() == ALL
    assert ci.code == 0
    monkeypatch.delenv("UNDECLARED")
    assert ci.ran() == []
    assert ci.ran(no_cache=True) == ALL
    assert ci.code == 0


@pytest.mark.parametrize("revert_before_end", [True, False])
def test_edit_reverted_during_run_is_not_cached(
    ci: InProcessCI, monkeypatch: pytest.MonkeyPatch, *, revert_before_end: bool
) -> None:
    """Other runners store the result of the edit under the key of the earlier content."""
    file = ci.toy.write("red/one.txt", "BROKEN")

    def fixed(command: Sequence[str], **options: object) -> Process:
        file.write_text("fixed before the session reads it")
        process = start_group(command, **options)  # type: ignore[arg-type]
        process.wait()
        if revert_before_end:
            file.write_text("BROKEN")
        return process

    with monkeypatch.context() as edited:
        edited.setattr(session_process, "start_group", fixed)
        assert "not cached: red/one.txt changed during the run" in ci()
    assert ci.code == 0
    file.write_text("BROKEN")
    ci.toy.executed_sessions()
    assert "red" in ci.ran()
    assert ci.code == 1


def test_declared_variable_is_passed(ci: InProcessCI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DECLARED", "BROKEN")
    ci()
    assert ci.code == 1


def test_failure_is_not_cached(ci: InProcessCI) -> None:
    ci.toy.write("red/one.txt", "BROKEN")
    assert ci.ran() == ALL
    assert ci.ran() == ["red"]
    assert ci.code == 1


def test_inconclusive_result_is_not_cached(ci: InProcessCI) -> None:
    ci.toy.write("red/one.txt", "inconclusive")
    assert "inconclusive red  " in ci()
    assert ci.code == 0
    assert ci.ran() == ["red"]


def test_pass_after_inconclusive_run_is_cached(
    ci: InProcessCI, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The inconclusive records of the earlier run are removed."""
    monkeypatch.setenv("DECLARED", "inconclusive")
    ci()
    monkeypatch.delenv("DECLARED")
    assert "3 green: " in ci()
    assert ci.ran() == []


def test_session_output_is_not_a_verdict(ci: InProcessCI) -> None:
    ci.toy.write("check.py", "print('inconclusive: toy: no service answers')\n")
    assert "3 green: " in ci()
    assert ci.code == 0


def test_plan_option_caches_nothing(ci: InProcessCI) -> None:
    assert ci.ran(plan=True) == []
    assert ci.ran() == ALL


def test_no_cache_option_runs_and_caches(ci_after_green_run: InProcessCI) -> None:
    assert ci_after_green_run.ran(no_cache=True) == ALL
    assert ci_after_green_run.ran() == []


def test_never_cached_job_always_runs(tmp_path: Path, run_in_repo: RunInRepo) -> None:
    here = run_in_repo(SampleRepo.make(tmp_path, never='red = "advisories"'))
    here()
    assert here.ran() == ["red"]
    assert "never cached: advisories" in here(explain="red")


def test_session_without_files_always_runs(ci: InProcessCI) -> None:
    shutil.rmtree(ci.toy.root / "red")
    ci()
    assert ci.ran() == ["red"]


def test_nested_repository_is_not_cached(ci: InProcessCI) -> None:
    ci.toy.git("init", "--quiet", "red/nested")
    ci.toy.write("red/nested/one.txt", "x")
    output = ci()
    assert "not cached: red/nested/ is not a readable file" in output
    assert ci.ran() == ["red"]


def test_flaky_session_is_not_cached(ci: InProcessCI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOY_BROKEN", "red")
    assert ci.ran() == ALL
    monkeypatch.delenv("TOY_BROKEN")
    assert "not cached: an earlier run with the same inputs failed" in ci()
    assert ci.ran() == ["red"]


def test_failed_rerun_removes_cached_pass(
    ci_after_green_run: InProcessCI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOY_BROKEN", "red")
    ci_after_green_run(no_cache=True)
    monkeypatch.delenv("TOY_BROKEN")
    assert ci_after_green_run.ran() == ["red"]


def test_unknown_session_is_refused(ci: InProcessCI) -> None:
    assert "no CI job runs the session `rde`\n\nhint: invoke ci --plan" in ci(explain="rde")
    assert ci.code == 2


def test_explain_without_cached_pass(ci: InProcessCI) -> None:
    assert "no cached pass" in ci(explain="red")


def test_explain_hit_lists_inputs(ci_after_green_run: InProcessCI) -> None:
    output = ci_after_green_run(explain="red")
    assert "passed 0 s ago" in output or "ago with these inputs:" in output
    assert "  area red: " in output


def test_explain_counts_many_changes(ci_after_green_run: InProcessCI) -> None:
    for number in range(15):
        ci_after_green_run.toy.write(f"red/{number}.txt", "x")
    assert "  and 5 more" in ci_after_green_run(explain="red")


def test_explain_without_stored_contents(ci_after_green_run: InProcessCI) -> None:
    shutil.rmtree(ci_after_green_run.toy.home / ".cache/toy/ci/areas")
    ci_after_green_run.toy.write("red/one.txt", "other")
    assert "the earlier content of its files is not in the cache" in ci_after_green_run(
        explain="red"
    )
