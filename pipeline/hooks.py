"""Run the commit hooks on all files that git has or would take.

python -m pipeline.hooks [HOOK]

pre-commit's own `--all-files` leaves out what is not added yet. Its green would stand for such a
file all the same: a result hangs on what is in the checkout, and not on what is added.

A hook that runs another session is left out: that one has a job of its own.
"""

import sys
from collections.abc import Sequence

from pipeline.errors import handle_errors
from pipeline.git import files
from pipeline.process import run

SESSIONS = ("migrations",)


def main(options: Sequence[str]) -> int:
    """Run the hooks, and return pre-commit's exit code.

    Args:
        options: Of `pre-commit run`, such as the id of a hook.
    """
    command = [sys.executable, "dev", "pre-commit", "run", "--show-diff-on-failure", *options]
    return run([*command, "--files", *files()], env={"SKIP": ",".join(SESSIONS)})


if __name__ == "__main__":
    with handle_errors():
        sys.exit(main(sys.argv[1:]))
