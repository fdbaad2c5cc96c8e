"""Change files at random, again and again, and compare `invoke ci` with a fresh run.

python -m tests.fuzz.cache [--mutations 300]   twelve sessions of a generated repository
python -m tests.fuzz.cache --real [20]         the quick sessions of this one, in a copy of it
python -m tests.fuzz.cache --isolated             instead: run every session that is remembered
                                                 where only its areas are
"""

import argparse
import contextlib
import random
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from pipeline.ci.execution.isolated import run_isolated
from pipeline.ci.plan import create_plan
from pipeline.ci.result import LOG_DIR
from pipeline.ci.sessions import CISession
from pipeline.deploy.signals import raise_on_signal
from pipeline.errors import CheckFailedError, handle_errors
from tests.fuzz.cache import generated_repo, this_repo


def check_all_isolated() -> None:
    """Run each session whose result is remembered where nothing but its areas is.

    Of a job with rows it is the first: the others read the same areas.

    Raises:
        CheckFailedError: One reads more.
    """
    selection = create_plan(everything=True)
    never = selection.inputs.settings.ci.never_cached
    firsts, wrong = dict[str, CISession](), list[str]()
    for row in selection.rows:
        if row.selected and row.entry.job not in never:
            firsts.setdefault(row.entry.job, row.entry)
    for entry in firsts.values():
        try:
            run_isolated(entry, selection.inputs)
        except CheckFailedError as error:
            wrong.append(str(error))
    if wrong:
        raise CheckFailedError("; ".join(wrong), hint=f"read {LOG_DIR}/*.proof.log")


def main(arguments: Sequence[str]) -> None:
    """Run the command line.

    Raises:
        WrongError: `invoke ci` and a fresh run differ.
    """
    parser = argparse.ArgumentParser("python -m tests.fuzz.cache", description=__doc__)
    parser.add_argument("--mutations", type=int, default=300)
    parser.add_argument("--real", type=int, nargs="?", const=20, help="so many, on this repository")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))  # noqa: S311
    parser.add_argument("--isolated", action="store_true")
    options = parser.parse_args(arguments)
    if options.isolated:
        check_all_isolated()
        return
    print(f"seed {options.seed}", flush=True)
    kind, mutations = (
        (this_repo, options.real) if options.real else (generated_repo, options.mutations)
    )
    with raise_on_signal(), TemporaryDirectory() as name, contextlib.chdir("."):
        trial = kind.run(Path(name), mutations, options.seed)
    print(f"{mutations} mutations: {trial.counted()}, 0 wrong")


if __name__ == "__main__":
    with handle_errors():
        main(sys.argv[1:])
