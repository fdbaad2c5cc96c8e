import json
import sys
from pathlib import Path

import pytest

from pipeline.parity.__main__ import main
from pipeline.parity.report import as_json, as_sarif, as_text
from pipeline.parity.rule import ReportedViolation
from pipeline.parity.rules import RULES
from tests.conftest import Run

FINDING = ReportedViolation(
    ".github/workflows/ci.yml",
    7,
    "job-has-one-run-step",
    "job `a` has 2 runs, not one",
    "leave one",
)


def test_text_is_place_rule_sentence_and_hint() -> None:
    assert as_text([FINDING]).splitlines() == [
        ".github/workflows/ci.yml:7: [job-has-one-run-step] job `a` has 2 runs, not one",
        "  hint: leave one",
        "parity: 1 findings",
    ]


def test_text_without_findings_says_how_much_was_judged() -> None:
    assert as_text([]) == f"parity: {len(RULES)} rules hold"


def test_json_is_a_list_of_findings() -> None:
    assert json.loads(as_json([FINDING])) == [
        {
            "file": ".github/workflows/ci.yml",
            "line": 7,
            "rule": "job-has-one-run-step",
            "message": "job `a` has 2 runs, not one",
            "hint": "leave one",
        }
    ]


def test_sarif_names_every_rule_and_places_every_finding() -> None:
    log = json.loads(as_sarif([FINDING]))
    (run,) = log["runs"]
    (result,) = run["results"]
    place = result["locations"][0]["physicalLocation"]
    assert log["version"] == "2.1.0"
    assert {rule["id"] for rule in run["tool"]["driver"]["rules"]} == {rule.id for rule in RULES}
    assert result["ruleId"] == "job-has-one-run-step"
    assert place["artifactLocation"]["uri"] == ".github/workflows/ci.yml"
    assert place["region"]["startLine"] == 7


@pytest.mark.parametrize("form", ["text", "json", "sarif"])
def test_where_all_is_well_it_says_so_in_every_format(
    form: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.parity.__main__.find_violations", lambda *_: [])
    assert main([f"--format={form}"]) == 0
    assert capsys.readouterr().out


def test_an_unknown_format_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--format=xml"])
    assert caught.value.code == 2
    assert "invalid choice" in capsys.readouterr().err


def test_a_finding_is_exit_1(checkout: Path, run: Run) -> None:
    with (checkout / ".github/workflows/pre-commit.yml").open("a") as file:
        file.write("  more:\n    name: more\n    steps: []\n")
    run("git", "init", "--quiet")
    result = run(sys.executable, "-m", "pipeline.parity")
    assert result.returncode == 1
    assert "pre-commit.yml:" in result.stdout
    assert "[job-has-one-run-step]" in result.stdout


def test_every_rule_says_what_it_asks_for() -> None:
    for rule in RULES:
        assert rule.summary.endswith(".")
        assert "\n" not in rule.summary
        assert rule.hint
