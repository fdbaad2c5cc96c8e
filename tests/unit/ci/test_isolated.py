"""`invoke ci --isolated` runs a session in a separate repository, also from a git hook."""

import shlex
import subprocess

from tests.support.sample_repo import BIN, SampleRepo


def test_isolated_run_in_hook_keeps_repository(
    repo: SampleRepo,
) -> None:
    linked, remote = repo.folder / "linked", repo.folder / "remote"
    hook = repo.write(
        ".git/hooks/pre-push",
        f"#!/bin/sh\nexec {shlex.quote(str(BIN / 'invoke'))} ci --isolated red </dev/null\n",
    )
    hook.chmod(0o755)
    repo.git("init", "--quiet", "--bare", str(remote))
    repo.git("remote", "add", "origin", str(remote))
    repo.git("worktree", "add", "--quiet", "-b", "feature", str(linked))
    push = ["git", "push", "origin", "feature"]
    done = subprocess.run(
        push, cwd=linked, env=repo.env(), check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "verified: red passes" in done.stdout + done.stderr
    assert repo.git("log", "--format=%s", "feature") == "work"
    assert repo.git("rev-parse", "feature") == repo.git("rev-parse", "main")
    assert repo.git("config", "--get", "core.bare") == "false"
    assert repo.git("status", "--porcelain") == ""
