"""Git is started in one place, and works in the repository of its folder and in no other."""

import ast
import os
import shlex
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline import git, scratch_repository
from pipeline.checks.secret_scan import scan_worktree
from pipeline.checks.shipped_packages import package_names_at
from pipeline.errors import InputError
from pipeline.process import REPOSITORY_VARIABLES, capture
from pipeline.scratch_repository import ScratchRepository
from tests import settings
from tests.conftest import ROOT

UNUSUAL = ["größe.json", 'a "quoted" name', "line\nbreak", os.fsdecode(b"Sin-t\xedtulo.md")]
ALLOWED = {"pipeline/git.py": 1, "pipeline/doctor/programs.py": 2, "pipeline/settings.py": 1}
"""Code that searches git, reads its version, and lists it among the programs of the machine."""
HOOK = """\
#!/bin/sh
exec {python} -c "
from pathlib import Path
from tempfile import TemporaryDirectory
from pipeline import git
from pipeline.scratch_repository import ScratchRepository, copy_files
with TemporaryDirectory() as folder:
    copy_files(git.files(), Path(folder))
    ScratchRepository(Path(folder)).init('main')
    print(*git.files(cwd=Path(folder)), file=open({message!r}, 'w'))
"
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ScratchRepository:
    """A repository with a commit; it is the current folder."""
    root = tmp_path / "here"
    root.mkdir()
    (root / "one.txt").write_text("one\n")
    monkeypatch.chdir(root)
    made = ScratchRepository(root)
    made.init("main")
    return made


def starts(path: Path) -> int:
    """Count where `git` is the first word of a command, or of what a function is given."""
    nodes = [*ast.walk(ast.parse(path.read_text()))]
    words = [node.elts for node in nodes if isinstance(node, ast.List | ast.Tuple)]
    words += [node.args for node in nodes if isinstance(node, ast.Call)]
    return sum(isinstance(row[0], ast.Constant) and row[0].value == "git" for row in words if row)


def test_nothing_else_starts_git() -> None:
    programs = [ROOT / "noxfile.py", ROOT / "tasks.py"]
    programs += [*ROOT.glob("pipeline/**/*.py"), *ROOT.glob("benchmarks/**/*.py")]
    found = {str(path.relative_to(ROOT)): starts(path) for path in programs}
    assert {path: count for path, count in found.items() if count} == ALLOWED


def test_every_variable_that_git_gives_to_hooks_is_taken_away() -> None:
    listed = git.git_output("rev-parse", "--local-env-vars").split()
    assert {*listed} <= REPOSITORY_VARIABLES


@pytest.mark.parametrize("name", ["GIT_DIR", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY"])
def test_a_variable_that_names_another_repository_has_no_effect(
    name: str, here: ScratchRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, str(tmp_path / "missing"))
    monkeypatch.setenv("GIT_WORK_TREE", str(tmp_path))
    (here.folder / "two.txt").write_text("two\n")
    here.commit("Go on")
    assert git.files() == ["one.txt", "two.txt"]
    assert not (tmp_path / "missing").exists()


def test_a_hook_in_a_linked_worktree_makes_its_copy_elsewhere(
    here: ScratchRepository, tmp_path: Path
) -> None:
    message = tmp_path / "message"
    hook = here.folder / ".git" / "hooks" / "pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(HOOK.format(python=shlex.quote(sys.executable), message=str(message)))
    hook.chmod(stat.S_IRWXU)
    here.git("worktree", "add", "--quiet", "-b", "work", str(tmp_path / "linked"))
    linked = tmp_path / "linked"
    (linked / "two.txt").write_text("two\n")
    before = here.git("rev-parse", "main")
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    person = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"]
    ScratchRepository(linked).git("add", "two.txt")
    command = ["git", *person, "commit", "--quiet", "--message=Work"]
    subprocess.run(command, cwd=linked, env=env, check=True)
    assert message.read_text() == "one.txt two.txt\n"
    subjects = here.git("log", "--format=%s", "work").splitlines()
    assert subjects == ["Work", "Initial commit"]
    assert here.git("rev-parse", "main") == before
    assert here.git("config", "--local", "--get", "core.bare").strip() == "false"


def test_a_scratch_repository_is_not_looked_for_above_its_folder(here: ScratchRepository) -> None:
    inner = here.folder / "inner"
    inner.mkdir()
    with pytest.raises(InputError, match="not a git repository"):
        ScratchRepository(inner).commit("Lost")
    assert here.git("log", "--format=%s") == "Initial commit\n"


def test_settings_of_a_person_have_no_part_in_a_scratch_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ignored").write_text("*.txt\n")
    (tmp_path / "config").write_text(
        f"[core]\n\texcludesFile = {tmp_path}/ignored\n\thooksPath = {tmp_path}\n"
        "[commit]\n\tgpgSign = true\n[user]\n\tsigningKey = none\n"
    )
    hook = tmp_path / "prepare-commit-msg"
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(stat.S_IRWXU)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "config"))
    (tmp_path / "made").mkdir()
    (tmp_path / "made/kept.txt").write_text("kept\n")
    made = ScratchRepository(tmp_path / "made")
    made.init("trunk")
    assert made.git("ls-tree", "--name-only", "refs/heads/trunk") == "kept.txt\n"


def test_a_copy_holds_every_name_whatever_its_bytes_are(
    here: ScratchRepository, tmp_path: Path
) -> None:
    for name in UNUSUAL:
        (here.folder / name).write_text("unusual\n")
    (here.folder / "loop").symlink_to("loop")
    here.commit("Go on")
    scratch_repository.copy_files(git.files(), tmp_path / "copy")
    assert {path.name for path in (tmp_path / "copy").iterdir()} == {"loop", "one.txt", *UNUSUAL}
    (here.folder / "one.txt").unlink()
    scratch_repository.copy_files(git.files(), tmp_path / "less")
    assert {path.name for path in (tmp_path / "less").iterdir()} == {"loop", *UNUSUAL}


def test_a_submodule_is_copied_as_files_and_an_unknown_repository_is_not(
    here: ScratchRepository, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "theirs.txt").write_text("theirs\n")
    ScratchRepository(other).init("main")
    allowed = ("-c", "protocol.file.allow=always")
    here.git(*allowed, "submodule", "--quiet", "add", str(other), "vendor")
    here.commit("Take it over")
    here.git("clone", "--quiet", str(other), "unknown")
    scratch_repository.copy_files(git.files(), tmp_path / "copy")
    ScratchRepository(tmp_path / "copy").init("main")
    copied = {".gitmodules", "one.txt", "vendor/theirs.txt"}
    assert {*git.files(cwd=tmp_path / "copy")} == copied


def test_a_file_that_is_ignored_and_tracked_is_in_a_scratch_repository(
    here: ScratchRepository, tmp_path: Path
) -> None:
    (here.folder / ".gitignore").write_text("*.log\n")
    (here.folder / "kept.log").write_text("kept\n")
    here.git("add", "--force", "kept.log")
    here.commit("Keep it")
    scratch_repository.copy_files(git.files(), tmp_path / "copy")
    ScratchRepository(tmp_path / "copy").init("main")
    assert "kept.log" in ScratchRepository(tmp_path / "copy").git("ls-files")


@pytest.mark.parametrize("flag", ["--assume-unchanged", "--skip-worktree"])
def test_a_change_that_git_is_told_to_overlook_is_not_clean(
    here: ScratchRepository, flag: str
) -> None:
    here.git("update-index", flag, "one.txt")
    assert git.head().clean
    (here.folder / "one.txt").write_text("another\n")
    assert not git.head().clean


def test_an_untracked_file_is_not_clean_whatever_a_person_wants_to_see(
    here: ScratchRepository,
) -> None:
    here.git("config", "status.showUntrackedFiles", "no")
    assert git.head().clean
    (here.folder / "two.txt").write_text("two\n")
    assert not git.head().clean


@pytest.fixture(params=["the user", "the clone"])
def ignoring(
    request: pytest.FixtureRequest,
    here: ScratchRepository,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> ScratchRepository:
    """A repository in which `lib/` is ignored by the user or by the clone, and `log/` by all."""
    config, ignore = tmp_path / "config", tmp_path / "ignore"
    config.write_text(f"[core]\n\texcludesFile = {ignore}\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    (here.folder / ".gitignore").write_text("log/\n")
    here.commit("Ignore")
    for name in ("lib", "log"):
        (here.folder / name).mkdir()
        (here.folder / name / "new.py").write_text("new\n")
    (here.folder / ".git/info").mkdir(exist_ok=True)
    written = ignore if request.param == "the user" else here.folder / ".git/info/exclude"
    written.write_text("lib/\n")
    return here


def test_what_only_a_user_or_a_clone_ignores_is_here_all_the_same(
    ignoring: ScratchRepository,
) -> None:
    assert {*git.files()} == {".gitignore", "one.txt", "lib/new.py"}
    assert not git.head().clean
    (ignoring.folder / "lib/new.py").unlink()
    assert git.head().clean


def test_a_tag_of_the_branch_s_name_does_not_change_it(
    here: ScratchRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITHUB_REF_NAME", raising=False)
    here.git("tag", "main")
    assert git.current_ref() == "main"


def test_outside_of_a_checkout_nothing_counts_as_no_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("pipeline.toml").write_text(settings.text())  # it names the locks
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    for requested in (git.files, scan_worktree, lambda: package_names_at("HEAD")):
        with pytest.raises(InputError, match="git failed here: fatal: not a git repo"):
            requested()


@pytest.mark.usefixtures("here")
def test_a_file_that_a_commit_does_not_have_is_none_and_an_unknown_commit_is_an_error() -> None:
    assert git.read_file_at("HEAD", "one.txt") == "one\n"
    assert git.read_file_at("HEAD", "two.txt") is None
    with pytest.raises(InputError, match="git failed here"):
        git.read_file_at("0" * 40, "one.txt")


def test_git_can_be_run_as_the_pipeline_runs_it(here: ScratchRepository) -> None:
    (here.folder / "two.txt").write_text("two\n")
    command = [sys.executable, "-m", "pipeline.git", "diff", "--no-index", "one.txt", "two.txt"]
    output = capture(command, env={"PYTHONPATH": str(ROOT), "GIT_DIR": "missing"})
    assert output.returncode == 1
    assert "+two" in output.stdout
    assert output.stderr == "", "nox takes both streams for the answer"
