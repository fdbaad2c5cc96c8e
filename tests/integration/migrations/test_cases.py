"""Small migrations of one small app, each with the answer that it should get.

Each is applied twice, to 1,000 and to 2,000 rows, and reversed: `nox -s migration-safety-tests`
tries all.
"""

from collections.abc import Iterator

import pytest

from pipeline.checks.migrations.app_version import AppVersion
from tests.integration.migrations import evaluation
from tests.integration.migrations.cases import SAFE, UNSAFE, Case
from tests.support.django_project import Project


@pytest.fixture(scope="module")
def released(server: str, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The app as it was released."""
    return evaluation.released(server, tmp_path_factory.mktemp("cases"))


@pytest.fixture(scope="module")
def code(server: str, released: Project) -> Iterator[AppVersion]:
    """The app, started once."""
    with AppVersion(released.root / "backend").start_worker(server) as started:
        yield started


def names(cases: list[Case]) -> list[object]:
    return [pytest.param(case, id=case.name) for case in cases]


@pytest.mark.parametrize("case", names(UNSAFE))
def test_what_is_unsafe_is_named(
    server: str, released: Project, code: AppVersion, case: Case
) -> None:
    output = evaluation.evaluated(server, released, code, case)
    assert case.message in output, output
    assert case.hint in output, output
    assert "hint: " in output


@pytest.mark.parametrize("case", names(SAFE))
def test_what_is_safe_is_let_through(
    server: str, released: Project, code: AppVersion, case: Case
) -> None:
    output = evaluation.evaluated(server, released, code, case)
    assert not output.startswith("error: "), output
    assert "hint: " not in output, output
