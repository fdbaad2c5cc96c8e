"""Inject the faults of faults/*.toml, and check that the session of each gate fails on them.

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

_CHECK = "fault-injection"
_ALTERNATIVE_MODES = {
    Mode.EMPTY_SESSIONS: "empty the sessions: each must miss its faults",
    Mode.OFFLINE: "cut the network, inject no fault",
    Mode.CANARIES: "set every secret, inject no fault: no secret may be shown",
}


def main(arguments: Sequence[str]) -> None:
    """Run the command line.

    Raises:
        CheckFailedError: A gate has no fault, or did not detect one.
        InputError: The catalogue is invalid, or a name is not in it.
        InconclusiveError: A service or a tool that a gate needs is missing.
    """
    options, began = _parse_arguments(arguments), time.monotonic()
    mode, gates, known = options.mode, catalog.load_catalog(), selection.gate_jobs()
    if found := selection.missing_coverage(known, gates):
        raise CheckFailedError("; ".join(found), hint="add it to faults/*.toml")
    if mode is Mode.CANARIES:
        known, gates = (
            {**known, **selection.local_sessions()},
            gates | catalog.load_catalog(catalog.LOCAL_CATALOG_DIR),
        )
    if mode.injects_faults:
        _print_exempt_gates(gates)
    rows = selection.select(
        known, gates, options.name, full=options.full, inject=mode.injects_faults
    )
    outcomes = run_all(rows, mode)
    print(*report.format_table(outcomes), report.summary_line(outcomes), sep="\n")
    report.FOLDER.mkdir(exist_ok=True)
    page = report.render_html(outcomes, mode, time.monotonic() - began)
    report.report_path(mode).write_text(page)
    _check_empty_sessions(outcomes) if mode is Mode.EMPTY_SESSIONS else _raise_for_failures(
        outcomes, mode
    )


def _parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    """Return the options: `mode`, `full`, and each `name`."""
    parser = argparse.ArgumentParser(_CHECK, description=__doc__)
    parser.set_defaults(mode=Mode.FAULTS)
    parser.add_argument("--full", action="store_true", help="every matrix row, and the slow faults")
    modes = parser.add_mutually_exclusive_group()
    for mode, purpose in _ALTERNATIVE_MODES.items():
        modes.add_argument(f"--{mode}", dest="mode", action="store_const", const=mode, help=purpose)
    parser.add_argument("name", nargs="*", help="run only this gate, session or fault")
    return parser.parse_args(arguments)


def _print_exempt_gates(gates: Mapping[str, Gate]) -> None:
    """Print each gate that has no faults here, and what tests it instead."""
    for job, gate in gates.items():
        if gate.tested_by:
            print(f"{job}: tested by: {gate.tested_by}", file=sys.stderr)


def _raise_for_failures(outcomes: Collection[Outcome], mode: Mode) -> None:
    """Raise an error unless every outcome is as expected.

    Args:
        outcomes: Of all runs.
        mode: What was changed for the runs.

    Raises:
        CheckFailedError: A fault was missed, or a session failed without one.
        InconclusiveError: A service or a tool that a gate needs is missing.
    """
    clear_inconclusive(_CHECK)
    bad = [each for each in outcomes if not each.verdict.is_ok]
    if named := _named(each for each in bad if each.verdict is not Verdict.INCONCLUSIVE):
        hint = f"read {report.report_path(mode)}, then run the fault alone by its name"
        raise CheckFailedError(named, hint=hint)
    if bad and mode is not Mode.OFFLINE:  # without a network, inconclusive is a right result
        raise InconclusiveError(
            _CHECK,
            "a service or a tool that some gates need is missing",
            detail=_named(bad),
            hint="CI_CD.md lists what each gate needs",
        )


def _check_empty_sessions(outcomes: Collection[Outcome]) -> None:
    """Raise an error unless every empty session lets its faults pass.

    Raises:
        CheckFailedError: A fault counts as detected although its session does nothing.
    """
    found = {each.job for each in outcomes if each.verdict is Verdict.MISSED}
    unclear = [each for each in outcomes if each.job not in found and not each.verdict.is_ok]
    if passing := [each for each in outcomes if each.verdict is Verdict.DETECTED] + unclear:
        hint = "something outside the session detects the fault, or the fault no longer applies"
        raise CheckFailedError(_named(passing), hint=hint)
    print(f"{len(found)} gates are empty, and the run reports each of them")


def _named(outcomes: Iterable[Outcome]) -> str:
    return "; ".join(
        f"{each.session}: {each.fault or 'no fault'}: {each.verdict}" for each in outcomes
    )


if __name__ == "__main__":
    with handle_errors():
        main(sys.argv[1:])
