"""Run sessions with a home full of settings that tools read, and with an empty one, and compare.

python -m tests.home lint typecheck frontend-lint   in a copy of this checkout

A verdict must not hang on the laptop that it is made on. Where packages come from and where
downloads are kept is set by variables, as pipeline.toml allows.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory

from pipeline import git, scratch_repository
from pipeline.errors import CheckFailedError, handle_errors
from pipeline.scratch_repository import ScratchRepository

ROOT = Path(__file__).parent.parent
OTHERWISE = '{"root": true, "semi": true, "singleQuote": false, "tabWidth": 8, "rules": {}}\n'
FILES = {
    # git: ignored files, messages, colours and signatures
    ".gitconfig": """\
[core]
    excludesFile = ~/.ignored
    attributesFile = ~/.attributes
    hooksPath = ~/.hooks
    quotePath = true
    fsmonitor = true
    autocrlf = true
[init]
    templateDir = ~/.template
    defaultBranch = trunk
[commit]
    gpgSign = true
[user]
    signingKey = missing
[color]
    ui = always
[diff]
    external = false
    noprefix = true
    renames = copies
    orderFile = ~/.ignored
[status]
    showUntrackedFiles = no
[log]
    showSignature = true
""",
    ".ignored": "lib/\nbackend-ci.yml\nDockerfile\n*.pem\n",
    ".config/git/ignore": "lib/\n",
    ".attributes": "* -diff\n",
    ".hooks/pre-commit": "#!/bin/sh\nexit 1\n",
    ".template/hooks/pre-commit": "#!/bin/sh\nexit 1\n",
    # package managers
    ".config/uv/uv.toml": """\
exclude-newer = "2016-01-01T00:00:00Z"
[pip]
no-annotate = false
emit-index-url = true
no-strip-extras = true
target = "elsewhere"
""",
    ".config/pip/pip.conf": "[global]\nuser = true\nrequire-virtualenv = true\n",
    ".npmrc": """\
omit=dev
ignore-scripts=true
if-present=true
node-options=--throw-deprecation
legacy-peer-deps=true
install-strategy=nested
min-release-age=9999
""",
    # linters, which look here, or in every folder above the checkout
    ".config/ruff/ruff.toml": '[lint]\nignore = ["ALL"]\n',
    "ruff.toml": '[lint]\nignore = ["ALL"]\n',
    ".mypy.ini": "[mypy]\nignore_errors = true\n",
    ".config/mypy/config": "[mypy]\nignore_errors = true\n",
    "setup.cfg": "[mypy]\nignore_errors = true\n[tool:pytest]\naddopts = --collect-only\n",
    "pytest.ini": "[pytest]\naddopts = --collect-only\n",
    ".coveragerc": "[report]\nfail_under = 0\n",
    ".bandit": "[bandit]\nskips = B101,B602,B603,B105\n",
    ".importlinter": "[importlinter]\nroot_package = os\n",
    ".codespellrc": "[codespell]\nskip = *\n",
    ".config/hadolint.yaml": "failure-threshold: error\nignored: [DL3008, DL3009, DL3015]\n",
    ".hadolint.yaml": "failure-threshold: error\nignored: [DL3008, DL3009, DL3015]\n",
    ".squawk.toml": 'excluded_rules = ["ban-drop-table", "ban-drop-column"]\n',
    ".syft.yaml": 'exclude: ["**"]\n',
    "zizmor.yml": "rules:\n  artipacked:\n    disable: true\n",
    ".eslintrc.json": OTHERWISE,
    ".prettierrc": OTHERWISE,
    ".editorconfig": "root = true\n[*]\nindent_style = tab\nmax_line_length = 20\n",
    **{
        f".local/lib/python{version}/site-packages/usercustomize.py": "import nothing\n"
        for version in (ROOT / ".python-version").read_text().split()
    },
}
VARIABLES = {
    "COVERAGE_RCFILE": "/dev/null",
    "DJANGO_SETTINGS_MODULE": "config.settings.production",
    "ESLINT_USE_FLAT_CONFIG": "false",
    "HADOLINT_FAILURE_THRESHOLD": "error",
    "MYPYPATH": "/missing",
    "NODE_ENV": "production",
    "NODE_OPTIONS": "--throw-deprecation",
    "NPM_CONFIG_OMIT": "dev",
    "PIP_TARGET": "elsewhere",
    "PYTEST_ADDOPTS": "--collect-only",
    "PYTHONOPTIMIZE": "2",
    "PYTHONWARNINGS": "ignore",
    "RUFF_NO_CACHE": "false",
    "RUFF_CONFIG": "/dev/null",
    "SKIP": "ruff-check,ruff-format,prettier,secrets",
    "UV_EXCLUDE_NEWER": "2016-01-01T00:00:00Z",
    "UV_SYSTEM_PYTHON": "1",
    "ZIZMOR_MIN_SEVERITY": "high",
}
"""Other variables of the shell."""
Output = tuple[dict[str, str], str]


class Place:
    """A copy of this checkout, and its home folder."""

    def __init__(self, home: Path) -> None:
        self.home, self.copy = home, home / "work" / "checkout"
        scratch_repository.copy_files(git.files(cwd=ROOT), self.copy, ROOT)
        ScratchRepository(self.copy).init("main")

    def nox(self, *sessions: str, hostile: bool, options: Sequence[str] = ()) -> Output:
        """Run sessions; return what nox reports of each, and all that was printed."""
        report = self.home / "report.json"
        report.unlink(missing_ok=True)
        line = ["nox", "--no-color", f"--report={report}", "-s", *sessions, "--", *options]
        printed = self.run(*line, hostile=hostile).stdout
        rows = json.loads(report.read_text())["sessions"] if report.exists() else []
        return {row["name"]: row["result"] for row in rows}, printed

    def run(self, *command: str, hostile: bool) -> subprocess.CompletedProcess[str]:
        """Run a command in the copy."""
        nothing: AbstractContextManager[Mapping[str, str]] = nullcontext({})
        with self.settings() if hostile else nothing as variables:
            return subprocess.run(
                command, cwd=self.copy, env={**surroundings(self.home), **variables}, check=False,
                text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            )  # fmt: skip

    @contextmanager
    def settings(self) -> Iterator[Mapping[str, str]]:
        """Fill the home and the clone with settings; yield the variables of a shell there."""
        files = {self.home / name: text for name, text in FILES.items()}
        files[self.copy / ".git/info/exclude"] = "lib/\n"
        for path, text in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            path.chmod(0o755)
        try:
            yield VARIABLES
        finally:
            for path in files:
                path.unlink()


def surroundings(home: Path) -> dict[str, str]:
    """Return this process's variables with another home; downloads are kept where they are."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    defaults = {
        "PIP_CACHE_DIR": str(cache / "pip"),
        "PYENV_ROOT": str(Path.home() / ".pyenv"),
        "UV_CACHE_DIR": str(cache / "uv"),
        "npm_config_cache": str(Path.home() / ".npm"),
    }
    own = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")}
    return {**defaults, **own, "HOME": str(home)}


def main(arguments: Sequence[str]) -> None:
    """Run the command line.

    Raises:
        CheckFailedError: A home makes a difference.
    """
    parser = argparse.ArgumentParser("python -m tests.home", description=__doc__)
    parser.add_argument("sessions", nargs="+")
    sessions = parser.parse_args(arguments).sessions
    with TemporaryDirectory() as folder:
        place = Place(Path(folder))
        (clean, _), (hostile, output) = (
            place.nox(*sessions, hostile=each) for each in (False, True)
        )
    print(f"in an empty home: {clean}\nin a full one: {hostile}")
    if clean != hostile:
        raise CheckFailedError(f"a home makes a difference:\n{output}", hint="pipeline/home.py")


if __name__ == "__main__":
    with handle_errors():
        main(sys.argv[1:])
