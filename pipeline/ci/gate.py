"""Check the results of a workflow's jobs: every planned job must have succeeded.

NEEDS='{"lint": {"result": "success"}}' JOBS='["lint"]' python -m pipeline.ci.gate

A job may be skipped only if the plan did not select it, so a job that silently stops running fails
the gate. A call of another workflow passes only if the gate of that workflow set the output
`verdict: ok`: GitHub does not show a caller the results of the jobs inside.
https://docs.github.com/actions/reference/contexts-reference#needs-context
"""

import json
import os
from collections.abc import Collection, Mapping
from typing import Any

from pipeline.errors import CheckFailedError, InputError, handle_errors
from pipeline.github import actions, loader

_PLAN_JOB = "plan"
_NeedsContext = Mapping[str, Mapping[str, Any]]


def find_failures(needs: _NeedsContext, planned: Collection[str]) -> list[str]:
    """Return a sentence for each job whose result differs from the plan.

    Args:
        needs: GitHub's `needs` context of the gate.
        planned: The ids of the jobs that the plan selected.
    """
    jobs_by_call = {call: {job.id for job in jobs} for call, jobs in loader.jobs_by_call().items()}
    # the gate of a called workflow: it has no calls, and the plan contains jobs of other workflows
    if _PLAN_JOB not in needs:
        jobs_by_call, planned = {}, set(needs).intersection(planned)
    covered = {job for name in needs for job in jobs_by_call.get(name, {name})}
    missing = sorted({*planned} - covered)
    failures = [f"{job}: planned, but missing from the gate's needs" for job in missing]
    for name, need in needs.items():
        required = name == _PLAN_JOB or not jobs_by_call.get(name, {name}).isdisjoint(planned)
        failures += _job_failures(name, need, required=required, call=name in jobs_by_call)
    return failures or ([] if needs else ["the gate has no needs"])


def _job_failures(name: str, need: Mapping[str, Any], *, required: bool, call: bool) -> list[str]:
    result = need["result"]
    if result == "skipped" and not required:
        return []
    if result != "success":
        return [f"{name}: {result}{', but it was planned' if required else ''}"]
    if call and required and need.get("outputs", {}).get("verdict") != "ok":
        return [f"{name}: its gate did not set the output verdict"]
    return []


def main() -> None:
    """Check the results in NEEDS against the plan in JOBS, and set the output `verdict`.

    Raises:
        CheckFailedError: A job failed, was cancelled, or was skipped although it was planned.
        InputError: NEEDS or JOBS is missing or not JSON, for example because the plan failed.
    """
    if failures := find_failures(_variable("NEEDS"), _variable("JOBS")):
        raise CheckFailedError("; ".join(failures), hint="run a failed job locally: nox -s JOB")
    actions.set_output("verdict", "ok")


def _variable(name: str) -> Any:  # noqa: ANN401 - any JSON value
    try:
        return json.loads(os.environ[name])
    except (KeyError, json.JSONDecodeError):
        raise InputError(
            f"variable {name} is not JSON", hint="the gate runs in CI only; locally: nox"
        ) from None


if __name__ == "__main__":
    with handle_errors():
        main()
