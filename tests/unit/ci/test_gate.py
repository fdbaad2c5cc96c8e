"""The gate of CI: green only if everything that was planned succeeded."""

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
def test_only_success_passes_and_skipped_if_it_was_not_planned(result: str, planned: bool) -> None:  # noqa: FBT001 - a row of a table
    found = gate.find_failures({"lint": {"result": result}}, ["lint"] if planned else [])
    green = result == "success" or (result == "skipped" and not planned)
    assert (found == []) is green


def outer(**calls: dict[str, Any]) -> dict[str, Any]:
    names = ("migration-check", "pre-commit", "backend-ci", "frontend-ci", "pipeline-ci")
    return {"plan": {"result": "success"}} | dict.fromkeys(names, OK) | calls


def test_calls_that_handed_up_a_verdict_pass() -> None:
    assert gate.find_failures(outer(), ["lint", "docs"]) == []


def test_a_call_without_a_verdict_is_a_fault() -> None:
    needs = outer(**{"backend-ci": {"result": "success", "outputs": {}}})
    assert gate.find_failures(needs, ["lint"]) == ["backend-ci: its gate did not hand up a verdict"]


def test_a_call_that_was_skipped_though_a_job_of_it_was_planned_is_a_fault() -> None:
    needs = outer(**{"backend-ci": {"result": "skipped"}})
    assert gate.find_failures(needs, ["lint"]) == ["backend-ci: skipped, though it was planned"]


def test_a_call_with_nothing_planned_may_be_skipped() -> None:
    assert gate.find_failures(outer(**{"backend-ci": {"result": "skipped"}}), ["docs"]) == []


@pytest.mark.parametrize("result", ["failure", "cancelled", "skipped"])
def test_a_plan_that_did_not_succeed_is_a_fault(result: str) -> None:
    assert gate.find_failures(outer(plan={"result": result}), []) != []


def test_a_planned_job_that_no_call_holds_is_a_fault() -> None:
    assert gate.find_failures(outer(), ["lnit"]) == ["lnit: planned, but no need of this gate"]


def test_a_gate_that_needs_nothing_is_a_fault() -> None:
    assert gate.find_failures({}, []) == ["this gate needs no job"]


def test_a_job_of_another_file_is_none_of_a_called_files_gate() -> None:
    assert gate.find_failures({"lint": OK}, ["lint", "frontend-lint"]) == []


def test_all_faults_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    needs = {"lint": {"result": "failure"}, "build": {"result": "cancelled"}}
    monkeypatch.setenv("NEEDS", json.dumps(needs))
    monkeypatch.setenv("JOBS", '["lint"]')
    with pytest.raises(CheckFailedError, match=r"lint: failure, .*; build: cancelled"):
        gate.main()


@pytest.mark.parametrize("jobs", ["", "lint"])
def test_a_plan_that_is_no_json_is_an_error(monkeypatch: pytest.MonkeyPatch, jobs: str) -> None:
    monkeypatch.setenv("NEEDS", "{}")
    monkeypatch.setenv("JOBS", jobs)
    with pytest.raises(InputError, match="JOBS"):
        gate.main()


def test_the_verdict_is_handed_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NEEDS", json.dumps({"lint": OK}))
    monkeypatch.setenv("JOBS", '["lint"]')
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "output"))
    gate.main()
    assert (tmp_path / "output").read_text() == "verdict=ok\n"
