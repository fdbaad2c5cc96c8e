"""Check the rules of parity, and print every violation; exit code 1 if there is any.

python -m pipeline.parity [--format text|json|sarif]
"""

import argparse
import sys
from collections.abc import Sequence

from pipeline.errors import handle_errors
from pipeline.parity import repository
from pipeline.parity.engine import find_violations
from pipeline.parity.report import FORMATS


def main(arguments: Sequence[str]) -> int:
    """Run the command line, and return the exit code."""
    parser = argparse.ArgumentParser("python -m pipeline.parity", description=__doc__)
    parser.add_argument("--format", choices=FORMATS, default="text")
    options = parser.parse_args(arguments)
    findings = find_violations(*repository.load_repository())
    print(FORMATS[options.format](findings))
    return 1 if findings else 0


if __name__ == "__main__":
    with handle_errors():
        sys.exit(main(sys.argv[1:]))
