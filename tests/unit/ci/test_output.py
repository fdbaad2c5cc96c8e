"""The output of `invoke ci` on terminals, in pipes and in CI, and its reports."""

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


def run_on_terminal(toy: SampleRepo, columns: int = 80, **variables: str) -> str:
    """Run `invoke ci` on a pseudo-terminal; return everything that it wrote."""
    parent_end, child_end = pty.openpty()
    env = toy.env(TERM="xterm", COLUMNS=str(columns), TOY_SECONDS="1", **variables)
    command = [str(BIN / "invoke"), "ci"]
    process = subprocess.Popen(command, cwd=toy.root, env=env, stdout=child_end, stderr=child_end)
    os.close(child_end)
    sent = b""
    try:
        while chunk := os.read(parent_end, 65536):
            sent += chunk
    except OSError:  # Linux reports EIO when the other end of a pseudo-terminal is closed
        pass
    os.close(parent_end)
    process.wait()
    return sent.decode()


def test_terminal_shows_live_and_finished_rows(repo: SampleRepo) -> None:
    sent = run_on_terminal(repo)
    assert re.search(r"running 2 · done 0 · failed 0 · waiting 1", sent)
    assert "2 files in red" not in sent.splitlines()[-1]
    assert "\x1b[32mpassed      \x1b[0m red" in sent
    assert {match[2] for match in CSI.finditer(sent)} <= {"A", "J", "m"}  # no alternate screen


def test_rows_fit_narrow_terminal(repo: SampleRepo) -> None:
    for again in range(2):  # the second run has an estimate
        sent = CSI.sub("", run_on_terminal(repo, columns=40))
        heads = [line for line in sent.splitlines() if line.startswith(("running", "about"))]
        rows = [line for line in sent.splitlines() if line.startswith((*screens.SPINNER,))]
        assert re.match(r"about \d+ \w+ left" if again else "running 2", heads[0])
        assert all(len(line) < 40 for line in [*heads, *rows])
        repo.write("noxfile.py", (repo.root / "noxfile.py").read_text() + "\n")


def test_no_color_variable_disables_colour(repo: SampleRepo) -> None:
    assert "m" not in {match[2] for match in CSI.finditer(run_on_terminal(repo, NO_COLOR="1"))}


def test_ascii_stream_gets_ascii(repo: SampleRepo) -> None:
    sent = run_on_terminal(repo, PYTHONIOENCODING="ascii")
    assert sent.isascii()
    assert "running 2 - done 0" in sent


def test_no_terminal_prints_line_per_event(ci: InProcessCI) -> None:
    output = ci()
    assert "\x1b" not in output
    assert output.count("started      ") == output.count("passed       ") == 3


def test_no_terminal_prints_heartbeat(ci: InProcessCI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screens, "HEARTBEAT_INTERVAL", 0.05)
    monkeypatch.setenv("TOY_SECONDS", "0.5")
    assert re.search(r"running      (red|green|blue) \d+ s, (red|green|blue) \d+ s\n", ci())
    assert re.search(r"running      .* s; about \d+ \w+ left\n", ci(no_cache=True))


def test_ci_redraws_nothing(repo: SampleRepo) -> None:
    assert "A" not in {match[2] for match in CSI.finditer(run_on_terminal(repo, CI="1"))}


def test_failures_are_last_with_log_and_command(
    ci: InProcessCI,
) -> None:
    ci.toy.write("red/one.txt", "BROKEN")
    _, last = ci().split("\nfailed: red  reports/ci/red.log\n")
    assert "  2 files in red\n" in last
    logs = "logs: reports/ci/<session>.log; report: reports/ci.html\n"
    assert f'hint: nox -s "red"\n\n{logs}ci: 2 green, 1 failed: ' in last
    assert (ci.toy.root / "reports/ci/red.log").read_text().count("2 files in red") == 1


def test_inconclusive_is_grouped_before_failures(
    ci: InProcessCI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary"))
    ci.toy.write("blue/one.txt", "inconclusive")
    ci.toy.write("green/one.txt", "inconclusive")
    ci.toy.write("red/one.txt", "BROKEN")
    output = ci()
    block = "2  no service answers\n     green, blue\n     hint: start it\n"
    assert f"\ninconclusive: 2 sessions, for 1 reason\n  {block}\nfailed: red" in output
    assert ", green: no service answers: at green, reports/ci/green.log\n" in output
    summary = (tmp_path / "summary").read_text()
    assert "- no service answers: `green`, `blue`  \n  hint: `start it`\n" in summary
    group = {"reason": "no service answers", "hint": "start it", "names": ["green", "blue"]}
    assert ci.toy.report()["inconclusive"] == [group]


def test_start_prints_counts_and_estimate(ci_after_green_run: InProcessCI) -> None:
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


def test_first_run_has_no_estimate(ci: InProcessCI) -> None:
    assert ci().startswith("ci: 3 sessions to run\n")


def test_log_tail_has_no_colours_or_progress(ci: InProcessCI) -> None:
    osc = "\\x1b]8;;https://example.com\\x07link\\x1b]8;;\\x07"
    text = f"10 %\\r99 %\\r\\x1b[1;31mred\\x1b[0m {osc} \\x1b(B\\x08end\\r\\nlast"
    ci.toy.write("check.py", f"import sys\nprint('{text}')\nsys.exit(1)\n")
    assert "\n  red link end\n  last\n" in ci()
    page = (ci.toy.root / "reports/ci.html").read_text()
    assert "\nred link end\nlast\n" in page
    assert "\x1b" not in page


def test_plan_is_a_table(ci: InProcessCI) -> None:
    ci.toy.git("switch", "--quiet", "--create=work")
    ci.toy.write("red/one.txt", "other")
    output = ci(plan=True)
    assert "run        red    red: red/one.txt\n" in output
    assert "skip       green  no file of common, green changed since main\n" in output
    assert output.endswith("ci: 1 of 3 sessions would run\n")


def test_full_stdout_is_not_an_error(repo: SampleRepo) -> None:
    with Path("/dev/full").open("w") as full:
        command = [str(BIN / "invoke"), "ci"]
        done = subprocess.run(
            command, cwd=repo.root, env=repo.env(), stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert b"Traceback" not in done.stderr
    assert repo.executed_sessions() == ["blue", "green", "red"]


@pytest.mark.parametrize("variables", [{"LANG": "C"}, {"PYTHONIOENCODING": "ascii"}])
def test_closed_pipe_is_not_an_error(repo: SampleRepo, variables: dict[str, str]) -> None:
    command = ["bash", "-c", f"'{BIN}/invoke' ci | head -1"]
    env = repo.env(**variables)
    done = subprocess.run(command, cwd=repo.root, env=env, capture_output=True, check=False)
    assert (done.stdout, done.stderr) == (b"ci: 3 sessions to run\n", b"")
    assert repo.executed_sessions() == ["blue", "green", "red"]


def test_unwritable_user_cache_is_reported(repo: SampleRepo) -> None:
    repo.home.joinpath(".cache").write_text("in the way")
    code, output = repo.ci()
    assert code == 0
    assert "ci: cannot write the cache in " in output
    assert repo.ci()[0] == 0
    assert repo.executed_sessions() == sorted(["red", "green", "blue"] * 2)


def test_unwritable_checkout_is_reported(ci: InProcessCI) -> None:
    ci.toy.write(".cache", "in the way")
    ci.toy.write("reports/ci.json/in-the-way", "x")
    output = ci()
    assert ci.code == 0
    assert "ci: cannot write the cache in .cache/ci" in output
    assert "ci: cannot write the report: " in output


@pytest.mark.parametrize("place", ["reports", "reports/ci"])
def test_file_in_place_of_log_folder_is_named(ci: InProcessCI, place: str) -> None:
    ci.toy.write(place, "in the way")
    output = ci()
    assert (ci.code, ci.toy.executed_sessions()) == (2, [])
    assert "error: `reports/ci` cannot be used: " in output
    assert output.endswith(f"hint: move the existing file: ls -ld {place}\n")


def test_file_name_is_escaped_in_plan_and_summary(
    ci: InProcessCI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    summary = tmp_path / "summary"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    ci.toy.git("switch", "--quiet", "--create=work")
    ci.toy.write("red/a\n|\x1b[8m\udced", "words")
    reason = r"red: 'red/a\n|\x1b[8m\udced'"
    assert f"run        red    {reason}\n" in ci(plan=True)
    plan.main()
    cell = reason.replace("|", r"\|")
    assert f"| `red` | yes | {cell} |\n" in summary.read_text()
    ci()
    assert re.search(
        rf"^\| `red` \| passed \| .* \| {re.escape(cell)} \|$", summary.read_text(), re.MULTILINE
    )
    assert ci.toy.report()["exit_code"] == 0
    (ci.toy.root / "red/a\n|\x1b[8m\udced").write_text("other words")
    assert r"    'red/a\n|\x1b[8m\udced': changed" in ci(explain="red")


def run_with_file_limit(toy: SampleRepo, kibibytes: int) -> tuple[int, str]:
    """Run `invoke ci` with a limit on file sizes, which a program sees as a full disk."""
    command = ["bash", "-c", f"ulimit -f {kibibytes}; exec '{BIN}/invoke' ci"]
    done = subprocess.run(
        command, cwd=toy.root, env=toy.env(), capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


def test_full_disk_loses_cache_but_no_result(repo: SampleRepo) -> None:
    code, output = run_with_file_limit(repo, 1)
    assert code == 0
    assert "ci: cannot write the cache in " in output
    assert "Traceback" not in output
    assert repo.ci()[0] == 0


def test_no_writable_file_passes_nothing(repo: SampleRepo) -> None:
    code, output = run_with_file_limit(repo, 0)
    assert code != 0
    assert "passed" not in output


@pytest.mark.parametrize("garbage", ["", "{", "[]", "{}", "null", '{"greens": [1], "runs": 7}'])
def test_corrupt_cache_file_is_a_miss(ci_after_green_run: InProcessCI, garbage: str) -> None:
    for name in (".cache/toy/ci/red.json",):
        ci_after_green_run.toy.home.joinpath(name).write_text(garbage)
    for name in ("stamps.json", "digests.json", "catalogue.json"):
        ci_after_green_run.toy.root.joinpath(".cache/ci", name).write_text(garbage)
    assert ci_after_green_run.ran() == ["red"]
    assert ci_after_green_run.code == 0


def test_exceeded_budget_has_own_exit_code(ci: InProcessCI) -> None:
    settings = (ci.toy.root / "pipeline.toml").read_text() + "red = 0.001\n"
    ci.toy.write("pipeline.toml", settings)
    assert "over its budget by " in ci()
    assert ci.code == 0
    assert "error: over budget: red by " in ci(no_cache=True, enforce_budgets=True)
    assert ci.code == 11


def test_ci_summary_has_table(
    ci: InProcessCI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary"))
    ci()
    assert "| `red` | passed | " in (tmp_path / "summary").read_text()


def test_report_is_self_contained_and_escaped(ci: InProcessCI) -> None:
    ci.toy.write("red/one.txt", "BROKEN")
    ci.toy.write("check.py", "import sys\nsys.exit('<script>alert(1)</script>')\n")
    ci()
    page = (ci.toy.root / "reports/ci.html").read_text()
    assert "&lt;script&gt;alert(1)" in page
    assert "<script" not in page
    assert not re.search(r"(src|href|url\(|@import)\s*[=(]?\s*[\"']?(https?:)?//", page)
    assert page.count("<tr>") == 4


def test_report_order_of_headings(ci: InProcessCI) -> None:
    ci.toy.write("red/one.txt", "BROKEN")
    ci.toy.write("green/one.txt", "inconclusive")
    ci()
    page = (ci.toy.root / "reports/ci.html").read_text()
    headings = re.findall(r"<h[12].*?>(.*?)</h", page)
    assert headings == ["failed: red", "Failed", "Inconclusive", "Timeline", "Logs", "Sessions"]
    assert "no service answers <b>1</b><dd>green<dd>hint: <code>start it</code>" in page
    assert "<details><summary>red: the last " in page


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours: https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio."""
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
def test_report_contrast_in_both_schemes(scheme: int) -> None:
    roots = re.findall(r":root \{(.*?)\}", CSS_FILE.read_text(), re.DOTALL)
    colours = dict(re.findall(r"--(\w+): (#\w+)", roots[scheme]))
    for ink in ("ink", "soft", "passed", "failed", "doubt"):
        for background in ("paper", "panel"):
            ratio = contrast(colours[ink], colours[background])
            assert ratio >= 4.5, f"{ink} on {background}: {ratio:.1f}"


def test_report_marks_critical_path(ci: InProcessCI) -> None:
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
    ("seconds", "output"),
    [(0, "0 s"), (0.04, "0.0 s"), (9.94, "9.9 s"), (59, "59 s"), (60, "1 min"), (7200, "2 h")],
)
def test_duration_uses_largest_unit(seconds: float, output: str) -> None:
    assert format_duration(seconds) == output


def test_last_line_of_missing_log_is_empty(tmp_path: Path) -> None:
    assert last_log_line(tmp_path / "nothing") == ""


def test_outside_of_checkout_is_refused(
    run_in_repo: RunInRepo, repo: SampleRepo, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    here = run_in_repo(repo)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/pipeline.toml").write_text((repo.root / "pipeline.toml").read_text())
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert "git failed here: fatal: not a git repository" in here()
    assert here.code == 2


def test_invalid_pipeline_toml_names_lines(ci: InProcessCI) -> None:
    text = (ci.toy.root / "pipeline.toml").read_text()
    wrong = text.replace("exclusive = []", 'exclusive = "red"').replace(
        'name = "toy"', 'name = "../x"'
    )
    ci.toy.write("pipeline.toml", wrong)
    output = ci()
    assert ci.code == 2
    assert output.startswith("error: pipeline.toml:1: name: it must be lower-case letters")
    assert "\npipeline.toml:5: ci.exclusive: it must be a list in square brackets" in output
    assert not (ci.toy.root / "reports").exists()


@pytest.mark.parametrize("options", [(), ("--plan",)])
def test_cached_run_skips_slow_imports(
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


@pytest.mark.parametrize(("forbidden", "count"), [("", 1), ("1", 0)])
def test_bytecode_of_tasks_is_kept(
    ci_after_green_run: InProcessCI, forbidden: str, count: int
) -> None:
    ci_after_green_run.toy.ci("--plan", PYTHONDONTWRITEBYTECODE=forbidden)
    assert len([*ci_after_green_run.toy.root.glob("pipeline/ci/__pycache__/cli.*.pyc")]) == count


def test_unreadable_noxfile_is_refused(ci: InProcessCI) -> None:
    ci.toy.write("noxfile.py", "nonsense")
    assert "cannot list the CI jobs: " in ci()
    assert ci.code == 2
