"""Run a command in a Node project, with a Node version and node_modules as locked.

python -m pipeline.node [--directory FOLDER] [--here] 22 npm test
"""

import argparse
import hashlib
import json
import os
import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from filelock import FileLock

from pipeline.config import load
from pipeline.errors import CheckFailedError, MissingToolError, handle_errors
from pipeline.home import npm_environment
from pipeline.process import capture, run

_LOCKS_DIR = Path("requirements")
# all packages, for any NODE_ENV; no tool here needs install scripts
_CI = ("npm", "ci", "--include=dev", "--include=optional", "--include=peer", "--ignore-scripts")
_TREE = Path("node_modules", ".package-lock.json")  # written by npm after an installation
STAMP = Path("node_modules", ".installed-from")
_CODE = re.compile(r"^npm (?:error|ERR!) code (\w+)", re.MULTILINE)
_UNREACHABLE = re.compile(
    r"E(CONN|NOTCACHED|NOTFOUND|AI_AGAIN|TIMEDOUT|NETUNREACH|HOSTUNREACH|403|5\d\d)|\w+TIMEOUT"
)
_UNWRITABLE = ("EACCES", "EEXIST", "ENOSPC", "ENOTDIR", "EPERM", "EROFS")


class UnreachableError(CheckFailedError):
    """npm could not install a lock, as its registry did not answer or refused."""


def main(arguments: Sequence[str]) -> int:
    """Run the command line, and return the exit code of its command."""
    parser = argparse.ArgumentParser("python -m pipeline.node", description=__doc__)
    parser.add_argument("--directory", type=Path, default=Path(load().layout.frontend))
    parser.add_argument(
        "--here", action="store_true", help="run a tool of the project in the current folder"
    )
    parser.add_argument("major", help="the Node to run it on: 20, 22, 24, or the `default`")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args(arguments)
    major = load().defaults.node if options.major == "default" else options.major
    env = {"PATH": path_with_node(major), **npm_environment()}
    install_packages(options.directory, env)
    if options.here:
        tools = (options.directory / "node_modules" / ".bin").resolve()
        return run(options.command, env={"PATH": f"{tools}{os.pathsep}{env['PATH']}"})
    return run(options.command, cwd=options.directory, env=env)


def path_with_node(major: str) -> str:
    """Return a PATH on which `node` is of a version.

    The Node of the environment (requirements/node.txt) is used if it is of that major version;
    others come from npm, locked by hash in requirements/node-<major>. If npm has none for this
    platform, one on the PATH or in another session's environment is used.

    Args:
        major: The major version of Node, such as `22`.

    Raises:
        MissingToolError: There is no such Node.
    """
    path = os.environ["PATH"]
    locked = _LOCKS_DIR / f"node-{major}"
    if _major_of(path) != major and locked.is_dir():
        install_packages(locked, {})
        folders = [str(node.parent.resolve()) for node in locked.glob("node_modules/*/bin/node*")]
        path = os.pathsep.join([*folders, path])
    if _major_of(path) == major:
        return path
    sessions = [str(node.parent.resolve()) for node in Path(".nox").glob("*/bin/node")]
    for folder in (*path.split(os.pathsep), *sessions):
        if _major_of(folder) == major:
            return os.pathsep.join([folder, path])
    raise MissingToolError(
        f"node {major} is missing",
        hint=f"nox -s pre-commit installs one; or put it on the PATH: nvm use {major}",
    )


def install_packages(directory: Path, env: Mapping[str, str]) -> None:
    """Install node_modules from package-lock.json, unless it is up to date.

    Args:
        directory: The Node project.
        env: Environment variables for npm.

    Raises:
        UnreachableError: npm's registry is out of reach.
        CheckFailedError: npm could not install the lock for another reason.
    """
    lock, stamp = directory / "package-lock.json", directory / STAMP
    with FileLock(directory / ".node_modules.lock"):
        if not (why := _why(directory)):
            return
        print(f"+ {shlex.join(_CI)}  in {directory}: {why}", file=sys.stderr, flush=True)
        output = capture(_CI, cwd=directory, env={**npm_environment(), **env})
        if output.returncode != 0:
            print(output.stderr, file=sys.stderr)
            raise _failure(lock, output.stderr)
        if missing := _missing(directory):
            raise CheckFailedError(
                f"{lock} was not installed completely: npm left out {len(missing)} packages, "
                f"such as {missing[0]}",
                hint=f"npm --prefix {directory} config list shows the setting",
            )
        stamp.parent.mkdir(exist_ok=True)  # npm creates none for a project without packages
        stamp.write_text("\n".join([_source(directory), _digest(directory / _TREE)]))


def _why(directory: Path) -> str:
    """Return why node_modules must be installed; an empty text, if it is up to date."""
    stamp = directory / STAMP
    if not stamp.exists():
        return "nothing is installed"
    source, *tree = stamp.read_text().split("\n")
    if source != _source(directory):
        return "it was installed from another lock"
    if tree != [_digest(directory / _TREE)] or _is_missing(directory):
        return "node_modules was changed since it was installed"
    return ""


def _is_missing(directory: Path) -> bool:
    return any(not (directory / name / "package.json").exists() for name in _packages(directory))


def _source(directory: Path) -> str:
    return f"{_digest(directory / 'package-lock.json')} {shlex.join(_CI)}"


def _missing(directory: Path) -> list[str]:
    """Return the required packages of the lock that are not installed."""
    locked, installed = _packages(directory, "package-lock.json"), _packages(directory)
    return [
        name
        for name, facts in locked.items()
        if name and name not in installed and not {"optional", "devOptional"} & facts.keys()
    ]


def _packages(directory: Path, file: str | Path = _TREE) -> Mapping[str, Mapping[str, object]]:
    path = directory / file
    content = json.loads(path.read_bytes()) if path.exists() else {}
    packages: Mapping[str, Mapping[str, object]] = content.get("packages", {})
    return packages


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.exists() else ""


def _failure(lock: Path, output: str) -> CheckFailedError:
    """Return the error for npm's error code: https://docs.npmjs.com/common-errors."""
    found = _CODE.search(output)
    code = found[1] if found else "no code"
    message = f"{lock} could not be installed: npm error {code}"
    if _UNREACHABLE.match(code):
        return UnreachableError(message, hint="check the network")
    hints = {
        "EINTEGRITY": f"a package differs from its hash: git checkout {lock}",
        **dict.fromkeys(_UNWRITABLE, "set npm_config_cache to another folder than ~/.npm"),
    }
    return CheckFailedError(message, hint=hints.get(code, "if the lock is stale: nox -s lock"))


def _major_of(path: str) -> str | None:
    try:
        return capture(["node", "--version"], env={"PATH": path}).stdout.strip("v").split(".")[0]
    except MissingToolError:
        return None


if __name__ == "__main__":
    with handle_errors():
        sys.exit(main(sys.argv[1:]))
