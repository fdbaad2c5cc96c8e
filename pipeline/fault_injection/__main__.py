"""Plant a fault for every gate, and see each of them go red.

python -m pipeline.fault_injection [--full] [--empty-sessions | --offline | --canaries] [NAME ...]
"""

import argparse
import sys
import time
from collections.abc import Collection, Iterable, Mapping, Sequence

from pipeline.errors import CheckFailedError, InconclusiveError, clear_inconclusive, handle_errors
from pipeline.fault_injection import catalog, report, selection
from pipeline.fault_injection.catalog import Gate
from pipeline.fault_injection.executor import run_all
from pipeline.fault_injection.outcome import Outcome, Verdict
from pipeline.fault_injection.sandbox import Mode

CHECK = "fault-injection"
ALTERNATIVE_MODES = {
    Mode.EMPTY_SESSIONS: "empty the sessions: none may pass",
    Mode.OFFLINE: "cut the network, plant nothing",
    Mode.CANARIES: "set every secret, plant nothing: none may be seen",
}


def main(arguments: Sequence[str]) -> None:
    """Run the command line.

    Raises:
        CheckFailedError: A gate has no fault, or did not find one.
        InputError: The table of faults is wrong, or a name stands nowhere in it.
        NotJudgedError: Something that a gate needs is not here.
    """
    options, began = parse_arguments(arguments), time.monotonic()
    trial, gates, known = options.trial, catalog.load_catalog(), selection.gate_jobs()
    if found := selection.missing_coverage(known, gates):
        raise CheckFailedError("; ".join(found), hint="write it into faults/*.toml")
    if trial is Mode.CANARIES:
        known, gates = (
            {**known, **selection.local_sessions()},
            gates | catalog.load_catalog(catalog.LOCAL_CATALOG_DIR),
        )
    if trial.injects_faults:
        print_exempt_gates(gates)
    rows = selection.select(
        known, gates, options.name, full=options.full, plants=trial.injects_faults
    )
    outcomes = run_all(rows, trial)
    print(*report.format_table(outcomes), report.summary_line(outcomes), sep="\n")
    report.FOLDER.mkdir(exist_ok=True)
    page = report.render_html(outcomes, trial, time.monotonic() - began)
    report.report_path(trial).write_text(page)
    check_empty_sessions(outcomes) if trial is Mode.EMPTY_SESSIONS else raise_for_failures(
        outcomes, trial
    )


def parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    """Return what was asked for: `trial`, `full`, and each `name`."""
    parser = argparse.ArgumentParser(CHECK, description=__doc__)
    parser.set_defaults(trial=Mode.FAULTS)
    parser.add_argument("--full", action="store_true", help="every row, and what takes minutes")
    trials = parser.add_mutually_exclusive_group()
    for trial, purpose in ALTERNATIVE_MODES.items():
        trials.add_argument(
            f"--{trial}", dest="trial", action="store_const", const=trial, help=purpose
        )
    parser.add_argument("name", nargs="*", help="a gate, a session or a fault to keep to")
    return parser.parse_args(arguments)


def print_exempt_gates(gates: Mapping[str, Gate]) -> None:
    """Print each gate that no fault here turns red, and what does it instead."""
    for job, gate in gates.items():
        if gate.tested_by:
            print(f"{job}: proved elsewhere: {gate.tested_by}", file=sys.stderr)


def raise_for_failures(outcomes: Collection[Outcome], trial: Mode) -> None:
    """Judge a proof.

    Args:
        outcomes: Of all runs.
        trial: What was tried.

    Raises:
        CheckFailedError: Something is not proved.
        NotJudgedError: Something could not be judged here.
    """
    clear_inconclusive(CHECK)
    bad = [each for each in outcomes if not each.verdict.is_ok]
    if named := _named(each for each in bad if each.verdict is not Verdict.NOT_JUDGED):
        hint = f"look at {report.report_path(trial)}, then repeat it by its name"
        raise CheckFailedError(named, hint=hint)
    if bad and trial is not Mode.OFFLINE:  # that is what it asks for
        raise InconclusiveError(
            CHECK,
            "some gates lack what they need here",
            detail=_named(bad),
            hint="CI_CD.md says what each gate needs",
        )


def check_empty_sessions(outcomes: Collection[Outcome]) -> None:
    """Judge a proof of hollow gates: each of them must be found out.

    Raises:
        CheckFailedError: A hollow gate passes for proved.
    """
    found = {each.job for each in outcomes if each.verdict is Verdict.GREEN}
    unclear = [each for each in outcomes if each.job not in found and not each.verdict.is_ok]
    if passing := [each for each in outcomes if each.verdict is Verdict.PROVED] + unclear:
        hint = "the fault is found by something else than the session, or fits no more"
        raise CheckFailedError(_named(passing), hint=hint)
    print(f"{len(found)} gates are empty, and every one is found out")


def _named(outcomes: Iterable[Outcome]) -> str:
    return "; ".join(
        f"{each.session}: {each.fault or 'no fault'}: {each.verdict}" for each in outcomes
    )


if __name__ == "__main__":
    with handle_errors():
        main(sys.argv[1:])
