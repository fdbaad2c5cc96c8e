"""Shipped packages have an allowed licence, and new packages are listed."""

import json
import subprocess
from pathlib import Path

import pytest

from pipeline.checks.licenses import main
from pipeline.errors import CheckFailedError, InputError
from tests import settings
from tests.conftest import ROOT

ALLOWED = """\
allowed = ["MIT", "MIT License", "BSD License, MIT License"]
[only]
store = "LGPL-3.0-only"
"""


def git(*arguments: str) -> None:
    """Run git with a user name."""
    command = ["git", "-c", "user.name=Ada", "-c", "user.email=ada@example.com", *arguments]
    subprocess.run(command, check=True)


def lock(*python: str, **node: str | None) -> None:
    """Lock packages: of Python by their pins, of Node by name with a licence."""
    Path("backend/requirements/production.txt").write_text("".join(f"{pin}\n" for pin in python))
    packages = {
        f"node_modules/{name}": {"version": "1.0", **({"license": output} if output else {})}
        for name, output in node.items()
    }
    write_lock({"": {}, **packages, "node_modules/tool": {"version": "1", "dev": True}})


def write_lock(packages: object, version: int = 3) -> None:
    """Lock packages of Node as npm does."""
    content = {"lockfileVersion": version, "packages": packages}
    Path("frontend/package-lock.json").write_text(json.dumps(content))


def install(name: str, *metadata: str) -> None:
    """Install a package of a few lines."""
    folder = Path("site", f"{name}-1.0.dist-info")
    folder.mkdir(parents=True)
    lines = ["Metadata-Version: 2.4", f"Name: {name}", "Version: 1.0", *metadata]
    (folder / "METADATA").write_text("\n".join(lines) + "\n")


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkout whose branch has left main, with a package of each kind."""
    for folder in ("backend/requirements", "frontend", "security"):
        (tmp_path / folder).mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    Path("pipeline.toml").write_text(settings.text())
    Path("security/licences.toml").write_text(ALLOWED)
    install("shop", "License-Expression: MIT")
    lock("shop==1.0", react="MIT")
    git("init", "--quiet", "--initial-branch=main")
    git("add", "backend", "frontend")
    git("commit", "--quiet", "--message=Work")
    git("checkout", "--quiet", "-b", "work")
    git("commit", "--quiet", "--allow-empty", "--message=More")


def refused() -> list[str]:
    """Insist that the gate is red, and return for what."""
    with pytest.raises(CheckFailedError) as caught:
        main()
    return str(caught.value).splitlines()[1:]


def test_licences_that_are_allowed_are_green_and_listed() -> None:
    main()
    report = Path("reports/licences.md").read_text()
    assert "No new package is shipped." in report
    assert "| shop | 1.0 | MIT |" in report
    assert "| react | 1.0 | MIT |" in report
    assert "tool" not in report


@pytest.mark.parametrize(
    ("metadata", "output"),
    [
        (("License: MIT",), None),
        (("Classifier: License :: OSI Approved :: MIT License",), None),
        (
            (
                "Classifier: License :: OSI Approved :: BSD License",
                "Classifier: License :: OSI Approved :: MIT License",
            ),
            None,
        ),
        (("License-Expression: GPL-3.0-only",), "GPL-3.0-only"),
        (("License: GPL v3", "Classifier: License :: OSI Approved :: MIT License"), "GPL v3"),
        (("Classifier: License :: Other/Proprietary License",), "Other/Proprietary License"),
        ((), "no licence"),
    ],
)
def test_a_python_package_has_its_licence_in_one_of_three_places(
    metadata: tuple[str, ...], output: str | None
) -> None:
    install("cart", *metadata)
    lock("cart==1.0")
    if output:
        assert refused() == [f"cart 1.0: {output}"]
    else:
        main()


def test_all_licences_that_nobody_has_allowed_are_named_at_once() -> None:
    install("cart", "License-Expression: GPL-3.0-only")
    install("store", "License-Expression: LGPL-3.0-only")
    install("till", "License-Expression: LGPL-3.0-only")
    lock("cart==1.0", "store==1.0", "till==1.0", react="AGPL-3.0", vite=None)
    assert refused() == [
        "cart 1.0: GPL-3.0-only",
        "react 1.0: AGPL-3.0",
        "till 1.0: LGPL-3.0-only",
        "vite 1.0: no licence",
    ]
    assert "AGPL-3.0" in Path("reports/licences.md").read_text()


def test_what_is_new_is_said_with_its_licence(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary"))
    install("cart", "License-Expression: MIT")
    lock("shop==2.0", "cart==1.0", react="MIT", vite="MIT")
    main()
    assert capsys.readouterr().err == "New: **cart** (MIT), **vite** (MIT)\n"
    assert "**cart** (MIT)" in (tmp_path / "summary").read_text()


def test_without_main_it_is_said_that_nobody_knows_what_is_new(
    capsys: pytest.CaptureFixture[str],
) -> None:
    git("checkout", "--quiet", "--orphan", "alone")
    git("commit", "--quiet", "--message=Work")
    git("branch", "--quiet", "-D", "main", "work")
    main()
    assert capsys.readouterr().err.startswith("New packages are unknown here")


def test_a_package_for_another_platform_need_not_be_here_but_any_other_must() -> None:
    lock("shop==1.0", "elsewhere==1.0 ; sys_platform == 'win32'")
    main()
    lock("shop==1.0", "elsewhere==1.0")
    with pytest.raises(InputError, match="elsewhere is not installed"):
        main()


def test_what_is_shipped_with_the_kit_uses_every_exemption_of_a_package() -> None:
    listed = (ROOT / "security/licences.toml").read_text().partition("[only]")[2]
    locked = (ROOT / "backend/requirements/production.txt").read_text()
    names = [line.split(" = ")[0] for line in listed.splitlines() if " = " in line]
    assert names
    assert all(f"\n{name}==" in locked for name in names)


def test_a_workspace_is_ours_and_what_it_needs_is_judged() -> None:
    """As npm writes it: a link to each folder, and the folder's own entry, without a version."""
    write_lock(
        {
            "": {"name": "shop", "workspaces": ["./packages/*", "apps/**/"]},
            "node_modules/@acme/ui": {"resolved": "packages/ui", "link": True},
            "node_modules/lib": {"resolved": "packages/ui/vendor/lib", "link": True},
            "node_modules/ms": {"version": "2.0.0", "license": "MIT"},
            "packages/ui": {"name": "@acme/ui", "license": "UNLICENSED"},
            "packages/ui/node_modules/ms": {"version": "1.0.0", "license": "GPL-2.0"},
            "packages/ui/vendor/lib": {"version": "1.0.0", "license": "GPL-3.0"},
            "apps/web/admin": {"version": "1.0.0", "license": "SEE LICENSE"},
        }
    )
    assert refused() == ["ms 1.0.0: GPL-2.0", "packages/ui/vendor/lib 1.0.0: GPL-3.0"]
    assert "| ms | 2.0.0 | MIT |" in Path("reports/licences.md").read_text()


@pytest.mark.parametrize(
    ("entry", "output"),
    [
        ({"version": "1.0", "license": "MIT"}, None),
        ({"license": "MIT"}, None),
        ({"name": "preact", "version": "1.0", "license": "GPL"}, "preact 1.0: GPL"),
        ({"version": "1.0", "license": {"type": "MIT", "url": "https://example.com"}}, None),
        ({"version": "1.0", "license": {"url": "https://example.com"}}, "react 1.0: no licence"),
        ({"version": "1.0", "license": ["BSD License", {"type": "MIT License"}]}, None),
        ({"version": "1.0", "license": ["MIT", "GPL"]}, "react 1.0: MIT, GPL"),
        ({"version": "1.0", "license": False}, "react 1.0: no licence"),
        ({"version": "1.0", "license": "GPL", "dev": True}, None),
        ({"version": "1.0", "license": "GPL", "optional": True}, "react 1.0: GPL"),
        ({"version": "1.0", "license": "GPL", "devOptional": True}, "react 1.0: GPL"),
    ],
)
def test_whatever_npm_writes_of_a_package_is_judged(entry: object, output: str | None) -> None:
    write_lock({"": {"workspaces": {"packages": ["a"]}}, "node_modules/react": entry})
    if output:
        assert refused() == [output]
    else:
        main()


@pytest.mark.parametrize(
    ("text", "output"),
    [
        ("", "frontend/package-lock.json:1: not JSON: expecting value"),
        ('{"a": 1, "a": 1}', "frontend/package-lock.json: not JSON: the key `a` is used twice"),
        ("[]", "frontend/package-lock.json is invalid: input should be a valid dictionary"),
        (
            "{}",
            "frontend/package-lock.json is invalid: lockfileVersion: field required; packages: ",
        ),
        ('{"lockfileVersion": 1, "dependencies": {}}', "is invalid: lockfileVersion: input should"),
        ('{"lockfileVersion": 3, "packages": {"a": 1}}', "is invalid: packages.a: input should be"),
        (
            '{"lockfileVersion": 3, "packages": {"a": {"version": 1}, "b": {"name": []}}}',
            "packages.a.version: input should be a valid string; packages.b.name: ",
        ),
    ],
)
def test_what_is_no_lock_of_npm_is_one_sentence(text: str, output: str) -> None:
    Path("frontend/package-lock.json").write_text(text)
    with pytest.raises(InputError) as caught:
        main()
    assert output in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_lock_of_before_that_cannot_be_read_says_nothing_of_what_is_new(
    capsys: pytest.CaptureFixture[str],
) -> None:
    git("checkout", "--quiet", "main")
    good = Path("frontend/package-lock.json").read_text()
    Path("frontend/package-lock.json").write_text('{"lockfileVersion": 1, "dependencies": {}}')
    git("commit", "--quiet", "--all", "--message=Old")
    git("checkout", "--quiet", "-B", "work")
    Path("frontend/package-lock.json").write_text(good)
    git("commit", "--quiet", "--all", "--message=New")
    main()
    output = capsys.readouterr().err
    assert output.startswith("New packages are unknown here: frontend/package-lock.json of ")


@pytest.mark.parametrize(
    ("pins", "output"),
    [
        (["shop>=1.0", "", "# fine", "shop==1.*", "-e ."], "pins no version in line 1, 4, 5"),
        (
            [
                "shop==1.0 --hash=sha256:0",
                "shop==1.0  # via cart",
                "Shop[cart]==1.0 ; python_version > '3'",
            ],
            None,
        ),
    ],
)
def test_every_line_of_a_python_lock_pins_a_version(pins: list[str], output: str | None) -> None:
    lock(*pins, react="MIT")
    if output:
        with pytest.raises(InputError, match=rf"production\.txt {output}$"):
            main()
    else:
        main()


def test_a_package_for_this_platform_has_to_be_here() -> None:
    lock("shop==1.0", "elsewhere==1.0 ; python_version >= '3'")
    with pytest.raises(InputError, match="elsewhere is not installed"):
        main()


@pytest.mark.parametrize(
    ("text", "output"),
    [
        ("only = 1", "allowed: field required; only: input should be a valid dictionary"),
        ('allowed = "MIT"', "allowed: input should be a valid list"),
        ('allowed = []\n[onlies]\na = "MIT"', "onlies: extra inputs are not permitted"),
    ],
)
def test_a_list_of_licences_that_is_wrong_is_one_sentence(text: str, output: str) -> None:
    Path("security/licences.toml").write_text(text)
    with pytest.raises(InputError, match=rf"^security/licences\.toml is invalid: {output}"):
        main()
