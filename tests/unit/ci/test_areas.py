from pathlib import PurePath

import pytest

from pipeline import config, nox_sessions
from pipeline.ci.areas import Areas
from pipeline.ci.cache import worktree

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
def test_star_matches_one_folder_two_stars_all(path: str, areas: list[str]) -> None:
    assert AREAS.for_path(path) == areas


# Sources: GitHub's patterns for paths,
# https://docs.github.com/actions/reference/workflow-syntax#patterns-to-match-file-paths,
# and git's pattern format, https://git-scm.com/docs/gitignore#_pattern_format.
GITHUB, GIT, BOTH = "GitHub", "git", "both"


@pytest.mark.parametrize(
    ("glob", "path", "matches", "source"),
    [
        ("*", "README.md", True, GITHUB),
        ("*", "docs/README.md", False, GITHUB),
        ("**", "all/the/files.md", True, GITHUB),
        ("*.js", "app.js", True, GITHUB),
        ("*.js", "js/app.js", False, GITHUB),
        ("**.js", "index.js", True, GITHUB),
        ("**.js", "src/js/app.js", True, GITHUB),
        ("docs/*", "docs/README.md", True, BOTH),
        ("docs/*", "docs/mona/octocat.txt", False, BOTH),
        ("docs/**", "docs/README.md", True, BOTH),
        ("docs/**", "docs/mona/octocat.txt", True, BOTH),
        ("docs/**", "more/docs/README.md", False, BOTH),
        ("docs/**", "docs", False, BOTH),
        ("docs/**/*.md", "docs/README.md", True, BOTH),
        ("docs/**/*.md", "docs/mona/hello-world.md", True, BOTH),
        ("docs/**/*.md", "docs/a/markdown/file.md", True, BOTH),
        ("docs/**/*.md", "docsREADME.md", False, BOTH),
        ("**/docs/**", "docs/hello.md", True, BOTH),
        ("**/docs/**", "space/docs/plan/space.doc", True, BOTH),
        ("**/docs/**", "mydocs/hello.md", False, BOTH),
        ("**/README.md", "README.md", True, BOTH),
        ("**/README.md", "js/README.md", True, BOTH),
        ("**/README.md", "js/OLDREADME.md", False, BOTH),
        ("**/*src/**", "a/src/app.js", True, GITHUB),
        ("**/*src/**", "my-src/code/js/app.js", True, GITHUB),
        ("**/*-post.md", "path/their-post.md", True, GITHUB),
        ("**/migrate-*.sql", "migrate-10909.sql", True, GITHUB),
        ("**/migrate-*.sql", "db/sept/migrate-v1.sql", True, GITHUB),
        ("**/foo/bar", "foo/bar", True, GIT),
        ("**/foo/bar", "a/b/foo/bar", True, GIT),
        ("**/foo/bar", "foo/a/bar", False, GIT),
        ("a/**/b", "a/b", True, GIT),
        ("a/**/b", "a/x/y/b", True, GIT),
        ("a/**/b", "ab", False, GIT),
        ("a/**/b", "a/xb", False, GIT),
        ("a**/b", "a/b", True, GITHUB),  # `**` not at the start of a folder name: any characters
        ("a**/b", "ab", False, GITHUB),
        ("a+b.(c)", "a+b.(c)", True, GIT),  # characters of regular expressions are literal
        ("docs/**", "docs/two\nlines.md", True, GIT),
    ],
)
def test_glob_matches_as_git_and_github(
    glob: str, path: str, *, matches: bool, source: str
) -> None:
    assert bool(Areas({"area": [glob]}).for_path(path)) == matches, f"as in {source}"


def test_every_file_is_in_an_area() -> None:
    areas = Areas(config.load().areas)
    assert [path for path in worktree.list_files().paths if not areas.for_path(path)] == []


def test_python_files_are_in_a_linted_area() -> None:
    areas = Areas(config.load().areas)
    (lint_areas,) = (row.tags for row in nox_sessions.list_sessions() if row.session == "lint")
    for folder in {PurePath(path).parent for path in worktree.list_files().paths}:
        for name in "new.py", "new.ipynb":
            found = areas.for_path(f"{folder / name}")
            assert not found or {"common", *lint_areas}.intersection(found), folder / name
