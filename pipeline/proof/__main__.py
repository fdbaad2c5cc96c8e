"""Plant a fault for every gate, and see each of them go red.

python -m pipeline.proof [--full] [--hollow | --offline] [NAME ...]
"""

import argparse
import sys
import time
from collections.abc import Collection, Iterable, Sequence

from pipeline.errors import CheckFailedError, NotJudgedError, judged, reported
from pipeline.proof import faults, plan, report
from pipeline.proof.outcome import Outcome, Verdict
from pipeline.proof.runs import prove_all

CHECK = "prove-gates"


def main(arguments: Sequence[str]) -> None:
    """Run the command line.

    Raises:
        CheckFailedError: A gate has no fault, or did not find one.
        InputError: The table of faults is wrong, or a name stands nowhere in it.
        NotJudgedError: Something that a gate needs is not here.
    """
    parser = argparse.ArgumentParser(CHECK, description=__doc__)
    parser.add_argument("--full", action="store_true", help="every row, and what takes minutes")
    parser.add_argument("--hollow", action="store_true", help="empty the sessions: none may pass")
    parser.add_argument("--offline", action="store_true", help="cut the network, plant nothing")
    parser.add_argument("name", nargs="*", help="a gate, a session or a fault to keep to")
    options = parser.parse_args(arguments)
    began = time.monotonic()
    gates, known = faults.load(), plan.jobs()
    if found := plan.gaps(known, gates):
        raise CheckFailedError("; ".join(found), hint="write it into faults/*.toml")
    for job, gate in gates.items():
        if gate.elsewhere:
            print(f"{job}: proved elsewhere: {gate.elsewhere}", file=sys.stderr)
    rows = plan.chosen(known, gates, options.name, full=options.full)
    outcomes = prove_all(rows, hollow=options.hollow, offline=options.offline)
    print(*report.table(outcomes), report.summary(outcomes), sep="\n")
    report.FILE.parent.mkdir(exist_ok=True)
    report.FILE.write_text(report.page(outcomes, time.monotonic() - began))
    (noticed if options.hollow else verdict)(outcomes)


def verdict(outcomes: Collection[Outcome]) -> None:
    """Judge a proof.

    Raises:
        CheckFailedError: Something is not proved.
        NotJudgedError: Something could not be judged here.
    """
    judged(CHECK)
    bad = [each for each in outcomes if not each.verdict.good]
    if named := _named(each for each in bad if each.verdict is not Verdict.NOT_JUDGED):
        raise CheckFailedError(named, hint=f"look at {report.FILE}, then repeat it by its name")
    if bad:
        raise NotJudgedError(CHECK, _named(bad), hint="CI_CD.md says what each gate needs")


def noticed(outcomes: Collection[Outcome]) -> None:
    """Judge a proof of hollow gates: each of them must be found out.

    Raises:
        CheckFailedError: A hollow gate passes for proved.
    """
    found = {each.job for each in outcomes if each.verdict is Verdict.GREEN}
    unclear = [each for each in outcomes if each.job not in found and not each.verdict.good]
    if passing := [each for each in outcomes if each.verdict is Verdict.PROVED] + unclear:
        hint = "the fault is found by something else than the session, or fits no more"
        raise CheckFailedError(_named(passing), hint=hint)
    print(f"{len(found)} gates are empty, and every one is found out")


def _named(outcomes: Iterable[Outcome]) -> str:
    return "; ".join(
        f"{each.session}: {each.fault or 'no fault'}: {each.verdict}" for each in outcomes
    )


if __name__ == "__main__":
    with reported():
        main(sys.argv[1:])
