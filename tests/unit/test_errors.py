from pathlib import Path

import pytest

from pipeline import errors


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.chdir(str(tmp_path))
    monkeypatch.delenv("PIPELINE_STRICT", raising=False)
    monkeypatch.delenv(errors.INCONCLUSIVE_DIR_VARIABLE, raising=False)


def say(error: errors.PipelineError) -> None:
    with errors.handle_errors():
        raise error


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.CheckFailedError("no", hint="do"), 1),
        (errors.InputError("no", hint="do"), 2),
        (errors.MissingToolError("no", hint="do"), 3),
        (errors.VerificationError("no", hint="do"), 5),
    ],
)
def test_a_fault_is_a_sentence_a_hint_and_the_exit_code_of_its_class(
    error: errors.PipelineError, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        say(error)
    assert caught.value.code == code
    assert capsys.readouterr().err == "error: no\n\nhint: do\n"


def test_an_interruption_is_no_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught, errors.handle_errors():
        raise KeyboardInterrupt
    assert caught.value.code == 130
    assert capsys.readouterr().err == ""


def test_what_was_not_judged_is_listed_and_no_failure(capsys: pytest.CaptureFixture[str]) -> None:
    say(errors.InconclusiveError("audit", "the service is out of reach"))
    (record,) = errors.read_inconclusive(errors.INCONCLUSIVE_DIR)
    assert (record.check, record.reason) == ("audit", "the service is out of reach")
    assert "inconclusive: audit: the service is out of reach" in capsys.readouterr().err


def test_what_was_not_judged_is_red_when_strict(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIPELINE_STRICT", "1")
    with pytest.raises(SystemExit) as caught:
        say(errors.InconclusiveError("audit", "the service is out of reach"))
    assert caught.value.code == 4


def test_what_was_not_judged_may_have_a_hint_of_its_own(
    capsys: pytest.CaptureFixture[str],
) -> None:
    say(errors.InconclusiveError("scan", "there is no scanner", hint="install one"))
    assert capsys.readouterr().err.endswith("hint: install one\n")


def test_what_is_judged_at_last_leaves_the_list() -> None:
    say(errors.InconclusiveError("audit", "the service is out of reach"))
    errors.clear_inconclusive("audit")
    assert not list(errors.INCONCLUSIVE_DIR.iterdir())


def test_a_record_holds_all_that_was_said_and_the_last_one_stands(
    capsys: pytest.CaptureFixture[str],
) -> None:
    errors.InconclusiveError("audit", "the service is out of reach").report()
    error = errors.InconclusiveError("audit", "no such package", detail="flask 0.5", hint="look")
    error.report()
    assert "inconclusive: audit: no such package: flask 0.5\n\nhint: look\n" in (
        capsys.readouterr().err
    )
    (record,) = errors.read_inconclusive(errors.INCONCLUSIVE_DIR)
    assert vars(record) == vars(error)
    assert [file.name for file in errors.INCONCLUSIVE_DIR.iterdir()] == ["audit.json"]


def test_a_run_of_its_own_has_its_own_records_too(monkeypatch: pytest.MonkeyPatch) -> None:
    errors.InconclusiveError("audit", "the service is out of reach").report()
    own = Path("reports/own")
    monkeypatch.setenv(errors.INCONCLUSIVE_DIR_VARIABLE, str(own))
    errors.InconclusiveError("scan", "there is no scanner").report()
    assert [record.check for record in errors.read_inconclusive(own)] == ["scan"]
    assert {record.check for record in errors.read_inconclusive(errors.INCONCLUSIVE_DIR)} == {
        "audit",
        "scan",
    }
    errors.clear_inconclusive("scan")
    errors.clear_inconclusive("audit")
    assert errors.read_inconclusive(own) == errors.read_inconclusive(errors.INCONCLUSIVE_DIR) == []
