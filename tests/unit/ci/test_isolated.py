"""A session is proved in a repository of its own, wherever that is asked for."""

import shlex
import subprocess

from tests.support.sample_repo import BIN, Toy


def test_a_hook_in_a_linked_worktree_proves_and_leaves_the_repository_as_it_was(toy: Toy) -> None:
    linked, remote = toy.folder / "linked", toy.folder / "remote"
    hook = toy.write(
        ".git/hooks/pre-push",
        f"#!/bin/sh\nexec {shlex.quote(str(BIN / 'invoke'))} ci --prove red </dev/null\n",
    )
    hook.chmod(0o755)
    toy.git("init", "--quiet", "--bare", str(remote))
    toy.git("remote", "add", "origin", str(remote))
    toy.git("worktree", "add", "--quiet", "-b", "feature", str(linked))
    push = ["git", "push", "origin", "feature"]
    done = subprocess.run(
        push, cwd=linked, env=toy.env(), check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "proved: red is green" in done.stdout + done.stderr
    assert toy.git("log", "--format=%s", "feature") == "work"
    assert toy.git("rev-parse", "feature") == toy.git("rev-parse", "main")
    assert toy.git("config", "--get", "core.bare") == "false"
    assert toy.git("status", "--porcelain") == ""
