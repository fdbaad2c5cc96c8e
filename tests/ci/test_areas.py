import pytest

from pipeline import config
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
