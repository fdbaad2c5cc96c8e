"""What the documents tell people to type works, and names what exists."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.docs_commands import __main__ as guide
from pipeline.docs_commands import execution
from pipeline.docs_commands.command_blocks import Block, parse_blocks
from pipeline.docs_commands.references import KnownNames, find_unknown, referenced_names
from pipeline.errors import CheckFailedError, InputError
from pipeline.process import capture
from tests import settings
from tests.conftest import ROOT
from tests.waiting import SOON, until

DOCUMENT = """\
# Title

```sh
echo one
echo two
```

<!-- not run: it never ends -->
```sh
invoke up
```

<!-- run: nox -s docs-slow -->

```sh
nox -s lint
```

```console
$ echo three
three
```

```python
print(4)
```
"""
EXISTS = KnownNames(
    {"lint", "tests-3.12", "tests-3.12(django='5.2')"}, {"backend"}, {"build", "sbom"}
)


@pytest.fixture
def document(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with one document."""
    monkeypatch.chdir(tmp_path)
    Path("page.md").write_text(DOCUMENT)
    Path("pipeline.toml").write_text(settings.text())
    capture(["git", "init", "--quiet"])
    monkeypatch.setattr(guide, "known_names", lambda: EXISTS)
    return Path("page.md")


def test_blocks_of_commands_are_found_with_their_marks(document: Path) -> None:
    assert [*parse_blocks(document)] == [
        Block("page.md:4", "echo one\necho two\n"),
        Block("page.md:10", "invoke up\n", "not run"),
        Block("page.md:16", "nox -s lint\n", "run"),
        Block("page.md:20", "echo three\n"),
    ]


@pytest.mark.parametrize(
    ("command", "names"),
    [
        ("nox -s lint", [("session", "lint")]),
        ("./dev nox -s lint tests-3.12 # two", [("session", "lint"), ("session", "tests-3.12")]),
        ("nox -s tests-3.12 -- -k login", [("session", "tests-3.12")]),
        ("nox -s \"tests-3.12(django='5.2')\"", [("session", "tests-3.12(django='5.2')")]),
        ("nox -s <job>", []),
        ("nox -t backend", [("tag", "backend")]),
        ("nox -l", []),
        ("invoke build sbom --image=x", [("task", "build"), ("task", "sbom")]),
        ("invoke build v1.4.0", [("task", "build")]),
        ("invoke --list", []),
        ("echo nox -s nothing", []),
        ("nox -s 'never closed", []),
    ],
)
def test_what_a_command_names_is_read_from_it(command: str, names: list[tuple[str, str]]) -> None:
    assert [*referenced_names(command)] == names


def test_names_that_are_not_there_are_found_in_blocks_and_in_sentences(document: Path) -> None:
    document.write_text(f"{DOCUMENT}\nType `invoke bake`, then `nox -s lintt` or `nox -t front`.\n")
    assert [*find_unknown(document, EXISTS)] == [
        "page.md:10: there is no task `up`",
        "page.md:28: there is no task `bake`",
        "page.md:28: there is no session `lintt`",
        "page.md:28: there is no tag `front`",
    ]


def test_a_name_that_is_not_there_is_red_before_anything_is_run(document: Path) -> None:
    document.write_text("```sh\ntouch ran\ninvoke bake\n```\n")
    with pytest.raises(CheckFailedError, match=r"page\.md:3: there is no task `bake`"):
        guide.main([])


def test_commands_are_run_in_a_copy_that_each_block_finds_as_it_was(
    document: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document.write_text("```sh\ntest -f page.md && touch new\n```\n\n```sh\ntest ! -e new\n```\n")
    guide.main([])
    assert capsys.readouterr().out.count("ok ") == 2
    assert not Path("new").exists()


def test_a_command_that_fails_is_red_with_what_it_said(
    document: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document.write_text("```sh\necho some words\nfalse\necho never\n```\n")
    with pytest.raises(CheckFailedError, match=r"page\.md:2: exit code 1"):
        guide.main([])
    out = capsys.readouterr().out
    assert "failed" in out
    assert "some words" in out
    assert "never\n\n" not in out.partition("some words\n")[2].partition("some words\n")[2]


def test_a_command_that_never_ends_is_red(document: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guide, "QUICK_TIMEOUT", 0.2)
    document.write_text("```sh\nsleep 60\n```\n")
    with pytest.raises(CheckFailedError, match="exit code"):
        guide.main([])


ATTENDED = """
import os
from pathlib import Path
from pipeline import process
from pipeline.docs_commands import execution
from pipeline.docs_commands.command_blocks import Block

original = process._communicate_until


def known(*given):  # the command may be there before its parent knows of it
    Path(os.environ["KNOWN"]).touch()
    return original(*given)


process._communicate_until = known
[*execution.run_blocks([Block("x:1", "echo $$ > $PIDS; sleep 600")], 600)]
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_whoever_ends_it_ends_the_command_that_runs_too(document: Path, number: int) -> None:
    pids, known = (document.absolute().with_name(name) for name in ("pids", "known"))
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PIDS": str(pids), "KNOWN": str(known)}
    with subprocess.Popen(
        [sys.executable, "-c", ATTENDED], env=env, stderr=subprocess.DEVNULL
    ) as it:
        until(lambda: known.exists() and pids.exists() and pids.read_text())
        it.send_signal(number)
        it.wait(SOON)
    assert not Path("/proc", pids.read_text().strip()).exists()


def test_only_blocks_of_one_kind_are_run(document: Path) -> None:
    document.write_text(
        DOCUMENT.replace("invoke up", "invoke build").replace("nox -s lint", "true")
    )
    assert [block.location for block in guide.select_blocks(long=False)] == [
        "page.md:4",
        "page.md:20",
    ]
    assert [block.location for block in guide.select_blocks(long=True)] == ["page.md:16"]
    guide.main(["--long"])


def test_it_keeps_to_what_has_a_word_in_its_place_or_its_commands(document: Path) -> None:
    document.write_text("```sh\ntrue\n```\n\n```sh\nfalse\n```\n")
    assert len(guide.select_blocks(["page.md"], long=False)) == 2
    guide.main(["page.md:2"])
    guide.main(["true"])


def test_a_word_that_no_block_has_is_an_error_with_a_hint(document: Path) -> None:
    document.write_text("```sh\ntrue\n```\n")
    with pytest.raises(InputError, match=r"no block of commands contains: gone\.md") as caught:
        guide.select_blocks(["page.md", "gone.md"], long=False)
    assert caught.value.hint == "blocks: page.md:2"


def test_the_tools_of_the_checkout_are_taken_over(document: Path) -> None:
    Path(".venv").mkdir()
    Path(".venv/built-from").write_text("a lock")
    Path(".gitignore").write_text(".venv\n")
    del document
    (found,) = execution.run_blocks([Block("x:1", "cat .venv/built-from")], 10)
    assert found.output.stdout == "a lock"
