"""Checkouts as people have them, of this very repository, with the commands as they are typed."""

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
ODD = os.fsdecode(b"Sin-t\xedtulo.md")
SELECTED = re.compile(r"ci: (\d+ of \d+) sessions would run")
SECRETS = (sys.executable, "-m", "pipeline.checks.secret_scan")


class Checkout:
    """A clone that a person works in."""

    def __init__(self, root: Path, home: Path) -> None:
        self.root, self.home = root, home

    def run(self, *command: str | Path, **variables: str) -> Result:
        """Run a command there, as a terminal of its own would."""
        path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
        env = {"HOME": str(self.home), "LANG": "C.UTF-8", "PATH": path}
        env |= {name: os.environ[name] for name in os.environ if name.endswith("_CERT_FILE")}
        return subprocess.run(
            command, cwd=self.root, env=env | variables, check=False, capture_output=True, text=True
        )

    def git(self, *arguments: str) -> str:
        """Run git there, as the person who works there."""
        done = self.run("git", *arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def commit(self, name: str, text: str | None) -> None:
        """Commit one file, or that it is gone."""
        path = self.root / name
        path.write_text(text) if text is not None else path.unlink()
        self.git("add", "--force", name)
        self.git("commit", "--quiet", "--message=Work")

    def selected(self, **variables: str) -> str:
        """Return how many sessions `invoke ci` would run."""
        said = self.run("invoke", "ci", "--plan", **variables)
        found = SELECTED.search(said.stdout + said.stderr)
        assert found, said.stderr
        return found[1]


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the team has pushed: this checkout, as the only commit of main."""
    folder = tmp_path_factory.mktemp("published")
    scratch_repository.copy_files(git.files(cwd=ROOT), folder, ROOT)
    ScratchRepository(folder).init("main")
    return folder


@pytest.fixture
def person(published: Path, tmp_path: Path) -> Checkout:
    """A clone of it, with an identity to commit with."""
    home = tmp_path / "home"
    home.mkdir()
    (home / ".gitconfig").write_text(
        "[user]\nname = Ada\nemail = ada@example.com\n[safe]\ndirectory = *\n"
    )
    remote = Checkout(tmp_path, home)
    remote.git("clone", "--quiet", "--bare", str(published), "remote.git")
    remote.git("clone", "--quiet", "remote.git", "checkout")
    return Checkout(tmp_path / "checkout", home)


def clone(person: Checkout, *options: str) -> Checkout:
    """Clone what was pushed once more."""
    root = person.root.with_name("clone")
    person.git("clone", "--quiet", *options, str(person.root.with_name("remote.git")), str(root))
    return Checkout(root, person.home)


def test_hook_of_linked_worktree_leaves_repository_alone(person: Checkout) -> None:
    linked = Checkout(person.root.with_name("linked"), person.home)
    person.git("worktree", "add", "--quiet", "-b", "feature", str(linked.root))
    hook = person.root / ".git" / "hooks" / "pre-push"
    hook.write_text("#!/bin/sh\nexec invoke ci --isolated parity </dev/null\n")
    hook.chmod(0o755)
    linked.commit("docs/note.md", "# Note\n")
    before = linked.git("rev-parse", "HEAD")
    pushed = linked.run("git", "push", "--quiet", "origin", "feature")
    assert "proved: parity is green" in pushed.stdout + pushed.stderr
    assert pushed.returncode == 0
    assert linked.git("rev-parse", "HEAD", "origin/feature").split() == [before, before]
    assert person.git("config", "--get", "core.bare") == "false"
    assert person.git("status", "--porcelain") == ""


def test_single_branch_clone_is_not_judged(person: Checkout) -> None:
    person.git("switch", "--quiet", "--create", "feature")
    person.commit("backend/k.pem", trustme.CA().private_key_pem.bytes().decode())
    person.commit("backend/k.pem", None)
    person.commit("docs/note.md", "# Note\n")
    person.git("push", "--quiet", "origin", "feature")
    single = clone(person, "--single-branch", "--branch=feature")

    said = single.run(*SECRETS, PIPELINE_STRICT="1").stderr
    assert "inconclusive: secrets: main is not here" in said
    command = re.search("hint: (git fetch .+)", said)
    assert command, said
    single.git(*command[1].split()[1:])
    for checkout in (single, person):
        red = checkout.run(*SECRETS)
        assert red.returncode == 1
        assert "backend/k.pem" in red.stderr


@pytest.mark.parametrize("name", ["HEAD", "refs/remotes/origin/main"])
def test_detached_head_runs_what_its_branch_runs(person: Checkout, name: str) -> None:
    everything = person.selected()
    person.git("checkout", "--quiet", "--detach", name)
    assert person.selected() == everything
    person.git("switch", "--quiet", "--create", "feature")
    assert person.selected().startswith("0 ")
    person.commit(CHANGED, "print()\n")
    some = person.selected()
    assert some != everything
    assert not some.startswith("0 ")
    person.git("checkout", "--quiet", "--detach")
    assert person.selected() == some


@pytest.mark.parametrize("command", [("branch",), ("tag",)])
def test_ref_called_as_the_remote_hides_nothing(person: Checkout, command: tuple[str]) -> None:
    person.git("switch", "--quiet", "--create", "feature")
    person.commit(CHANGED, "print()\n")
    some = person.selected()
    person.git(*command, "origin/main")
    assert person.selected() == some


def test_main_branch_of_another_name_runs_everything(person: Checkout) -> None:
    main = {"GITHUB_EVENT_NAME": "push", "GITHUB_REF": "refs/heads/main"}
    everything = person.selected(**main)
    person.git("branch", "--move", "main", "master")
    settings = (person.root / "pipeline.toml").read_text()
    person.commit(
        "pipeline.toml", re.sub(r'(?m)^main_branch = "main"', 'main_branch = "master"', settings)
    )
    person.git("push", "--quiet", "origin", "master")
    assert person.selected(**main | {"GITHUB_REF": "refs/heads/master"}) == everything
    assert person.selected(**main) != everything
    person.git("switch", "--quiet", "--create", "feature")
    assert person.selected().startswith("0 ")


def test_file_name_that_is_no_utf_8_and_a_submodule_are_borne(person: Checkout) -> None:
    library = person.root.with_name("library")
    library.mkdir()
    (library / "README.md").write_text("# Library\n")
    ScratchRepository(library).init("main")
    local = ("-c", "protocol.file.allow=always")
    person.git(*local, "submodule", "--quiet", "add", str(library), "docs/vendor")
    person.commit(ODD, "# Untitled\n")
    assert person.selected()
    proved = person.run("invoke", "ci", "--isolated", "parity")
    assert "proved: parity is green" in proved.stdout + proved.stderr
