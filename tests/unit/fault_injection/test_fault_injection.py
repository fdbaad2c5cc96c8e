"""A gate passes if its session fails on a fault with the expected text."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.errors import CheckFailedError, InconclusiveError, InputError
from pipeline.fault_injection.__main__ import main
from tests.unit.fault_injection.conftest import FAULT, TOOL, WORKFLOW
from tests.waiting import SOON, until

GOOD = 'change = [{ file = "product.txt", append = "bad" }]\nexpect = "E1"\n'


def put(project: Path, fault: str, gate: str = "") -> None:
    """Write a table with one fault."""
    (project / "faults/all.toml").write_text(f'[style]\n{gate}\n[style."a bad word"]\n{fault}')


def red(*arguments: str) -> str:
    with pytest.raises(CheckFailedError) as caught:
        main(arguments)
    return str(caught.value)


@pytest.mark.usefixtures("project")
def test_a_fault_that_its_tool_names_proves_the_gate(capsys: pytest.CaptureFixture[str]) -> None:
    main([])
    clean, fault, summary = capsys.readouterr().out.splitlines()
    assert clean.startswith("style  - ")
    assert clean.endswith("passes without a fault")
    assert fault.startswith("style  a bad word ")
    assert fault.endswith("detected")
    assert summary == "1 of 1 faults detected, in 1 gates"


def test_what_one_works_on_is_left_alone(project: Path, tmp_path: Path) -> None:
    (project / "new.txt").write_text("not committed")
    before = {path: path.read_bytes() for path in project.glob("[a-z]*.*")}
    main([])
    assert {path: path.read_bytes() for path in project.glob("[a-z]*.*")} == before
    assert not [*tmp_path.glob("proof-*")]


@pytest.mark.usefixtures("project")
def test_a_gate_whose_body_is_empty_is_found_out(project: Path) -> None:
    noxfile = project / "noxfile.py"
    noxfile.write_text(noxfile.read_text().replace("    session.run", "    # session.run"))
    assert red() == "style: a bad word: passes with the fault"


@pytest.mark.usefixtures("project")
def test_emptying_every_gate_shows_that_each_is_found_out(
    capsys: pytest.CaptureFixture[str],
) -> None:
    main(["--empty-sessions"])
    assert "1 gates are empty, and the run reports each of them" in capsys.readouterr().out


def test_a_fault_that_is_found_without_the_session_is_no_proof_of_it(project: Path) -> None:
    fault = 'change = [{ file = "noxfile.py", append = "raise SystemExit(\'E1\')" }]\nexpect = "E1"'
    put(project, fault)
    assert red("--empty-sessions") == "style: a bad word: detected"


@pytest.mark.parametrize(
    ("fault", "verdict"),
    [
        (GOOD.replace("E1", "E2"), "a bad word: fails, but without the expected text"),
        (
            GOOD.replace("E1", "the tool looks"),
            "a bad word: the expected text appears without the fault too",
        ),
        (GOOD.replace('append = "bad"', 'find = "gone", replace = "bad"'), "does not apply"),
        (GOOD.replace("product", "gone"), "a bad word: the fault does not apply"),
        (GOOD.replace("append", "write"), "a bad word: the fault does not apply"),
        (GOOD.replace('"bad"', '"fine"'), "a bad word: passes with the fault"),
    ],
)
def test_anything_else_is_no_proof(project: Path, fault: str, verdict: str) -> None:
    put(project, fault)
    assert verdict in red()


def test_a_gate_that_is_red_anyway_proves_nothing(project: Path) -> None:
    (project / "product.txt").write_text("bad\n")
    assert red() == "style: no fault: fails without a fault"


def test_a_fault_may_be_a_variable_a_pattern_or_a_new_file(project: Path) -> None:
    put(project, 'env = { WORDS = "all" }\nexpect = "E1"')
    main([])
    put(
        project,
        'change = [{ file = "product.txt", match = "g(o)+d", replace = "bad" }]\nexpect = "E1"',
    )
    main([])
    folder = 'change = [{ file = "more/new.py", write = "1", times = 3 }]'
    put(project, f'{folder}\nenv = {{ WORDS = "all" }}\nexpect = "E1"')
    main([])


def test_a_fault_may_be_run_with_options_and_variables(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(project, GOOD, 'options = ["one"]\nenv = { WHAT = "words" }')
    main([])
    put(project, f'{GOOD}options = ["two"]', 'options = ["one"]')
    main([])
    assert capsys.readouterr().out.count("detected\n") == 2


def test_a_delivery_may_be_proved_elsewhere(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("pipeline.fault_injection.sandbox.NO_NETWORK_COMMAND", ())
    (project / "faults/all.toml").write_text('[style]\ntested_by = "a rehearsal"\n')
    main([])
    assert "style: tested by: a rehearsal" in capsys.readouterr().err
    main(["--offline"])
    assert "1 sessions: 1 " in capsys.readouterr().out


def test_a_session_may_be_run_beside_a_service(project: Path) -> None:
    service = "import subprocess, sys; sys.exit(subprocess.call(sys.argv[4:]))"
    (project / "service.py").write_text(service)
    put(
        project, f'{GOOD}wrapper = ["service", "--down", "1"]', 'wrapper = ["service", "--up", "1"]'
    )
    main([])


def test_what_is_needed_first_is_made_first(project: Path) -> None:
    put(project, GOOD.replace("bad", "fine"), 'setup = ["sh", "-c", "exit 3"]')
    assert red() == "style: no fault: fails without a fault"


def test_packages_are_taken_over(project: Path) -> None:
    (project / "packages").mkdir()
    (project / "packages/one.txt").write_text("one")
    tool = project / "tool.py"
    tool.write_text(tool.read_text() + "open('packages/one.txt')\n")
    put(project, GOOD, 'link = ["packages", "gone"]')
    main([])


def test_a_service_out_of_reach_is_not_judged(project: Path) -> None:
    away = 'change = [{ file = "product.txt", append = "away" }]\nexpect = "E1"\n'
    put(project, f'{away}skip_if_inconclusive = "words"')
    with pytest.raises(InconclusiveError, match="style: a bad word: inconclusive"):
        main([])
    put(project, away)
    assert red() == "style: a bad word: passes with the fault"


def test_what_is_not_here_is_not_judged(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("SOME_KEY", raising=False)
    put(project, GOOD, 'needs = ["SOME_KEY"]')
    with pytest.raises(InconclusiveError):
        main([])
    monkeypatch.setenv("SOME_KEY", "here")
    main([])
    monkeypatch.setattr("pipeline.fault_injection.gate_runner.is_engine_available", lambda: False)
    put(project, GOOD, 'needs = ["docker"]')
    with pytest.raises(InconclusiveError):
        main([])
    assert capsys.readouterr().out.count("inconclusive") == 4


def test_what_is_slow_is_left_to_the_full_set_or_to_its_name(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(project, f"{GOOD}slow = true")
    main([])
    assert "0 of 0 faults" in capsys.readouterr().out
    for arguments in (["--full"], ["style"], ["a bad word"]):
        main(arguments)
        assert "1 of 1 faults" in capsys.readouterr().out


def test_a_job_without_a_fault_is_red_by_itself(project: Path) -> None:
    (project / "faults/all.toml").write_text("[other]\n")
    found = red()
    assert "gate `style` has no fault" in found
    assert "there is no job `other`" in found


def test_the_rows_of_a_job_are_named_as_they_are(project: Path) -> None:
    matrix = "strategy: {matrix: {django: ['5', '6']}}\n    steps:"
    row = "run: nox -s \"$S\"\n        env:\n          S: style(django='${{ matrix.django }}')"
    workflow = WORKFLOW.replace("steps:", matrix).replace("run: nox -s style", row)
    (project / ".github/workflows/ci.yml").write_text(workflow)
    noxfile = (
        (project / "noxfile.py")
        .read_text()
        .replace("def style(session)", "def style(session, django)")
    )
    noxfile = noxfile.replace("\ndef style", '\n@nox.parametrize("django", ["5", "6"])\ndef style')
    (project / "noxfile.py").write_text(noxfile)
    assert "job `style` has a matrix: set `row` for the quick set" in red()
    put(project, GOOD, "row = \"style(django='7')\"")
    assert "`style(django='7')` is not a row of job `style`" in red()
    put(project, GOOD, "row = \"style(django='6')\"")
    main([])
    main(["--full"])


@pytest.mark.usefixtures("project")
def test_without_a_network_a_session_passes_is_not_judged_or_says_what_to_do(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("pipeline.fault_injection.sandbox.NO_NETWORK_COMMAND", ("env", "CUT=1"))
    tool = project / "tool.py"
    main(["--offline"])
    assert "1 sessions: 1 passes without a fault" in capsys.readouterr().out
    assert "without a network" in (project / "reports/gates-offline.html").read_text()
    tool.write_text("import sys; sys.exit('error: it is away\\n\\nhint: wait')")
    main(["--offline"])
    assert "fails with a hint: error: it is away" in capsys.readouterr().out
    tool.write_text("import sys; sys.exit('Traceback')")
    assert red("--offline") == "style: no fault: fails without a hint"
    (project / "product.txt").write_text("away")
    tool.write_text(TOOL)
    main(["--offline"])
    assert "inconclusive: words: the list is out of reach" in capsys.readouterr().out


@pytest.mark.usefixtures("project")
def test_among_secrets_a_session_shows_none(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("pipeline.fault_injection.canaries.secret_names", lambda: {"TOKEN"})
    tool = project / "tool.py"
    tool.write_text("import os, sys; sys.exit('no such token' * ('TOKEN' in os.environ))")
    main(["--canaries"])
    output = capsys.readouterr().out
    assert "shows no secret: red: " in output
    assert "\nserve  " in output, "no job runs it, and it ends all the same"
    assert output.endswith("2 sessions: 2 shows no secret\n")
    tool.write_text("import os; print(os.environ['TOKEN'])")
    assert red("--canaries") == "style: no fault: shows a secret"
    assert "TOKEN in its output" in (project / "reports/gates-canaries.html").read_text()
    tool.write_text("import os; open('left', 'w').write(os.environ['TOKEN'])")
    red("--canaries")
    assert "shows a secret: TOKEN in left" in capsys.readouterr().out


@pytest.mark.usefixtures("project")
def test_a_name_that_stands_nowhere_is_an_error_with_a_hint() -> None:
    with pytest.raises(InputError, match="no such gate or fault: styel"):
        main(["styel"])


def test_all_faults_of_the_table_are_shown_at_once(project: Path) -> None:
    put(project, 'says = "E1"\n', "quik = true")
    (project / "faults/b.toml").write_text("[style\n")
    (project / "faults/c.toml").write_text('[other."x"]\nexpect = ""\nchange = [{ file = "a" }]\n')
    (project / "faults/d.toml").write_text("[more]\n")
    (project / "faults/e.toml").write_text("[more]\n")
    with pytest.raises(InputError) as caught:
        main([])
    message = str(caught.value)
    assert "faults/all.toml:2: style.quik: " in message
    assert "a fault needs `change` or `env`" in message
    assert "faults/b.toml:1: " in message
    assert "an edit needs exactly one of find, match, append, write" in message
    assert "faults/e.toml: more is defined in another file too" in message


def test_ctrl_c_ends_what_runs_and_leaves_nothing(project: Path, tmp_path: Path) -> None:
    (project / "faults/all.toml").write_text(FAULT.replace("bad\\n", "sleep\\n"))
    root = Path(__file__).parents[3]
    started = tmp_path / "started"
    env = {**os.environ, "PYTHONPATH": str(root), "STARTED": str(started)}
    process = subprocess.Popen(
        [sys.executable, "-m", "pipeline.fault_injection"],
        cwd=project,
        env=env,
        stderr=subprocess.PIPE,
    )
    until(started.exists)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=SOON)
    assert process.returncode == 130
    assert not [*tmp_path.glob("proof-*")]


def test_the_page_needs_nothing_else_and_shows_the_tool_s_own_words(project: Path) -> None:
    put(project, GOOD.replace("expect", "options = ['<b>']\nexpect"))
    main([])
    text = (project / "reports/gates.html").read_text()
    assert "<code>tool: E1 a bad word</code>" in text
    assert "http" not in text
    assert "color-scheme: light dark" in text
    put(project, GOOD.replace("E1", "E2"))
    red()
    assert "end of its output" in (project / "reports/gates.html").read_text()
