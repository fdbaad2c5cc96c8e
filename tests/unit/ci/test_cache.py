"""A green result stands for the next run only if nothing changed that it hangs on."""

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


def test_what_was_green_is_told_with_its_age_and_what_it_saved(
    ci_after_green_run: InProcessCI,
) -> None:
    said = ci_after_green_run()
    assert "cached       red  " in said
    assert " old, saved " in said
    assert "ci: 3 green (3 from the cache): " in said


def rename(toy: SampleRepo) -> None:
    (toy.root / "red/one.txt").rename(toy.root / "red/three.txt")


def same_name_elsewhere(toy: SampleRepo) -> None:
    (toy.root / "red/deep").mkdir()
    (toy.root / "red/one.txt").rename(toy.root / "red/deep/one.txt")


def program(toy: SampleRepo) -> None:
    toy.write("probe", "#!/bin/sh\n").chmod(0o755)


def unseen_edit(toy: SampleRepo) -> None:
    """Of the same length, with the times put back, as a restored backup has them."""
    file = toy.root / "red/one.txt"
    status = file.stat()
    file.write_text(file.read_text().replace("fine", "fins"))
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))


def overlooked(toy: SampleRepo) -> None:
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
    """git takes the file for unchanged: it would store it with the line ends that it had."""
    toy.write(".gitattributes", "* text=auto eol=lf\n")
    toy.commit()
    assert not toy.git("status", "--porcelain")
    toy.root.joinpath("red/one.txt").write_bytes(b"red is fine\r\n")


CHANGES: dict[str, tuple[Callable[[SampleRepo], object], str]] = {
    "edit": (lambda toy: toy.write("red/one.txt", "other"), "red/one.txt: changed"),
    "edit with the old times": (unseen_edit, "red/one.txt: changed"),
    "edit that git is told to overlook": (overlooked, "red/one.txt: changed"),
    "line ends": (line_ends, "red/one.txt: changed"),
    "new file": (lambda toy: toy.write("red/new.txt", "new"), "red/new.txt: added"),
    "empty file": (lambda toy: toy.write("red/new.txt", ""), "red/new.txt: added"),
    "deletion": (lambda toy: (toy.root / "red/one.txt").unlink(), "red/one.txt: gone"),
    "new name": (rename, "red/three.txt: added"),
    "other folder": (same_name_elsewhere, "red/deep/one.txt: added"),
    "mode": (lambda toy: (toy.root / "red/one.txt").chmod(0o755), "red/one.txt: changed"),
    "symlink": (lambda toy: (toy.root / "red/link").symlink_to("one.txt"), "red/link: added"),
    "ignored, but declared": (lambda toy: toy.write(".env", "A=1"), ".env: added"),
    "ignored by the clone alone": (ignored_by_the_clone, "red/lib/new.txt: added"),
    "ignored by the user alone": (ignored_by_the_user, "red/lib/new.txt: added"),
    "noxfile": (lambda toy: toy.write("noxfile.py", "x"), "noxfile.py: changed"),
    "the library": (
        lambda toy: toy.write("pipeline/process.py", "x"),
        "pipeline/process.py: changed",
    ),
    "in no area": (lambda toy: toy.write("notes.txt", "x"), "notes.txt: added"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_of_its_files_is_a_miss_that_is_named(
    ci_after_green_run: InProcessCI, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    mutate, named = CHANGES[change]
    monkeypatch.setattr("pipeline.ci.plan._definition_digest", lambda _: "the same list")
    ci_after_green_run(plan=True)
    mutate(ci_after_green_run.toy)
    assert named in ci_after_green_run(explain="red")


def test_what_is_not_in_the_files_is_in_the_key_too(
    ci_after_green_run: InProcessCI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DECLARED", "1")
    assert "variable DECLARED: added" in ci_after_green_run(explain="red")
    monkeypatch.delenv("DECLARED")
    program(ci_after_green_run.toy)
    monkeypatch.setenv("PATH", f"{ci_after_green_run.toy.root}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.chdir(ci_after_green_run.toy.root)
    said = ci_after_green_run(explain="red")
    assert "tool probe: changed" in said
    assert "DECLARED" not in said


@pytest.mark.parametrize(
    ("field", "where"),
    [
        ("schema", "pipeline.ci.cache.fingerprint.CACHE_SCHEMA_VERSION"),
        ("nox's python", "pipeline.ci.cache.fingerprint.sys.version"),
    ],
)
def test_another_schema_or_python_is_a_miss(
    ci_after_green_run: InProcessCI, monkeypatch: pytest.MonkeyPatch, field: str, where: str
) -> None:
    monkeypatch.setattr(where, "another")
    assert f"{field}: changed" in ci_after_green_run(explain="red")


def test_another_user_is_a_miss(
    ci_after_green_run: InProcessCI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    assert "user: changed" in ci_after_green_run(explain="red")


PARTS = ("sysname", "release", "machine")


@pytest.mark.parametrize("part", PARTS)
def test_another_system_is_a_miss(
    ci_after_green_run: InProcessCI, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    system = {name: getattr(os.uname(), name) for name in PARTS} | {part: "another"}
    monkeypatch.setattr(os, "uname", lambda: SimpleNamespace(**system))
    assert "system: changed" in ci_after_green_run(explain="red")


def test_another_python_of_the_session_is_a_miss(
    ci: InProcessCI, monkeypatch: pytest.MonkeyPatch
) -> None:
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
def test_what_changes_no_result_is_a_hit(
    ci_after_green_run: InProcessCI, change: Callable[[SampleRepo], object]
) -> None:
    change(ci_after_green_run.toy)
    assert ci_after_green_run.ran() == []


def test_another_clone_is_a_hit(
    ci_after_green_run: InProcessCI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ci_after_green_run.toy.git("clone", "--quiet", ".", str(tmp_path / "clone"))
    monkeypatch.chdir(tmp_path / "clone")
    assert ci_after_green_run.ran() == []


def test_an_undeclared_variable_does_not_reach_a_session(
    ci: InProcessCI, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other runners leave it out of the key as well, and let it through: their hits are wrong."""
    monkeypatch.setenv("UNDECLARED", "BROKEN")
    assert ci.ran() == ALL
    assert ci.code == 0
    monkeypatch.delenv("UNDECLARED")
    assert ci.ran() == []
    assert ci.ran(no_cache=True) == ALL
    assert ci.code == 0


@pytest.mark.parametrize("before_the_end", [True, False])
def test_what_is_edited_before_it_is_read_and_then_put_back_is_no_hit(
    ci: InProcessCI, monkeypatch: pytest.MonkeyPatch, *, before_the_end: bool
) -> None:
    """Other runners keep the result of the edit under the key of what was there before."""
    file = ci.toy.write("red/one.txt", "BROKEN")

    def mended(command: Sequence[str], **options: object) -> Process:
        file.write_text("mended, and read")
        process = start_group(command, **options)  # type: ignore[arg-type]
        process.wait()
        if before_the_end:
            file.write_text("BROKEN")
        return process

    with monkeypatch.context() as edited:
        edited.setattr(session_process, "start_group", mended)
        assert "not remembered: red/one.txt changed while it ran" in ci()
    assert ci.code == 0
    file.write_text("BROKEN")
    ci.toy.executed_sessions()
    assert "red" in ci.ran()
    assert ci.code == 1


def test_a_declared_variable_does(ci: InProcessCI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DECLARED", "BROKEN")
    ci()
    assert ci.code == 1


def test_a_failure_is_never_remembered(ci: InProcessCI) -> None:
    ci.toy.write("red/one.txt", "BROKEN")
    assert ci.ran() == ALL
    assert ci.ran() == ["red"]
    assert ci.code == 1


def test_what_was_not_judged_is_not_remembered_but_said(ci: InProcessCI) -> None:
    ci.toy.write("red/one.txt", "inconclusive")
    assert "inconclusive red  " in ci()
    assert ci.code == 0
    assert ci.ran() == ["red"]


def test_what_is_judged_at_last_is_remembered(
    ci: InProcessCI, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The records of the run before do not count."""
    monkeypatch.setenv("DECLARED", "inconclusive")
    ci()
    monkeypatch.delenv("DECLARED")
    assert "3 green: " in ci()
    assert ci.ran() == []


def test_what_a_session_prints_is_no_verdict(ci: InProcessCI) -> None:
    ci.toy.write("check.py", "print('inconclusive: toy: no service answers')\n")
    assert "3 green: " in ci()
    assert ci.code == 0


def test_showing_the_plan_remembers_nothing(ci: InProcessCI) -> None:
    assert ci.ran(plan=True) == []
    assert ci.ran() == ALL


def test_fresh_runs_what_is_green_and_remembers_it(ci_after_green_run: InProcessCI) -> None:
    assert ci_after_green_run.ran(no_cache=True) == ALL
    assert ci_after_green_run.ran() == []


def test_a_session_that_judges_the_world_outside_always_runs(
    tmp_path: Path, run_in_repo: RunInRepo
) -> None:
    here = run_in_repo(SampleRepo.make(tmp_path, never='red = "advisories"'))
    here()
    assert here.ran() == ["red"]
    assert "it always runs: advisories" in here(explain="red")


def test_without_a_file_of_its_own_a_session_always_runs(ci: InProcessCI) -> None:
    shutil.rmtree(ci.toy.root / "red")
    ci()
    assert ci.ran() == ["red"]


def test_a_submodule_or_a_nested_repository_is_not_trusted(ci: InProcessCI) -> None:
    ci.toy.git("init", "--quiet", "red/nested")
    ci.toy.write("red/nested/one.txt", "x")
    said = ci()
    assert "not remembered: red/nested/ cannot be read as a file" in said
    assert ci.ran() == ["red"]


def test_the_same_inputs_red_and_green_are_flaky_and_not_trusted(
    ci: InProcessCI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOY_BROKEN", "red")
    assert ci.ran() == ALL
    monkeypatch.delenv("TOY_BROKEN")
    assert "not remembered: the same inputs were red before" in ci()
    assert ci.ran() == ["red"]


def test_a_red_fresh_run_takes_back_what_was_green(
    ci_after_green_run: InProcessCI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOY_BROKEN", "red")
    ci_after_green_run(no_cache=True)
    monkeypatch.delenv("TOY_BROKEN")
    assert ci_after_green_run.ran() == ["red"]


def test_an_unknown_session_is_an_error_with_a_hint(ci: InProcessCI) -> None:
    assert "no job runs such a session: `rde`\n\nhint: invoke ci --plan" in ci(explain="rde")
    assert ci.code == 2


def test_what_was_never_green_says_so(ci: InProcessCI) -> None:
    assert "it was never green here" in ci(explain="red")


def test_a_hit_says_on_what_it_hangs(ci_after_green_run: InProcessCI) -> None:
    said = ci_after_green_run(explain="red")
    assert "green 0 s ago" in said or "ago on all of this:" in said
    assert "  area red: " in said


def test_many_changes_are_counted(ci_after_green_run: InProcessCI) -> None:
    for number in range(15):
        ci_after_green_run.toy.write(f"red/{number}.txt", "x")
    assert "  and 5 more" in ci_after_green_run(explain="red")


def test_what_an_area_held_may_be_forgotten(ci_after_green_run: InProcessCI) -> None:
    shutil.rmtree(ci_after_green_run.toy.home / ".cache/toy/ci/areas")
    ci_after_green_run.toy.write("red/one.txt", "other")
    assert "what its files held before is no longer known" in ci_after_green_run(explain="red")
