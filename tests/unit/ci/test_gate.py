"""The gate of CI passes only if every planned job succeeded."""

import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.ci import gate
from pipeline.errors import CheckFailedError, InputError

OK = {"result": "success", "outputs": {"verdict": "ok"}}


@pytest.mark.parametrize(
    ("result", "planned"),
    [*itertools.product(["success", "failure", "cancelled", "skipped"], [True, False])],
)
def test_planned_job_must_succeed(result: str, planned: bool) -> None:  # noqa: FBT001 - a row of a table
    found = gate.find_failures({"lint": {"result": result}}, ["lint"] if planned else [])
    green = result == "success" or (result == "skipped" and not planned)
    assert (found == []) is green


def outer(**calls: dict[str, Any]) -> dict[str, Any]:
    names = ("migration-check", "pre-commit", "backend-ci", "frontend-ci", "pipeline-ci")
    return {"plan": {"result": "success"}} | dict.fromkeys(names, OK) | calls


def test_calls_with_verdict_pass() -> None:
    assert gate.find_failures(outer(), ["lint", "docs"]) == []


def test_call_without_verdict_fails() -> None:
    needs = outer(**{"backend-ci": {"result": "success", "outputs": {}}})
    assert gate.find_failures(needs, ["lint"]) == [
        "backend-ci: its gate did not set the output verdict"
    ]


def test_skipped_call_with_planned_job_fails() -> None:
    needs = outer(**{"backend-ci": {"result": "skipped"}})
    assert gate.find_failures(needs, ["lint"]) == ["backend-ci: skipped, but it was planned"]


def test_skipped_call_without_planned_job_passes() -> None:
    assert gate.find_failures(outer(**{"backend-ci": {"result": "skipped"}}), ["docs"]) == []


@pytest.mark.parametrize("result", ["failure", "cancelled", "skipped"])
def test_unsuccessful_plan_fails(result: str) -> None:
    assert gate.find_failures(outer(plan={"result": result}), []) != []


def test_planned_job_outside_needs_fails() -> None:
    assert gate.find_failures(outer(), ["lnit"]) == [
        "lnit: planned, but missing from the gate's needs"
    ]


def test_gate_without_needs_fails() -> None:
    assert gate.find_failures({}, []) == ["the gate has no needs"]


def test_called_gate_ignores_other_workflows() -> None:
    assert gate.find_failures({"lint": OK}, ["lint", "frontend-lint"]) == []


def test_all_failures_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    needs = {"lint": {"result": "failure"}, "build": {"result": "cancelled"}}
    monkeypatch.setenv("NEEDS", json.dumps(needs))
    monkeypatch.setenv("JOBS", '["lint"]')
    with pytest.raises(CheckFailedError, match=r"lint: failure, .*; build: cancelled"):
        gate.main()


@pytest.mark.parametrize("jobs", ["", "lint"])
def test_plan_must_be_json(monkeypatch: pytest.MonkeyPatch, jobs: str) -> None:
    monkeypatch.setenv("NEEDS", "{}")
    monkeypatch.setenv("JOBS", jobs)
    with pytest.raises(InputError, match="JOBS"):
        gate.main()


def test_verdict_is_set_as_output(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NEEDS", json.dumps({"lint": OK}))
    monkeypatch.setenv("JOBS", '["lint"]')
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "output"))
    gate.main()
    assert (tmp_path / "output").read_text() == "verdict=ok\n"
