"""Any workflow file is parsed, or refused in one sentence with its line."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.github import loader, schema
from pipeline.github.loader import InvalidWorkflowError, parse
from pipeline.github.schema import MapOf
from pipeline.parity import repository as trees
from pipeline.parity.engine import find_violations
from pipeline.scratch_repository import ScratchRepository
from tests.unit.parity.edits import dump, this_repository

JOB = "jobs:\n  a:\n    runs-on: x\n    steps: []\n"


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("jobs: [", 1, "not YAML: "),
        ("a: 1\n\tb: 2\n", 2, "not YAML: "),
        ("on: push\non: push\n" + JOB, 2, "not YAML: "),
        ("a: *b\n", 1, "not YAML: "),
        (
            f"on: push\nx: &x {{}}\nenv:\n  <<: *x\n{JOB}",
            4,
            "not YAML: GitHub does not support merge keys",
        ),
        ("", 1, "the document should be a mapping"),
        ("just words", 1, "the document should be a mapping"),
        ("- a\n- b\n", 1, "the document should be a mapping"),
        ("on: push\n", 1, "there are no jobs"),
        ("on: push\njobs: {}\n", 1, "there are no jobs"),
        ("on: push\njobs: [a, b]\n", 2, "jobs should be a mapping"),
        ("on: push\njobs:\n  a: nothing\n", 3, "jobs.a should be a mapping"),
        ("on: push\njobs:\n  a:\n    steps: {}\n", 4, "jobs.a.steps should be a list"),
        ("on: push\njobs:\n  a:\n    steps:\n    - 1\n", 5, "jobs.a.steps[0] should be a mapping"),
        ("on: push\nstages: []\n" + JOB, 2, "stages is not a known key"),
        ("on: push\njobs:\n  a:\n    script: x\n", 4, "jobs.a.script is not a known key"),
        ("on: push\njobs:\n  a:\n    needs: 3\n    steps: []", 4, "jobs.a.needs should be text"),
        (
            "on: push\njobs:\n  a:\n    needs: b\n    steps: []",
            4,
            "jobs.a needs no job of this file: `b`",
        ),
        ("on: push\njobs:\n  a:\n    runs-on: x\n", 3, "jobs.a should have either steps or uses"),
    ],
)
def test_a_fault_is_one_sentence_with_its_line(text: str, line: int, message: str) -> None:
    with pytest.raises(InvalidWorkflowError) as caught:
        parse("x.yml", text)
    assert caught.value.problems[0].line == line
    assert caught.value.problems[0].message.startswith(message)
    assert str(caught.value).startswith(f"x.yml:{line}: ")
    assert "\n" not in str(caught.value)


def test_all_faults_of_a_file_are_told_at_once() -> None:
    text = "on: push\nstages: []\njobs:\n  a:\n    needs: 3\n    script: x\n"
    with pytest.raises(InvalidWorkflowError) as caught:
        parse("x.yml", text)
    assert [line for line, _ in caught.value.problems] == [2, 5, 6]


def test_an_unreadable_file_is_a_finding_beside_all_others() -> None:
    with pytest.raises(InvalidWorkflowError) as caught:
        parse("x.yml", "jobs: [")
    broken = replace(this_repository(), document="")
    found = {finding.rule for finding in find_violations(broken, [caught.value])}
    assert found == {"readable", "docs-are-current"}


def test_yaml_is_read_as_github_reads_it() -> None:
    text = "on: push\nname: 2024-01-02\nenv: {a: yes, b: 12:30, c: 0o17, d: 3.10, e: off}\n" + JOB
    content = parse("x.yml", text).content
    assert "on" in content
    assert content["name"] == "2024-01-02"
    assert dict(content["env"]) == {"a": "yes", "b": "12:30", "c": 15, "d": 3.1, "e": "off"}


@pytest.mark.parametrize("on", ["push", "[push]", "{push: {}}", "\n  push:\n"])
def test_triggers_are_the_same_however_they_are_written(on: str) -> None:
    assert [*parse("x.yml", f"on: {on}\n{JOB}").triggers] == ["push"]


ACT = "runs:\n  using: composite\n  steps:\n    - {run: make, shell: bash}\n"


@pytest.fixture
def here(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that the tree is read from, known to git."""
    monkeypatch.chdir(checkout)
    ScratchRepository(checkout).git("init", "--quiet")
    return checkout


def use(here: Path, action: str) -> None:
    file = here / ".github/workflows/backend-ci.yml"
    run = "      - run: nox -s lint\n"
    file.write_text(file.read_text().replace(run, f"      - uses: {action}\n{run}"))


def act(here: Path, path: str, text: str = ACT) -> None:
    (here / path).parent.mkdir(parents=True)
    (here / path).write_text(text)


@pytest.mark.parametrize(
    ("path", "uses"),
    [
        ("tools/act/action.yml", "./tools/act"),
        ("tools/act/action.yaml", "./tools/act/"),
        ("tools/act/action.yml", "./tools/../tools/act"),
        ("tools/act/action.yml", "$/tools/act"),
        (".github/actions/a/b/action.yml", "./.github/actions/setup"),
    ],
)
def test_a_local_action_is_judged_wherever_it_lies(here: Path, path: str, uses: str) -> None:
    act(here, path)
    use(here, uses)
    assert (path, 4, "setup-action-is-restricted") in found_in_tree()


def test_an_action_that_an_action_uses_is_judged(here: Path) -> None:
    act(
        here, "tools/outer/action.yml", ACT.replace("{run: make, shell: bash}", "uses: ./tools/act")
    )
    act(here, "tools/act/action.yml")
    use(here, "./tools/outer")
    assert found_in_tree() == {("tools/act/action.yml", 4, "setup-action-is-restricted")}


def test_an_action_that_is_a_program_is_a_finding(here: Path) -> None:
    act(here, "tools/act/action.yml", "runs:\n  using: node24\n  main: index.js\n")
    use(here, "./tools/act")
    assert ("tools/act/action.yml", 3, "readable") in found_in_tree()


def found_in_tree() -> set[tuple[str, int, str]]:
    return {(each.file, each.line, each.rule) for each in find_violations(*trees.load_repository())}


NAMES = st.sampled_from(["a", "ci-ok", "plan", "lint", "tests", "jobs", "x y", "", "${{ x }}"])
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 99),
    NAMES,
    st.sampled_from(
        [
            "always()",
            "nox -s lint",
            'nox -s "$SESSION"',
            "${{ matrix.session }}",
            "${{ secrets.KEY }}",
            "${{ fromJSON(inputs.jobs) }}",
            "./.github/workflows/ci.yml",
            "./.github/workflows/random.yml",
            "$/.github/workflows/backend-ci.yml",
            "actions/checkout@v4",
            "write-all",
            "read",
            "workflow_call",
            "pull_request",
        ]
    ),
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)


def documents(wanted: Any) -> st.SearchStrategy[Any]:  # noqa: ANN401 - a shape is anything
    """Documents of a shape, made from the grammar that the reader knows."""
    if isinstance(wanted, tuple):
        return st.one_of([documents(each) for each in wanted])
    if isinstance(wanted, MapOf):
        return st.dictionaries(NAMES, documents(wanted.shape), max_size=4)
    if isinstance(wanted, dict):
        optional = {key: documents(inner) for key, inner in wanted.items()}
        return st.fixed_dictionaries({}, optional=optional)
    if isinstance(wanted, list):
        return st.lists(documents(wanted[0]), max_size=3)
    return ANYTHING.filter(lambda value: isinstance(value, wanted))


def of_jobs(job: dict[str, Any]) -> dict[str, Any]:
    """A job with either steps or a call, as GitHub requires."""
    left_out = "uses" if "steps" in job else "steps"
    kept = {key: value for key, value in job.items() if key not in {left_out, "needs"}}
    return {"steps": []} | kept if left_out == "uses" or "uses" not in kept else kept


REST = {key: documents(inner) for key, inner in schema.WORKFLOW.items() if key != "jobs"}
SHAPED = st.fixed_dictionaries({}, optional=REST)
JOBS = st.dictionaries(NAMES, documents(schema.JOB).map(of_jobs), min_size=1, max_size=4)
# A few, the same each time, so that red means something; for a long look at random ones:
# MANY=5000 nox -s pipeline-tests -- tests/unit/parity/test_loading.py
MANY = int(os.environ.get("MANY", "0"))
SLOW_TIMEOUTS = settings(
    max_examples=MANY or 50,
    derandomize=not MANY,
    suppress_health_check=list(HealthCheck),
)


@SLOW_TIMEOUTS
@given(SHAPED, JOBS)
def test_no_rule_stumbles_over_a_workflow_that_can_be_read(
    document: dict[str, Any], jobs: dict[str, Any]
) -> None:
    text = dump(document | {"jobs": jobs})
    try:
        random = parse("random.yml", text)
    except InvalidWorkflowError:
        return
    tree = replace(
        this_repository(), workflows={**this_repository().workflows, "random.yml": random}
    )
    assert all(finding.line >= 1 for finding in find_violations(tree))


@SLOW_TIMEOUTS
@given(ANYTHING)
def test_any_yaml_is_read_or_refused(document: object) -> None:
    try:
        parse("random.yml", dump(document))
    except InvalidWorkflowError as error:
        assert error.problems  # noqa: PT017 - it need not be refused


@SLOW_TIMEOUTS
@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        parse("random.yml", text)
    except InvalidWorkflowError as error:
        assert error.problems  # noqa: PT017 - it need not be refused


@SLOW_TIMEOUTS
@given(st.sampled_from([*this_repository().workflows]), st.data())
def test_a_real_workflow_that_lost_or_doubled_a_line_is_read_or_refused(
    file: str, data: st.DataObject
) -> None:
    lines = this_repository().workflows[file].text.splitlines(keepends=True)
    index = data.draw(st.integers(0, len(lines) - 1))
    lines[index : index + 1] = [lines[index]] * data.draw(st.sampled_from([0, 2]))
    try:
        changed = parse(file, "".join(lines))
    except InvalidWorkflowError:
        return
    find_violations(
        replace(this_repository(), workflows={**this_repository().workflows, file: changed})
    )


def test_both_endings_of_a_workflow_are_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(loader, "WORKFLOWS_DIR", str(tmp_path))
    for name in ("a.yml", "b.yaml", "c.YML", "README.md"):
        (tmp_path / name).write_text(JOB)
    assert [*loader.load_workflows()] == ["a.yml", "b.yaml"]


def test_a_missing_folder_is_no_workflow(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.setattr(loader, "WORKFLOWS_DIR", str(tmp_path))
    assert loader.load_workflows() == {}
