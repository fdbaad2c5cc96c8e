"""Run the commands that the documents show, and look for the names that they use.

python -m pipeline.docs_commands                    those that are quick python -m
pipeline.docs_commands --long             those that are marked `run: nox -s docs-slow` python -m
pipeline.docs_commands --long README.md   of these, what has that word in its place or its text
"""

import argparse
import sys
from collections.abc import Collection, Iterable

from pipeline.docs.links import documents
from pipeline.docs_commands.command_blocks import Block, parse_blocks
from pipeline.docs_commands.execution import LONG_TIMEOUT, QUICK_TIMEOUT, BlockResult, run_blocks
from pipeline.docs_commands.references import find_unknown, known_names
from pipeline.errors import CheckFailedError, InputError, handle_errors


def main(arguments: list[str]) -> None:
    """Run the command line.

    Raises:
        CheckFailedError: A command fails, or names what is not there.
    """
    parser = argparse.ArgumentParser("python -m pipeline.docs_commands", description=__doc__)
    parser.add_argument("--long", action="store_true")
    parser.add_argument("word", nargs="*", help="keep to what has it in its place or its commands")
    options = parser.parse_args(arguments)
    exists = known_names()
    if lost := [fault for each in documents() for fault in find_unknown(each, exists)]:
        raise CheckFailedError("; ".join(lost), hint="nox -l and invoke --list show what is there")
    kept = select_blocks(options.word, long=options.long)
    report_results(run_blocks(kept, LONG_TIMEOUT if options.long else QUICK_TIMEOUT))


def select_blocks(words: Collection[str] = (), *, long: bool) -> list[Block]:
    """Return the blocks that are to be run.

    Args:
        words: Keep to blocks that have one in their place or in their commands; all, if none.
        long: Whether those that take long, instead of those that do not.

    Raises:
        InputError: No block has one of the words.
    """
    mark = "run" if long else ""
    there = [block for each in documents() for block in parse_blocks(each) if block.mark == mark]
    if lost := [word for word in words if not any(block.matches(word) for block in there)]:
        known = ", ".join(block.location for block in there)
        raise InputError(f"no such commands: {', '.join(lost)}", hint=f"there are: {known}")
    return [block for block in there if not words or any(map(block.matches, words))]


def report_results(found: Iterable[BlockResult]) -> None:
    """Print what came of each block, and what a command said that failed.

    Raises:
        CheckFailedError: Names the blocks that failed.
    """
    red = []
    for each in found:
        print(f"{'ok' if each.passed else 'failed':6} {each.seconds:4.0f} s  {each.block.location}")
        if not each.passed:
            red.append(f"{each.block.location}: it ends with {each.output.returncode}")
            print(each.block.script, each.output.stdout, sep="\n")
    if red:
        raise CheckFailedError("; ".join(red), hint="correct the command, or say why it is not run")


if __name__ == "__main__":
    with handle_errors():
        main(sys.argv[1:])
