"""Run the commit hooks on all tracked and untracked files.

python -m pipeline.hooks [HOOK]

`pre-commit run --all-files` skips untracked files, but the result of the session depends on them.

Hooks that run another session are skipped, as that session has a job of its own.
"""

import sys
from collections.abc import Sequence

from pipeline.errors import handle_errors
from pipeline.git import files
from pipeline.process import run

_SESSIONS = ("migrations",)


def main(options: Sequence[str]) -> int:
    """Run the hooks, and return the exit code of pre-commit.

    Args:
        options: Options of `pre-commit run`, such as the id of a hook.
    """
    command = [sys.executable, "dev", "pre-commit", "run", "--show-diff-on-failure", *options]
    return run([*command, "--files", *files()], env={"SKIP": ",".join(_SESSIONS)})


if __name__ == "__main__":
    with handle_errors():
        sys.exit(main(sys.argv[1:]))
