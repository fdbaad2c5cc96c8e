"""Check the rules of parity, and print every violation; exit code 1 if there is any.

python -m pipeline.parity [--format text|json|sarif]
python -m pipeline.parity --write    first update the lists of secrets in the workflows
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from pipeline import filesystem
from pipeline.config import load
from pipeline.errors import handle_errors
from pipeline.files import read_text
from pipeline.github.model import WORKFLOWS_DIR
from pipeline.parity import repository
from pipeline.parity.engine import find_violations
from pipeline.parity.report import FORMATS
from pipeline.parity.secret_lists import update_secret_lists


def main(arguments: Sequence[str]) -> int:
    """Run the command line, and return the exit code."""
    parser = argparse.ArgumentParser("python -m pipeline.parity", description=__doc__)
    parser.add_argument("--format", choices=FORMATS, default="text")
    parser.add_argument("--write", action="store_true", help="update the lists of secrets first")
    options = parser.parse_args(arguments)
    if options.write:
        _write_secret_lists()
    findings = find_violations(*repository.load_repository())
    print(FORMATS[options.format](findings))
    return 1 if findings else 0


def _write_secret_lists() -> None:
    """Update the lists of secrets in the workflows, and print the changed files."""
    texts = {path: read_text(path) for path in sorted(Path(WORKFLOWS_DIR).glob("*.y*ml"))}
    changed = dict(update_secret_lists(texts, load().deploy_secrets))
    filesystem.write_files(changed)
    print("".join(f"updated: {path}\n" for path in changed), end="", file=sys.stderr)


if __name__ == "__main__":
    with handle_errors():
        sys.exit(main(sys.argv[1:]))
