"""What people see, and what they see where little can be shown."""

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.ci import plan
from pipeline.ci.report import live as screens
from pipeline.ci.report.html_report import CSS_FILE
from pipeline.ci.report.live import last_log_line
from pipeline.ci.terminal import format_duration
from tests.support.sample_repo import BIN, SampleRepo
from tests.unit.ci.conftest import InProcessCI, RunInRepo

CSI = re.compile(r"\x1b\[([0-9;?]*)([A-Za-z])")


def on_a_terminal(toy: SampleRepo, columns: int = 80, **variables: str) -> str:
    """Run it on a terminal; return all that it was sent."""
    ours, theirs = pty.openpty()
    env = toy.env(TERM="xterm", COLUMNS=str(columns), TOY_SECONDS="1", **variables)
    command = [str(BIN / "invoke"), "ci"]
    process = subprocess.Popen(command, cwd=toy.root, env=env, stdout=theirs, stderr=theirs)
    os.close(theirs)
    sent = b""
    try:
        while chunk := os.read(ours, 65536):
            sent += chunk
    except OSError:  # so a terminal says that nobody writes to it any more
        pass
    os.close(ours)
    process.wait()
    return sent.decode()


def test_on_a_terminal_live_rows_are_drawn_and_finished_ones_stay(repo: SampleRepo) -> None:
    sent = on_a_terminal(repo)
    assert re.search(r"running 2 · done 0 · failed 0 · waiting 1", sent)
    assert "2 files in red" not in sent.splitlines()[-1]
    assert "\x1b[32mpassed      \x1b[0m red" in sent
    assert {match[2] for match in CSI.finditer(sent)} <= {"A", "J", "m"}  # no alternate screen


def test_no_row_is_wider_than_a_narrow_terminal(repo: SampleRepo) -> None:
    for again in range(2):  # the second run has an estimate
        sent = CSI.sub("", on_a_terminal(repo, columns=40))
        heads = [line for line in sent.splitlines() if line.startswith(("running", "about"))]
        rows = [line for line in sent.splitlines() if line.startswith((*screens.SPINNER,))]
        assert re.match(r"about \d+ \w+ left" if again else "running 2", heads[0])
        assert all(len(line) < 40 for line in [*heads, *rows])
        repo.write("noxfile.py", (repo.root / "noxfile.py").read_text() + "\n")


def test_without_colour_there_is_none(repo: SampleRepo) -> None:
    assert "m" not in {match[2] for match in CSI.finditer(on_a_terminal(repo, NO_COLOR="1"))}


def test_without_utf_8_it_is_ascii(repo: SampleRepo) -> None:
    sent = on_a_terminal(repo, PYTHONIOENCODING="ascii")
    assert sent.isascii()
    assert "running 2 - done 0" in sent


def test_without_a_terminal_it_is_one_line_for_each_event(ci: InProcessCI) -> None:
    said = ci()
    assert "\x1b" not in said
    assert said.count("started      ") == said.count("passed       ") == 3


def test_without_a_terminal_there_is_a_sign_of_life(
    ci: InProcessCI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(screens, "HEARTBEAT_INTERVAL", 0.05)
    monkeypatch.setenv("TOY_SECONDS", "0.5")
    assert re.search(r"running      (red|green|blue) \d+ s, (red|green|blue) \d+ s\n", ci())
    assert re.search(r"running      .* s; about \d+ \w+ left\n", ci(no_cache=True))


def test_in_ci_nothing_is_redrawn(repo: SampleRepo) -> None:
    assert "A" not in {match[2] for match in CSI.finditer(on_a_terminal(repo, CI="1"))}


def test_failures_come_last_with_their_log_and_the_command_that_repeats_them(
    ci: InProcessCI,
) -> None:
    ci.toy.write("red/one.txt", "BROKEN")
    _, last = ci().split("\nfailed: red  reports/ci/red.log\n")
    assert "  2 files in red\n" in last
    logs = "logs: reports/ci/<session>.log; report: reports/ci.html\n"
    assert f'hint: nox -s "red"\n\n{logs}ci: 2 green, 1 failed: ' in last
    assert (ci.toy.root / "reports/ci/red.log").read_text().count("2 files in red") == 1


def test_what_was_not_judged_is_grouped_by_reason_before_the_failures(
    ci: InProcessCI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary"))
    ci.toy.write("blue/one.txt", "inconclusive")
    ci.toy.write("green/one.txt", "inconclusive")
    ci.toy.write("red/one.txt", "BROKEN")
    said = ci()
    block = "2  no service answers\n     green, blue\n     hint: start it\n"
    assert f"\ninconclusive: 2 sessions, for 1 reason\n  {block}\nfailed: red" in said
    assert ", green: no service answers: at green, reports/ci/green.log\n" in said
    summary = (tmp_path / "summary").read_text()
    assert "- no service answers: `green`, `blue`  \n  hint: `start it`\n" in summary
    group = {"reason": "no service answers", "hint": "start it", "names": ["green", "blue"]}
    assert ci.toy.report()["inconclusive"] == [group]


def test_a_run_says_at_its_start_how_much_there_is_to_do(ci_after_green_run: InProcessCI) -> None:
    ci_after_green_run.toy.git("switch", "--quiet", "--create=work")
    ci_after_green_run.toy.write("red/one.txt", "other")
    assert re.search(
        r"^ci: 1 session to run, 2 skipped, about \d+ \w+$", ci_after_green_run(), re.MULTILINE
    )
    ci_after_green_run.toy.write(
        "noxfile.py", (ci_after_green_run.toy.root / "noxfile.py").read_text() + "\n"
    )
    assert re.search(r"^ci: 3 sessions to run, about \d+ \w+$", ci_after_green_run(), re.MULTILINE)
    assert "to run" not in ci_after_green_run()


def test_a_first_run_of_unknown_jobs_has_no_estimate(ci: InProcessCI) -> None:
    assert ci().startswith("ci: 3 sessions to run\n")


def test_a_log_is_shown_without_its_colours_and_its_progress(ci: InProcessCI) -> None:
    osc = "\\x1b]8;;https://example.com\\x07link\\x1b]8;;\\x07"
    text = f"10 %\\r99 %\\r\\x1b[1;31mred\\x1b[0m {osc} \\x1b(B\\x08end\\r\\nlast"
    ci.toy.write("check.py", f"import sys\nprint('{text}')\nsys.exit(1)\n")
    assert "\n  red link end\n  last\n" in ci()
    page = (ci.toy.root / "reports/ci.html").read_text()
    assert "\nred link end\nlast\n" in page
    assert "\x1b" not in page


def test_the_plan_is_a_table(ci: InProcessCI) -> None:
    ci.toy.git("switch", "--quiet", "--create=work")
    ci.toy.write("red/one.txt", "other")
    said = ci(plan=True)
    assert "run        red    red: red/one.txt\n" in said
    assert "leave out  green  nothing of common, green was touched since main\n" in said
    assert said.endswith("ci: 1 of 3 sessions would run\n")


def test_nobody_who_listens_is_no_error(repo: SampleRepo) -> None:
    with Path("/dev/full").open("w") as full:
        command = [str(BIN / "invoke"), "ci"]
        done = subprocess.run(
            command, cwd=repo.root, env=repo.env(), stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert b"Traceback" not in done.stderr
    assert repo.executed_sessions() == ["blue", "green", "red"]


@pytest.mark.parametrize("variables", [{"LANG": "C"}, {"PYTHONIOENCODING": "ascii"}])
def test_a_reader_that_leaves_after_a_line_is_no_error(
    repo: SampleRepo, variables: dict[str, str]
) -> None:
    command = ["bash", "-c", f"'{BIN}/invoke' ci | head -1"]
    env = repo.env(**variables)
    done = subprocess.run(command, cwd=repo.root, env=env, capture_output=True, check=False)
    assert (done.stdout, done.stderr) == (b"ci: 3 sessions to run\n", b"")
    assert repo.executed_sessions() == ["blue", "green", "red"]


def test_where_nothing_can_be_remembered_it_says_so_and_runs(repo: SampleRepo) -> None:
    repo.home.joinpath(".cache").write_text("in the way")
    code, said = repo.ci()
    assert code == 0
    assert "ci: nothing is remembered in " in said
    assert repo.ci()[0] == 0
    assert repo.executed_sessions() == sorted(["red", "green", "blue"] * 2)


def test_where_the_checkout_cannot_be_written_to_it_says_so(ci: InProcessCI) -> None:
    ci.toy.write(".cache", "in the way")
    ci.toy.write("reports/ci.json/in-the-way", "x")
    said = ci()
    assert ci.code == 0
    assert "ci: nothing is remembered in .cache/ci" in said
    assert "ci: there is no report: " in said


@pytest.mark.parametrize("place", ["reports", "reports/ci"])
def test_a_file_where_the_logs_belong_is_named(ci: InProcessCI, place: str) -> None:
    ci.toy.write(place, "in the way")
    said = ci()
    assert (ci.code, ci.toy.executed_sessions()) == (2, [])
    assert "error: `reports/ci` cannot be used: " in said
    assert said.endswith(f"hint: move what is in the way: ls -ld {place}\n")


def test_no_name_of_a_file_breaks_the_plan_or_the_summary(
    ci: InProcessCI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    summary = tmp_path / "summary"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    ci.toy.git("switch", "--quiet", "--create=work")
    ci.toy.write("red/a\n|\x1b[8m\udced", "words")
    told = r"red: 'red/a\n|\x1b[8m\udced'"
    assert f"run        red    {told}\n" in ci(plan=True)
    plan.main()
    cell = told.replace("|", r"\|")
    assert f"| `red` | yes | {cell} |\n" in summary.read_text()
    ci()
    assert re.search(
        rf"^\| `red` \| passed \| .* \| {re.escape(cell)} \|$", summary.read_text(), re.MULTILINE
    )
    assert ci.toy.report()["exit_code"] == 0
    (ci.toy.root / "red/a\n|\x1b[8m\udced").write_text("other words")
    assert r"    'red/a\n|\x1b[8m\udced': changed" in ci(explain="red")


def limited(toy: SampleRepo, kibibytes: int) -> tuple[int, str]:
    """Run it where no file can grow beyond a limit, which to a program is like a full disk."""
    command = ["bash", "-c", f"ulimit -f {kibibytes}; exec '{BIN}/invoke' ci"]
    done = subprocess.run(
        command, cwd=toy.root, env=toy.env(), capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


def test_a_full_disk_costs_the_memory_but_no_result(repo: SampleRepo) -> None:
    code, said = limited(repo, 1)
    assert code == 0
    assert "ci: nothing is remembered in " in said
    assert "Traceback" not in said
    assert repo.ci()[0] == 0


def test_where_nothing_at_all_can_be_written_nothing_is_green(repo: SampleRepo) -> None:
    code, said = limited(repo, 0)
    assert code != 0
    assert "passed" not in said


@pytest.mark.parametrize("garbage", ["", "{", "[]", "{}", "null", '{"greens": [1], "runs": 7}'])
def test_a_corrupt_record_is_a_miss(ci_after_green_run: InProcessCI, garbage: str) -> None:
    for name in (".cache/toy/ci/red.json",):
        ci_after_green_run.toy.home.joinpath(name).write_text(garbage)
    for name in ("stamps.json", "digests.json", "catalogue.json"):
        ci_after_green_run.toy.root.joinpath(".cache/ci", name).write_text(garbage)
    assert ci_after_green_run.ran() == ["red"]
    assert ci_after_green_run.code == 0


def test_a_strict_run_over_its_budget_has_an_exit_code_of_its_own(ci: InProcessCI) -> None:
    settings = (ci.toy.root / "pipeline.toml").read_text() + "red = 0.001\n"
    ci.toy.write("pipeline.toml", settings)
    assert "over its budget by " in ci()
    assert ci.code == 0
    assert "error: over budget: red by " in ci(no_cache=True, enforce_budgets=True)
    assert ci.code == 11


def test_in_ci_the_summary_has_the_table(
    ci: InProcessCI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary"))
    ci()
    assert "| `red` | passed | " in (tmp_path / "summary").read_text()


def test_the_report_needs_nothing_from_elsewhere_and_escapes_what_it_shows(ci: InProcessCI) -> None:
    ci.toy.write("red/one.txt", "BROKEN")
    ci.toy.write("check.py", "import sys\nsys.exit('<script>alert(1)</script>')\n")
    ci()
    page = (ci.toy.root / "reports/ci.html").read_text()
    assert "&lt;script&gt;alert(1)" in page
    assert "<script" not in page
    assert not re.search(r"(src|href|url\(|@import)\s*[=(]?\s*[\"']?(https?:)?//", page)
    assert page.count("<tr>") == 4


def test_the_report_begins_with_what_failed_and_what_was_not_judged(ci: InProcessCI) -> None:
    ci.toy.write("red/one.txt", "BROKEN")
    ci.toy.write("green/one.txt", "inconclusive")
    ci()
    page = (ci.toy.root / "reports/ci.html").read_text()
    headings = re.findall(r"<h[12].*?>(.*?)</h", page)
    assert headings == ["red: red", "Failed", "Not judged", "Timeline", "Logs", "Sessions"]
    assert "no service answers <b>1</b><dd>green<dd>hint: <code>start it</code>" in page
    assert "<details><summary>red: the last " in page


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours: https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    digits = colour.removeprefix("#")
    digits = digits if len(digits) == 6 else "".join(digit * 2 for digit in digits)
    parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_the_words_of_the_report_stand_out_in_both_colour_schemes(scheme: int) -> None:
    roots = re.findall(r":root \{(.*?)\}", CSS_FILE.read_text(), re.DOTALL)
    colours = dict(re.findall(r"--(\w+): (#\w+)", roots[scheme]))
    for ink in ("ink", "soft", "passed", "failed", "doubt"):
        for ground in ("paper", "panel"):
            ratio = contrast(colours[ink], colours[ground])
            assert ratio >= 4.5, f"{ink} on {ground}: {ratio:.1f}"


def test_the_report_says_what_the_run_waited_for(ci: InProcessCI) -> None:
    ci(jobs="1")
    report = json.loads((ci.toy.root / "reports/ci.json").read_text())
    assert all(session["critical"] for session in report["sessions"])
    assert report["exit_code"] == 0
    assert report["work"] <= report["wall"] + 0.5
    ci()
    report = json.loads((ci.toy.root / "reports/ci.json").read_text())
    assert {session["outcome"] for session in report["sessions"]} == {"cached"}
    assert report["saved"] > 0


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0 s"), (0.04, "0.0 s"), (9.94, "9.9 s"), (59, "59 s"), (60, "1 min"), (7200, "2 h")],
)
def test_times_are_told_in_the_largest_unit(seconds: float, said: str) -> None:
    assert format_duration(seconds) == said


def test_the_last_line_of_a_log_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert last_log_line(tmp_path / "nothing") == ""


def test_outside_of_a_checkout_it_is_an_error_with_a_hint(
    run_in_repo: RunInRepo, repo: SampleRepo, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    here = run_in_repo(repo)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/pipeline.toml").write_text((repo.root / "pipeline.toml").read_text())
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert "git cannot answer here: fatal: not a git repository" in here()
    assert here.code == 2


def test_a_pipeline_toml_that_is_wrong_is_an_error_with_its_lines(ci: InProcessCI) -> None:
    text = (ci.toy.root / "pipeline.toml").read_text()
    wrong = text.replace("exclusive = []", 'exclusive = "red"').replace(
        'name = "toy"', 'name = "../x"'
    )
    ci.toy.write("pipeline.toml", wrong)
    said = ci()
    assert ci.code == 2
    assert said.startswith("error: pipeline.toml:1: name: it must be small letters")
    assert "\npipeline.toml:5: ci.exclusive: it must be a list in square brackets" in said
    assert not (ci.toy.root / "reports").exists()


@pytest.mark.parametrize("options", [(), ("--plan",)])
def test_what_is_known_is_answered_without_what_takes_long_to_import(
    ci_after_green_run: InProcessCI, options: tuple[str, ...]
) -> None:
    command = [sys.executable, "-X", "importtime", "-m", "invoke", "ci", *options]
    done = subprocess.run(
        command,
        cwd=ci_after_green_run.toy.root,
        env=ci_after_green_run.toy.env(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "pipeline.settings" in imported
    assert imported.isdisjoint({"pydantic", "nox", "rich", "ruamel.yaml", "pipeline.github.loader"})


@pytest.mark.parametrize(("forbidden", "kept"), [("", 1), ("1", 0)])
def test_what_a_task_imports_is_compiled_once(
    ci_after_green_run: InProcessCI, forbidden: str, kept: int
) -> None:
    ci_after_green_run.toy.ci("--plan", PYTHONDONTWRITEBYTECODE=forbidden)
    assert len([*ci_after_green_run.toy.root.glob("pipeline/ci/__pycache__/cli.*.pyc")]) == kept


def test_a_noxfile_that_cannot_be_read_is_an_error_with_a_hint(ci: InProcessCI) -> None:
    ci.toy.write("noxfile.py", "nonsense")
    assert "the jobs cannot be listed: " in ci()
    assert ci.code == 2
