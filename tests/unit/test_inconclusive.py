from pathlib import Path

import pytest

from pipeline import errors, inconclusive
from pipeline.errors import InconclusiveError
from pipeline.inconclusive import Inconclusive
from tests.conftest import Run

ENGINE = ("no engine answers", "start it")
SESSIONS = """

@nox.session(venv_backend="none")
@nox.parametrize("name", ["one", "two"])
def audit(session, name):
    session.run("python", "-m", "check", name)
"""
CHECK = """
import sys

from pipeline.errors import InconclusiveError, handle_errors

with handle_errors():
    raise InconclusiveError(sys.argv[1], "no service answers", detail=sys.argv[1], hint="start it")
"""


def fault(check: str, reason: str, hint: str, detail: str = "") -> tuple[str, InconclusiveError]:
    return check, InconclusiveError(check, reason, hint=hint, detail=detail)


def test_the_same_reason_and_hint_are_one_group_the_largest_first() -> None:
    found = [
        fault("audit", "no advisories", "wait"),
        fault("image", *ENGINE, detail="amd64"),
        fault("image", *ENGINE, detail="arm64"),
        fault("rehearsal", *ENGINE),
        fault("scan", ENGINE[0], "install it"),
    ]
    allow_unscanned = Inconclusive.of("session", found)
    assert [group.names for group in allow_unscanned.groups] == [
        ["image", "rehearsal"],
        ["audit"],
        ["scan"],
    ]
    assert allow_unscanned.title == "inconclusive: 4 sessions, for 3 reasons"


def test_the_block_is_aligned_and_wrapped_between_names() -> None:
    names = [f"image-{number}" for number in range(10)]
    found = [fault(name, *ENGINE) for name in names] + [fault("audit", "no advisories", "wait")]
    assert Inconclusive.of("check", found).text(40).splitlines() == [
        "inconclusive: 11 checks, for 2 reasons",
        "  10  no engine answers",
        "      image-0, image-1, image-2,",
        "      image-3, image-4, image-5,",
        "      image-6, image-7, image-8, image-9",
        "      hint: start it",
        "   1  no advisories",
        "      audit",
        "      hint: wait",
    ]


def test_the_end_of_a_run_of_nox_groups_its_records_and_those_alone(
    checkout: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(errors.INCONCLUSIVE_DIR_VARIABLE, raising=False)
    monkeypatch.delenv("PIPELINE_STRICT", raising=False)
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(checkout / "summary"))
    monkeypatch.chdir(checkout)
    InconclusiveError("earlier", "it was another run").report()
    (checkout / "check.py").write_text(CHECK)
    with (checkout / "noxfile.py").open("a") as noxfile:
        noxfile.write(SESSIONS)
    output = run("nox", "--session", "audit").stderr
    block = "inconclusive: 2 checks, for 1 reason\n  2  no service answers\n     one, two\n"
    assert output.endswith(f"\n\n{block}     hint: start it\n")
    assert "- no service answers: `one`, `two`" in (checkout / "summary").read_text()
    assert [*Path("reports").iterdir()] == [errors.INCONCLUSIVE_DIR]
    assert len(errors.read_inconclusive(errors.INCONCLUSIVE_DIR)) == 3


def test_a_run_that_judged_everything_says_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    inconclusive.main(tmp_path / "nothing")
    assert capsys.readouterr() == ("", "")
