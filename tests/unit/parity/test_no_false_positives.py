"""What changes nothing that GitHub or a laptop would do is no finding."""

import copy
import io
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from ruamel.yaml import YAML

from pipeline.github.loader import GATE_JOB
from pipeline.github.model import Job
from pipeline.parity.engine import find_violations
from tests.unit.parity.edits import in_job, round_trip, this_repository, with_text

FILES = [*this_repository().workflows]
WORKING = this_repository().jobs_with_steps
Text = Callable[[str], str]


def reordered(at: str) -> Text:
    """Reverse the order of the keys at one depth."""

    def change(text: str) -> str:
        content = YAML(typ="rt", pure=True).load(text)
        jobs = content["jobs"]
        steps = [step for job in jobs.values() for step in job.get("steps", [])]
        for mapping in {"file": [content], "jobs": [jobs], "job": jobs.values(), "step": steps}[at]:
            for key in reversed([*mapping]):
                mapping.move_to_end(key)
        return dumped(content)

    return change


def dumped(content: object, **settings: object) -> str:
    stream = io.StringIO()
    yaml = YAML(typ="rt", pure=True)
    for name, value in settings.items():
        setattr(yaml, name, value)
    yaml.dump(content, stream)
    return stream.getvalue()


TEXTS: dict[str, Text] = {
    "comments on lines of their own": lambda text: "# why\n" + text.replace("\n\n", "\n\n# what\n"),
    "comments behind values": lambda text: re.sub(r"(?m)^(\s*runs-on: \S+)$", r"\1 # ours", text),
    "blank lines": lambda text: text.replace("\n  ", "\n\n  "),
    "a start and an end of the document": lambda text: f"---\n{text}...\n",
    "line ends of Windows": lambda text: text.replace("\n", "\r\n"),
    "single quotes": lambda text: re.sub(r"(?m)(runs-on|name): ([\w.-]+)$", r"\1: '\2'", text),
    "double quotes": lambda text: re.sub(r"(?m)^(\s+id|name): ([\w ]+)$", r'\1: "\2"', text),
    "quoted keys": lambda text: text.replace("\non:", '\n"on":').replace("\njobs:", "\n'jobs':"),
    "another indent": lambda text: dumped(YAML().load(text), map_indent=4, sequence_indent=6),
    "the file's keys in another order": reordered("file"),
    "the jobs in another order": reordered("jobs"),
    "the keys of jobs in another order": reordered("job"),
    "the keys of steps in another order": reordered("step"),
    "conditions in braces": lambda text: re.sub(
        r"(?m)^( +if): ([^$>\n]+?)( # .*)?$", r"\1: ${{ \2 }}\3", text
    ),
    "conditions over several lines": lambda text: re.sub(
        r"(?m)^    if: (contains.*)$", r"    if: >-\n      \1", text
    ),
    "expressions without spaces": lambda text: re.sub(r"\$\{\{ (\S+) \}\}", r"${{\1}}", text),
    "expressions with more spaces": lambda text: re.sub(r"\$\{\{ (\S+) \}\}", r"${{  \1  }}", text),
    "references in GitHub's other form": lambda text: text.replace("uses: ./", "uses: $/"),
    "one need without brackets": lambda text: re.sub(r"needs: \[([\w-]+)\]", r"needs: \1", text),
    "an event without settings": lambda text: text.replace(
        "  merge_group:\n", "  merge_group: {}\n"
    ),
    "rights that are refused by name": lambda text: text.replace(
        "      contents: read", "      models: none\n      contents: read"
    ),
}


def each_step(change: Callable[[dict[str, Any]], object]) -> Callable[[dict[str, Any]], None]:
    def of_job(job: dict[str, Any]) -> None:
        for step in job["steps"]:
            change(step)

    return of_job


def renamed_variable(job: dict[str, Any]) -> None:
    for step in job["steps"]:
        if "$SESSION" in step.get("run", ""):
            step["run"] = 'nox -s "$ROW"'
            step["env"]["ROW"] = step["env"].pop("SESSION")


def renamed_matrix_key(job: dict[str, Any]) -> None:
    matrix = job.get("strategy", {}).get("matrix", {})
    if "session" in matrix:
        matrix["row"] = matrix.pop("session")
        job["name"] = "${{ matrix.row }}"
        next(step for step in job["steps"] if "run" in step)["env"]["SESSION"] = "${{ matrix.row }}"


def rows_one_by_one(job: dict[str, Any]) -> None:
    matrix = job.get("strategy", {}).get("matrix", {})
    if "session" in matrix:
        matrix["include"] = [{"session": row} for row in matrix.pop("session")]


def another_upload(job: dict[str, Any], **changes: object) -> None:
    uploads = [step for each in WORKING for step in each.steps if "upload-artifact" in str(step)]
    step = {**copy.deepcopy(uploads[0]), **changes}
    step["with"]["name"] = "another-${{ strategy.job-index }}"  # no two jobs and rows may share one
    job["steps"].append(step)


JOBS: dict[str, Callable[[dict[str, Any]], object]] = {
    "named steps": each_step(lambda step: step.update({"name": "A step"})),
    "a deeper checkout": lambda job: job["steps"][0]["with"].update({"fetch-depth": 0}),
    "another upload": another_upload,
    "a report that is wanted of the red": lambda job: another_upload(job, **{"if": "failure()"}),
    "a report on a condition": lambda job: another_upload(job, **{"if": "${{ !cancelled() }}"}),
    "another name of the variable": renamed_variable,
    "another key of the matrix": renamed_matrix_key,
    "rows of the matrix one by one": rows_one_by_one,
    "needs in another order": lambda job: job.get("needs", []).reverse(),
    "no fail-fast": lambda job: job.get("strategy", {}).update({"max-parallel": 2}),
}


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("what", TEXTS)
def test_another_spelling_is_no_finding(what: str, file: str) -> None:
    assert (
        find_violations(with_text(file, TEXTS[what](this_repository().workflows[file].text))) == []
    )


@pytest.mark.parametrize("what", JOBS)
@pytest.mark.parametrize("job", WORKING, ids=lambda job: f"{job.workflow} {job.id}")
def test_what_a_job_is_free_to_do_is_no_finding(what: str, job: Job) -> None:
    assert find_violations(in_job(job, JOBS[what])) == []


def test_the_order_of_sessions_and_tasks_does_not_matter() -> None:
    changed = replace(
        this_repository(),
        sessions=this_repository().sessions[::-1],
        tasks=this_repository().tasks[::-1],
    )
    assert find_violations(changed) == []


def test_writing_the_files_anew_changes_nothing() -> None:
    assert find_violations(round_trip(this_repository())) == []


def test_each_spelling_differs_from_what_stands_there() -> None:
    """An edit without an effect would test nothing."""
    for what, change in TEXTS.items():
        assert any(
            change(each.text) != each.text for each in this_repository().workflows.values()
        ), what


def test_gates_are_among_the_jobs() -> None:
    assert GATE_JOB in {job.id for job in WORKING}
