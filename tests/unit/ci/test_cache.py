"""A green result stands for the next run only if nothing changed that it hangs on."""

import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest

from pipeline.ci.execution import session_process
from pipeline.process import Process, start_group
from tests.support.sample_repo import Toy
from tests.unit.ci.conftest import Enter, Here

ALL = ["blue", "green", "red"]


def test_what_was_green_is_told_with_its_age_and_what_it_saved(green: Here) -> None:
    said = green()
    assert "cached      red  " in said
    assert " old, saved " in said
    assert "ci: 3 green (3 from the cache): " in said


def rename(toy: Toy) -> None:
    (toy.root / "red/one.txt").rename(toy.root / "red/three.txt")


def same_name_elsewhere(toy: Toy) -> None:
    (toy.root / "red/deep").mkdir()
    (toy.root / "red/one.txt").rename(toy.root / "red/deep/one.txt")


def program(toy: Toy) -> None:
    toy.write("probe", "#!/bin/sh\n").chmod(0o755)


def unseen_edit(toy: Toy) -> None:
    """Of the same length, with the times put back, as a restored backup has them."""
    file = toy.root / "red/one.txt"
    status = file.stat()
    file.write_text(file.read_text().replace("fine", "fins"))
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))


def overlooked(toy: Toy) -> None:
    toy.git("update-index", "--assume-unchanged", "red/one.txt")
    toy.write("red/one.txt", "other")


def ignored_by_the_clone(toy: Toy) -> None:
    toy.write(".git/info/exclude", "lib/\n")
    toy.write("red/lib/new.txt", "new")


def ignored_by_the_user(toy: Toy) -> None:
    (toy.home / ".config/git").mkdir(parents=True)
    (toy.home / ".config/git/ignore").write_text("lib/\n")
    toy.write("red/lib/new.txt", "new")


def line_ends(toy: Toy) -> None:
    """git takes the file for unchanged: it would store it with the line ends that it had."""
    toy.write(".gitattributes", "* text=auto eol=lf\n")
    toy.commit()
    assert not toy.git("status", "--porcelain")
    toy.root.joinpath("red/one.txt").write_bytes(b"red is fine\r\n")


CHANGES: dict[str, tuple[Callable[[Toy], object], str]] = {
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
    green: Here, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    mutate, named = CHANGES[change]
    monkeypatch.setattr("pipeline.ci.plan._definition_digest", lambda _: "the same list")
    green(plan=True)
    mutate(green.toy)
    assert named in green(explain="red")


def test_what_is_not_in_the_files_is_in_the_key_too(
    green: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DECLARED", "1")
    assert "variable DECLARED: added" in green(explain="red")
    monkeypatch.delenv("DECLARED")
    program(green.toy)
    monkeypatch.setenv("PATH", f"{green.toy.root}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.chdir(green.toy.root)
    said = green(explain="red")
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
    green: Here, monkeypatch: pytest.MonkeyPatch, field: str, where: str
) -> None:
    monkeypatch.setattr(where, "another")
    assert f"{field}: changed" in green(explain="red")


def test_another_user_is_a_miss(green: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    assert "user: changed" in green(explain="red")


PARTS = ("sysname", "release", "machine")


@pytest.mark.parametrize("part", PARTS)
def test_another_system_is_a_miss(green: Here, monkeypatch: pytest.MonkeyPatch, part: str) -> None:
    system = {name: getattr(os.uname(), name) for name in PARTS} | {part: "another"}
    monkeypatch.setattr(os, "uname", lambda: SimpleNamespace(**system))
    assert "system: changed" in green(explain="red")


def test_another_python_of_the_session_is_a_miss(
    here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    noxfile = here.toy.root / "noxfile.py"
    noxfile.write_text(noxfile.read_text().replace("tags=[name]", 'tags=[name], python="3.0"'))
    here()
    program = here.toy.folder / "bin" / "python3.0"
    program.parent.mkdir()
    program.touch(mode=0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    assert "tool python3.0: changed" in here(explain="red")


def touch(toy: Toy) -> None:
    for path in toy.root.glob("*/*.txt"):
        path.touch()


def branches(toy: Toy) -> None:
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
def test_what_changes_no_result_is_a_hit(green: Here, change: Callable[[Toy], object]) -> None:
    change(green.toy)
    assert green.ran() == []


def test_another_clone_is_a_hit(
    green: Here, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    green.toy.git("clone", "--quiet", ".", str(tmp_path / "clone"))
    monkeypatch.chdir(tmp_path / "clone")
    assert green.ran() == []


def test_an_undeclared_variable_does_not_reach_a_session(
    here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other runners leave it out of the key as well, and let it through: their hits are wrong."""
    monkeypatch.setenv("UNDECLARED", "BROKEN")
    assert here.ran() == ALL
    assert here.code == 0
    monkeypatch.delenv("UNDECLARED")
    assert here.ran() == []
    assert here.ran(no_cache=True) == ALL
    assert here.code == 0


@pytest.mark.parametrize("before_the_end", [True, False])
def test_what_is_edited_before_it_is_read_and_then_put_back_is_no_hit(
    here: Here, monkeypatch: pytest.MonkeyPatch, *, before_the_end: bool
) -> None:
    """Other runners keep the result of the edit under the key of what was there before."""
    file = here.toy.write("red/one.txt", "BROKEN")

    def mended(command: Sequence[str], **options: object) -> Process:
        file.write_text("mended, and read")
        process = start_group(command, **options)  # type: ignore[arg-type]
        process.wait()
        if before_the_end:
            file.write_text("BROKEN")
        return process

    with monkeypatch.context() as edited:
        edited.setattr(session_process, "start_group", mended)
        assert "not remembered: red/one.txt changed while it ran" in here()
    assert here.code == 0
    file.write_text("BROKEN")
    here.toy.ran()
    assert "red" in here.ran()
    assert here.code == 1


def test_a_declared_variable_does(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DECLARED", "BROKEN")
    here()
    assert here.code == 1


def test_a_failure_is_never_remembered(here: Here) -> None:
    here.toy.write("red/one.txt", "BROKEN")
    assert here.ran() == ALL
    assert here.ran() == ["red"]
    assert here.code == 1


def test_what_was_not_judged_is_not_remembered_but_said(here: Here) -> None:
    here.toy.write("red/one.txt", "not judged")
    assert "not judged  red  " in here()
    assert here.code == 0
    assert here.ran() == ["red"]


def test_what_is_judged_at_last_is_remembered(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    """The records of the run before do not count."""
    monkeypatch.setenv("DECLARED", "not judged")
    here()
    monkeypatch.delenv("DECLARED")
    assert "3 green: " in here()
    assert here.ran() == []


def test_what_a_session_prints_is_no_verdict(here: Here) -> None:
    here.toy.write("check.py", "print('not judged: toy: no service answers')\n")
    assert "3 green: " in here()
    assert here.code == 0


def test_showing_the_plan_remembers_nothing(here: Here) -> None:
    assert here.ran(plan=True) == []
    assert here.ran() == ALL


def test_fresh_runs_what_is_green_and_remembers_it(green: Here) -> None:
    assert green.ran(no_cache=True) == ALL
    assert green.ran() == []


def test_a_session_that_judges_the_world_outside_always_runs(tmp_path: Path, enter: Enter) -> None:
    here = enter(Toy.make(tmp_path, never='red = "advisories"'))
    here()
    assert here.ran() == ["red"]
    assert "it always runs: advisories" in here(explain="red")


def test_without_a_file_of_its_own_a_session_always_runs(here: Here) -> None:
    shutil.rmtree(here.toy.root / "red")
    here()
    assert here.ran() == ["red"]


def test_a_submodule_or_a_nested_repository_is_not_trusted(here: Here) -> None:
    here.toy.git("init", "--quiet", "red/nested")
    here.toy.write("red/nested/one.txt", "x")
    said = here()
    assert "not remembered: red/nested/ cannot be read as a file" in said
    assert here.ran() == ["red"]


def test_the_same_inputs_red_and_green_are_flaky_and_not_trusted(
    here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOY_BROKEN", "red")
    assert here.ran() == ALL
    monkeypatch.delenv("TOY_BROKEN")
    assert "not remembered: the same inputs were red before" in here()
    assert here.ran() == ["red"]


def test_a_red_fresh_run_takes_back_what_was_green(
    green: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOY_BROKEN", "red")
    green(no_cache=True)
    monkeypatch.delenv("TOY_BROKEN")
    assert green.ran() == ["red"]


def test_an_unknown_session_is_an_error_with_a_hint(here: Here) -> None:
    assert "no job runs such a session: `rde`\n\nhint: invoke ci --plan" in here(explain="rde")
    assert here.code == 2


def test_what_was_never_green_says_so(here: Here) -> None:
    assert "it was never green here" in here(explain="red")


def test_a_hit_says_on_what_it_hangs(green: Here) -> None:
    said = green(explain="red")
    assert "green 0 s ago" in said or "ago on all of this:" in said
    assert "  area red: " in said


def test_many_changes_are_counted(green: Here) -> None:
    for number in range(15):
        green.toy.write(f"red/{number}.txt", "x")
    assert "  and 5 more" in green(explain="red")


def test_what_an_area_held_may_be_forgotten(green: Here) -> None:
    shutil.rmtree(green.toy.home / ".cache/toy/ci/areas")
    green.toy.write("red/one.txt", "other")
    assert "what its files held before is no longer known" in green(explain="red")
