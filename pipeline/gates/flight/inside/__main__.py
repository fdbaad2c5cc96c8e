"""Migrates, and writes down what was seen.

python -m pipeline.gates.flight.inside RESULT forward [--expand-only] [--twice]
python -m pipeline.gates.flight.inside RESULT round-trip [shop.0002_more …]
"""

import argparse
import os
from pathlib import Path

import django

from pipeline.gates.flight.records import written


def main() -> None:
    """Run the command line.

    Its result is a file: what migrations print goes to stdout, and stays there.
    """
    parser = argparse.ArgumentParser("python -m pipeline.gates.flight.inside", description=__doc__)
    parser.add_argument("result", type=Path)
    commands = parser.add_subparsers(dest="command", required=True)
    forwards = commands.add_parser("forward")
    forwards.add_argument("--expand-only", action="store_true")
    forwards.add_argument("--twice", action="store_true")
    commands.add_parser("round-trip").add_argument("names", nargs="*")
    options = parser.parse_args()
    django.setup()
    from pipeline.gates.flight.inside.forward import forward  # noqa: PLC0415 - needs the settings
    from pipeline.gates.flight.inside.trip import round_trip  # noqa: PLC0415

    if options.command == "round-trip":
        text = round_trip(options.names, os.environ["DATABASE_URL"]).written()
    else:
        text = written(forward(expand_only=options.expand_only, twice=options.twice))
    options.result.write_text(text)


if __name__ == "__main__":
    main()
