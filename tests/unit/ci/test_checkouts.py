"""The commands of a developer in worktrees and clones of this repository."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import trustme

from pipeline import git, scratch_repository
from pipeline.scratch_repository import ScratchRepository
from tests.conftest import ROOT, Result
from tests.support.sample_repo import BIN

CHANGED = "backend/manage.py"
INVALID_UTF_8 = os.fsdecode(b"Sin-t\xedtulo.md")
SELECTED = re.compile(r"ci: (\d+ of \d+) sessions would run")
SECRETS = (sys.executable, "-m", "pipeline.checks.secret_scan")


class Checkout:
    """A clone in which a developer works."""

    def __init__(self, root: Path, home: Path) -> None:
        self.root, self.home = root, home

    def run(self, *command: str | Path, **variables: str) -> Result:
        """Run a command in the clone with a minimal environment, as in a new terminal."""
        path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
        env = {"HOME": str(self.home), "LANG": "C.UTF-8", "PATH": path}
        env |= {name: os.environ[name] for name in os.environ if name.endswith("_CERT_FILE")}
        return subprocess.run(
            command, cwd=self.root, env=env | variables, check=False, capture_output=True, text=True
        )

    def git(self, *arguments: str) -> str:
        """Run git in the clone with the identity of the developer."""
        done = self.run("git", *arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def commit(self, name: str, text: str | None) -> None:
        """Commit one file, or its removal if `text` is None."""
        path = self.root / name
        path.write_text(text) if text is not None else path.unlink()
        self.git("add", "--force", name)
        self.git("commit", "--quiet", "--message=Work")

    def selected(self, **variables: str) -> str:
        """Return how many sessions `invoke ci` would run."""
        output = self.run("invoke", "ci", "--plan", **variables)
        found = SELECTED.search(output.stdout + output.stderr)
        assert found, output.stderr
        return found[1]


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with this checkout as the only commit of main."""
    folder = tmp_path_factory.mktemp("published")
    scratch_repository.copy_files(git.files(cwd=ROOT), folder, ROOT)
    ScratchRepository(folder).init("main")
    return folder


@pytest.fixture
def developer(published: Path, tmp_path: Path) -> Checkout:
    """A clone of the published repository, with an identity for commits."""
    home = tmp_path / "home"
    home.mkdir()
    (home / ".gitconfig").write_text(
        "[user]\nname = Ada\nemail = ada@example.com\n[safe]\ndirectory = *\n"
    )
    remote = Checkout(tmp_path, home)
    remote.git("clone", "--quiet", "--bare", str(published), "remote.git")
    remote.git("clone", "--quiet", "remote.git", "checkout")
    return Checkout(tmp_path / "checkout", home)


def clone(developer: Checkout, *options: str) -> Checkout:
    """Clone the remote repository a second time."""
    root = developer.root.with_name("clone")
    developer.git(
        "clone", "--quiet", *options, str(developer.root.with_name("remote.git")), str(root)
    )
    return Checkout(root, developer.home)


def test_hook_in_worktree_keeps_repository(developer: Checkout) -> None:
    linked = Checkout(developer.root.with_name("linked"), developer.home)
    developer.git("worktree", "add", "--quiet", "-b", "feature", str(linked.root))
    hook = developer.root / ".git" / "hooks" / "pre-push"
    hook.write_text("#!/bin/sh\nexec invoke ci --isolated parity </dev/null\n")
    hook.chmod(0o755)
    linked.commit("docs/note.md", "# Note\n")
    before = linked.git("rev-parse", "HEAD")
    pushed = linked.run("git", "push", "--quiet", "origin", "feature")
    assert "verified: parity passes" in pushed.stdout + pushed.stderr
    assert pushed.returncode == 0
    assert linked.git("rev-parse", "HEAD", "origin/feature").split() == [before, before]
    assert developer.git("config", "--get", "core.bare") == "false"
    assert developer.git("status", "--porcelain") == ""


def test_single_branch_clone_is_inconclusive(developer: Checkout) -> None:
    developer.git("switch", "--quiet", "--create", "feature")
    developer.commit("backend/k.pem", trustme.CA().private_key_pem.bytes().decode())
    developer.commit("backend/k.pem", None)
    developer.commit("docs/note.md", "# Note\n")
    developer.git("push", "--quiet", "origin", "feature")
    single = clone(developer, "--single-branch", "--branch=feature")

    output = single.run(*SECRETS, PIPELINE_STRICT="1").stderr
    assert "inconclusive: secrets: main is missing here" in output
    command = re.search("hint: (git fetch .+)", output)
    assert command, output
    single.git(*command[1].split()[1:])
    for checkout in (single, developer):
        result = checkout.run(*SECRETS)
        assert result.returncode == 1
        assert "backend/k.pem" in result.stderr


@pytest.mark.parametrize("name", ["HEAD", "refs/remotes/origin/main"])
def test_detached_head_selects_as_its_branch(developer: Checkout, name: str) -> None:
    everything = developer.selected()
    developer.git("checkout", "--quiet", "--detach", name)
    assert developer.selected() == everything
    developer.git("switch", "--quiet", "--create", "feature")
    assert developer.selected().startswith("0 ")
    developer.commit(CHANGED, "print()\n")
    some = developer.selected()
    assert some != everything
    assert not some.startswith("0 ")
    developer.git("checkout", "--quiet", "--detach")
    assert developer.selected() == some


@pytest.mark.parametrize("command", [("branch",), ("tag",)])
def test_ref_named_like_remote_hides_nothing(developer: Checkout, command: tuple[str]) -> None:
    developer.git("switch", "--quiet", "--create", "feature")
    developer.commit(CHANGED, "print()\n")
    some = developer.selected()
    developer.git(*command, "origin/main")
    assert developer.selected() == some


def test_renamed_main_branch_runs_everything(developer: Checkout) -> None:
    main = {"GITHUB_EVENT_NAME": "push", "GITHUB_REF": "refs/heads/main"}
    everything = developer.selected(**main)
    developer.git("branch", "--move", "main", "master")
    settings = (developer.root / "pipeline.toml").read_text()
    developer.commit(
        "pipeline.toml", settings.replace("[ci]\n", '[ci]\nmain_branch = "master"\n', 1)
    )
    developer.git("push", "--quiet", "origin", "master")
    assert developer.selected(**main | {"GITHUB_REF": "refs/heads/master"}) == everything
    assert developer.selected(**main) != everything
    developer.git("switch", "--quiet", "--create", "feature")
    assert developer.selected().startswith("0 ")


def test_invalid_utf_8_name_and_submodule(developer: Checkout) -> None:
    library = developer.root.with_name("library")
    library.mkdir()
    (library / "README.md").write_text("# Library\n")
    ScratchRepository(library).init("main")
    local = ("-c", "protocol.file.allow=always")
    developer.git(*local, "submodule", "--quiet", "add", str(library), "docs/vendor")
    developer.commit(INVALID_UTF_8, "# Untitled\n")
    assert developer.selected()
    verified = developer.run("invoke", "ci", "--isolated", "parity")
    assert "verified: parity passes" in verified.stdout + verified.stderr
