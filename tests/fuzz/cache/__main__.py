"""Compare `invoke ci` with a run without cache, after each of many random changes.

python -m tests.fuzz.cache [--mutations 300]   twelve sessions of a generated repository
python -m tests.fuzz.cache --real [20]         the quick sessions of a copy of this repository
python -m tests.fuzz.cache --isolated          instead: run each cached session in a copy that
                                               contains only the files of its areas
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
    """Run each session that may be cached in a copy that contains only the files of its areas.

    A job with a matrix is checked by its first session: all of its sessions have the same areas.

    Raises:
        CheckFailedError: A session fails there, so it reads a file outside of its areas.
    """
    selection = create_plan(everything=True)
    never = selection.inputs.settings.ci.never_cached
    firsts, failures = dict[str, CISession](), list[str]()
    for row in selection.rows:
        if row.selected and row.entry.job not in never:
            firsts.setdefault(row.entry.job, row.entry)
    for entry in firsts.values():
        try:
            run_isolated(entry, selection.inputs)
        except CheckFailedError as error:
            failures.append(str(error))
    if failures:
        raise CheckFailedError("; ".join(failures), hint=f"read {LOG_DIR}/*.isolated.log")


def main(arguments: Sequence[str]) -> None:
    """Run the command line.

    Raises:
        CacheMismatchError: A result of `invoke ci` differs from a fresh run.
    """
    parser = argparse.ArgumentParser("python -m tests.fuzz.cache", description=__doc__)
    parser.add_argument("--mutations", type=int, default=300)
    parser.add_argument(
        "--real",
        type=int,
        nargs="?",
        const=20,
        help="number of mutations of a copy of this repository",
    )
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
    print(f"{mutations} mutations: {trial.statistics()}, 0 wrong")


if __name__ == "__main__":
    with handle_errors():
        main(sys.argv[1:])
