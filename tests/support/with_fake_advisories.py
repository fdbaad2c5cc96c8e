"""Run a command with a fake advisory service on this machine.

python -m tests.support.with_fake_advisories [--pypi django==5.2.19] [--npm react] [--down] -- nox
-R -s security

It reaches no package index either: what the command needs has to be installed.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from pipeline.errors import handle_errors
from pipeline.process import run
from tests.support.fake_advisories import FakeAdvisoryService, npm_advisory, pypi_advisory

PYPI, NPM = "PYSEC-2026-1", "GHSA-2222-3333-4444"


def main(arguments: Sequence[str]) -> int:
    """Run the command line, and return the exit code of its command."""
    parser = argparse.ArgumentParser(
        "python -m tests.support.with_fake_advisories", description=__doc__
    )
    parser.add_argument("--pypi", action="append", default=[], help=f"what has {PYPI}")
    parser.add_argument("--npm", action="append", default=[], help=f"what has {NPM}")
    parser.add_argument("--down", action="store_true", help="the service does not answer")
    parser.add_argument("command", nargs="+")
    options = parser.parse_args(arguments)
    with TemporaryDirectory() as folder, FakeAdvisoryService(Path(folder)).running() as service:
        service.pypi |= {release: [pypi_advisory(PYPI)] for release in options.pypi}
        service.npm |= {name: [npm_advisory(NPM)] for name in options.npm}
        if options.down:
            service.port = 9
        return run(options.command, env=service.environment)


if __name__ == "__main__":
    with handle_errors():
        sys.exit(main(sys.argv[1:]))
