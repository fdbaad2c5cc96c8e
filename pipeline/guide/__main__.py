"""Run the commands that the documents show, and look for the names that they use.

python -m pipeline.guide                    those that are quick
python -m pipeline.guide --long             those that are marked `run: nox -s docs-commands`
python -m pipeline.guide --long README.md   of one document; README.md:40, of one place in it
"""

import argparse
import sys
from collections.abc import Collection, Iterable

from pipeline.docs.links import documents
from pipeline.errors import CheckFailedError, InputError, reported
from pipeline.guide.blocks import Block, blocks
from pipeline.guide.names import known, unknown
from pipeline.guide.trial import LONG, QUICK, Tried, tried


def main(arguments: list[str]) -> None:
    """Run the command line.

    Raises:
        CheckFailedError: A command fails, or names what is not there.
    """
    parser = argparse.ArgumentParser("python -m pipeline.guide", description=__doc__)
    parser.add_argument("--long", action="store_true")
    parser.add_argument("place", nargs="*", help="a document, or one and a line, to keep to")
    options = parser.parse_args(arguments)
    exists = known()
    if lost := [fault for each in documents() for fault in unknown(each, exists)]:
        raise CheckFailedError("; ".join(lost), hint="nox -l and invoke --list show what is there")
    kept = chosen(options.place, long=options.long)
    judge(tried(kept, LONG if options.long else QUICK))


def chosen(places: Collection[str] = (), *, long: bool) -> list[Block]:
    """Return the blocks that are to be run.

    Args:
        places: Documents, or lines of them such as README.md:40, to keep to; all, if none.
        long: Whether those that take long, instead of those that do not.
    """
    mark = "run" if long else ""
    there = [block for each in documents() for block in blocks(each) if block.mark == mark]
    if lost := [place for place in places if not any(block.is_in(place) for block in there)]:
        known = ", ".join(block.place for block in there)
        raise InputError(f"no commands to run in {', '.join(lost)}", hint=f"there are: {known}")
    return [block for block in there if not places or any(map(block.is_in, places))]


def judge(found: Iterable[Tried]) -> None:
    """Print what came of each block, and what a command said that failed.

    Raises:
        CheckFailedError: Names the blocks that failed.
    """
    red = []
    for each in found:
        print(f"{'ok' if each.works else 'failed':6} {each.seconds:4.0f} s  {each.block.place}")
        if not each.works:
            red.append(f"{each.block.place}: it ends with {each.output.returncode}")
            print(each.block.script, each.output.stdout, sep="\n")
    if red:
        raise CheckFailedError("; ".join(red), hint="correct the command, or say why it is not run")


if __name__ == "__main__":
    with reported():
        main(sys.argv[1:])
