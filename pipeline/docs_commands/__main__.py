"""Run the commands in the documents, and check that the sessions and tasks in them exist.

python -m pipeline.docs_commands                    the quick ones
python -m pipeline.docs_commands --long             those marked `run: nox -s docs-slow`
python -m pipeline.docs_commands --long README.md   of these, those with this text or location
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
        CheckFailedError: A command failed, or names a session or task that does not exist.
    """
    parser = argparse.ArgumentParser("python -m pipeline.docs_commands", description=__doc__)
    parser.add_argument("--long", action="store_true")
    parser.add_argument(
        "word", nargs="*", help="run only blocks with this text in their location or their commands"
    )
    options = parser.parse_args(arguments)
    exists = known_names()
    if unknown := [fault for each in documents() for fault in find_unknown(each, exists)]:
        raise CheckFailedError("; ".join(unknown), hint="list the names: nox -l, invoke --list")
    kept = select_blocks(options.word, long=options.long)
    _report_results(run_blocks(kept, LONG_TIMEOUT if options.long else QUICK_TIMEOUT))


def select_blocks(words: Collection[str] = (), *, long: bool) -> list[Block]:
    """Return the blocks to run.

    Args:
        words: Only blocks that contain one of them, in their location or their commands; all, if
            none.
        long: Whether to return the slow blocks instead of the quick ones.

    Raises:
        InputError: No block contains one of the words.
    """
    mark = "run" if long else ""
    blocks = [block for each in documents() for block in parse_blocks(each) if block.mark == mark]
    if unknown := [word for word in words if not any(block.matches(word) for block in blocks)]:
        known = ", ".join(block.location for block in blocks)
        raise InputError(
            f"no block of commands contains: {', '.join(unknown)}", hint=f"blocks: {known}"
        )
    return [block for block in blocks if not words or any(map(block.matches, words))]


def _report_results(found: Iterable[BlockResult]) -> None:
    """Print the result of each block, and the output of those that failed.

    Raises:
        CheckFailedError: Names the blocks that failed.
    """
    failures = []
    for each in found:
        print(f"{'ok' if each.passed else 'failed':6} {each.seconds:4.0f} s  {each.block.location}")
        if not each.passed:
            failures.append(f"{each.block.location}: exit code {each.output.returncode}")
            print(each.block.script, each.output.stdout, sep="\n")
    if failures:
        raise CheckFailedError(
            "; ".join(failures), hint="correct the command, or mark it: <!-- not run: reason -->"
        )


if __name__ == "__main__":
    with handle_errors():
        main(sys.argv[1:])
