"""Small migrations of one small app, each with the answer that it should get.

Each is applied twice, to 1,000 and to 2,000 rows, and taken back: `nox -s flight-faults` tries all.
"""

from collections.abc import Iterator

import pytest

from pipeline.errors import PipelineError
from pipeline.gates.flight import report
from pipeline.gates.flight.code import Code
from pipeline.gates.flight.databases import Server
from pipeline.gates.flight.findings import Findings
from pipeline.gates.flight.journey import Journey
from pipeline.gates.flight.verdicts import Limits
from tests.flight.cases import APP, SAFE, UNSAFE, Case
from tests.flight.project import Project, created

LIMITS = Limits(rows=2_000, seconds=5)


@pytest.fixture(scope="module")
def released(server: str, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The app as it was released, and its database as a template."""
    project = created(tmp_path_factory.mktemp("cases") / "project", migrations__0001_initial=APP)
    Code(project.root / "backend").migrate(Server(server).create("base"))
    return project


@pytest.fixture(scope="module")
def code(server: str, released: Project) -> Iterator[Code]:
    """The app, started once."""
    with Code(released.root / "backend").started(server) as started:
        yield started


def names(cases: list[Case]) -> list[object]:
    return [pytest.param(case, id=case.name) for case in cases]


def judged(server: str, project: Project, code: Code, case: Case) -> str:
    """Return what is found in a case's migrations, without the tests of the release before."""
    written = [
        project.migration(f"{number:04}_{case.name}", body)
        for number, body in enumerate(case.migrations, start=2)
    ]
    findings = Findings([])
    try:
        Journey(Server(server), code, LIMITS, {}).apply(findings)
    except PipelineError as error:
        return f"error: {error}"
    finally:
        for path in written:
            path.unlink()
    return report.text(findings)


@pytest.mark.parametrize("case", names(UNSAFE))
def test_what_is_unsafe_is_named(server: str, released: Project, code: Code, case: Case) -> None:
    said = judged(server, released, code, case)
    assert case.says in said, said
    assert case.hint in said, said
    assert "hint: " in said


@pytest.mark.parametrize("case", names(SAFE))
def test_what_is_safe_is_let_through(
    server: str, released: Project, code: Code, case: Case
) -> None:
    said = judged(server, released, code, case)
    assert not said.startswith("error: "), said
    assert "hint: " not in said, said
