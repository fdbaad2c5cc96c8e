"""Judge the results of a workflow's jobs: what was planned must have succeeded.

NEEDS='{"lint": {"result": "success"}}' JOBS='["lint"]' python -m pipeline.ci.gate

Skipped is fine only for what the plan left out: a job that silently stops running is red. A call
counts as well only if its own gate handed up `verdict: ok`, since GitHub shows a caller nothing of
the jobs inside. https://docs.github.com/actions/reference/contexts-reference#needs-context
"""

import json
import os
from collections.abc import Collection, Mapping
from typing import Any

from pipeline.errors import CheckFailedError, InputError, handle_errors
from pipeline.github import actions, loader

PLAN_JOB = "plan"
NeedsContext = Mapping[str, Mapping[str, Any]]


def find_failures(needs: NeedsContext, planned: Collection[str]) -> list[str]:
    """Return a sentence for every job that did not do what was planned.

    Args:
        needs: GitHub's `needs` context of the gate.
        planned: The ids of the jobs that the plan selected.
    """
    inside = {call: {job.id for job in jobs} for call, jobs in loader.jobs_by_call().items()}
    # the gate of a called file: no calls here, and other files' jobs planned
    if PLAN_JOB not in needs:
        inside, planned = {}, set(needs).intersection(planned)
    reached = {job for name in needs for job in inside.get(name, {name})}
    found = [f"{job}: planned, but no need of this gate" for job in sorted({*planned} - reached)]
    for name, need in needs.items():
        wanted = name == PLAN_JOB or not inside.get(name, {name}).isdisjoint(planned)
        found += _faults_of(name, need, wanted=wanted, call=name in inside)
    return found or ([] if needs else ["this gate needs no job"])


def _faults_of(name: str, need: Mapping[str, Any], *, wanted: bool, call: bool) -> list[str]:
    result = need["result"]
    if result == "skipped" and not wanted:
        return []
    if result != "success":
        return [f"{name}: {result}{', though it was planned' if wanted else ''}"]
    if call and wanted and need.get("outputs", {}).get("verdict") != "ok":
        return [f"{name}: its gate did not hand up a verdict"]
    return []


def main() -> None:
    """Judge what the runner handed over, and hand up the verdict.

    Raises:
        CheckFailedError: A job failed, was cancelled, or was skipped though it was planned.
        InputError: NEEDS or JOBS is missing or no JSON, as after a plan that failed.
    """
    if found := find_failures(_variable("NEEDS"), _variable("JOBS")):
        raise CheckFailedError("; ".join(found), hint="repeat a red job here: nox -s JOB")
    actions.set_output("verdict", "ok")


def _variable(name: str) -> Any:  # noqa: ANN401 - whatever JSON holds
    try:
        return json.loads(os.environ[name])
    except (KeyError, json.JSONDecodeError):
        raise InputError(
            f"the variable {name} holds no JSON", hint="this gate is for CI; here: nox"
        ) from None


if __name__ == "__main__":
    with handle_errors():
        main()
