from pathlib import PurePath

import pytest

from pipeline import config, sessions
from pipeline.ci import tree
from pipeline.ci.areas import Areas

AREAS = Areas({"docs": ["*.md", "docs/**"], "app": ["app/*.py", "app/**/x.txt"]})


@pytest.mark.parametrize(
    ("path", "areas"),
    [
        ("README.md", ["docs"]),
        ("app/README.md", []),
        ("docs/a/b.md", ["docs"]),
        ("docs", []),
        ("app/one.py", ["app"]),
        ("app/one/two.py", []),
        ("app/one/two/x.txt", ["app"]),
        ("app/oneXpy", []),
    ],
)
def test_a_star_stays_in_its_folder_and_two_do_not(path: str, areas: list[str]) -> None:
    assert AREAS.of(path) == areas


def test_every_file_of_this_repository_is_in_an_area() -> None:
    areas = Areas(config.load()["areas"])
    assert [path for path in tree.listed().paths if not areas.of(path)] == []


def test_python_is_in_an_area_that_is_linted_wherever_it_is() -> None:
    areas = Areas(config.load()["areas"])
    (read,) = (row.tags for row in sessions.list_all() if row.session == "lint")
    for folder in {PurePath(path).parent for path in tree.listed().paths}:
        for name in "new.py", "new.ipynb":
            of = areas.of(f"{folder / name}")
            assert not of or {"common", *read}.intersection(of), folder / name
