"""Run a command in a Node project: the wanted Node first on the PATH, node_modules as locked.

python -m pipeline.node [--directory frontend] [--here] 22 npm test
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

LOCKS_DIR = Path("requirements")
# all of it, whatever NODE_ENV says; what a package would run meanwhile, no tool of ours needs
CI = ("npm", "ci", "--include=dev", "--include=optional", "--include=peer", "--ignore-scripts")
TREE = Path("node_modules", ".package-lock.json")  # npm writes there what it has installed
STAMP = Path("node_modules", ".installed-from")
CODE = re.compile(r"^npm (?:error|ERR!) code (\w+)", re.MULTILINE)
UNREACHABLE = re.compile(
    r"E(CONN|NOTCACHED|NOTFOUND|AI_AGAIN|TIMEDOUT|NETUNREACH|HOSTUNREACH|403|5\d\d)|\w+TIMEOUT"
)
UNWRITABLE = ("EACCES", "EEXIST", "ENOSPC", "ENOTDIR", "EPERM", "EROFS")


class UnreachableError(CheckFailedError):
    """npm could not install what a lock says, since its registry did not answer or refused."""


def main(arguments: Sequence[str]) -> int:
    """Run the command line and return the exit code of its command."""
    parser = argparse.ArgumentParser("python -m pipeline.node", description=__doc__)
    parser.add_argument("--directory", type=Path, default=Path("frontend"))
    parser.add_argument("--here", action="store_true", help="run a tool of the project right here")
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
    """Return a PATH on which `node` is the wanted one.

    The environment's own Node (from requirements/node.txt) is taken if it is of that major
    version; the others come from npm, hash-locked in requirements/node-<major>; where npm has
    none for this platform, one further down the PATH will do, or that of another session.

    Args:
        major: The major version of Node, such as `22`.

    Raises:
        MissingToolError: That Node is nowhere, and cannot be had.
    """
    path = os.environ["PATH"]
    locked = LOCKS_DIR / f"node-{major}"
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
        f"node {major} is not here",
        hint=f"nox -s pre-commit brings one; or put it on the PATH: nvm use {major}",
    )


def install_packages(directory: Path, env: Mapping[str, str]) -> None:
    """Make node_modules what package-lock.json says, unless it is that already.

    Args:
        directory: The Node project.
        env: Variables to run npm with.

    Raises:
        UnreachableError: npm's registry is out of reach.
        CheckFailedError: npm could not install what the lock says for another reason.
    """
    lock, stamp = directory / "package-lock.json", directory / STAMP
    with FileLock(directory / ".node_modules.lock"):
        if not (why := _why(directory)):
            return
        print(f"+ {shlex.join(CI)}  in {directory}: {why}", file=sys.stderr, flush=True)
        output = capture(CI, cwd=directory, env={**npm_environment(), **env})
        if output.returncode != 0:
            print(output.stderr, file=sys.stderr)
            raise _failure(lock, output.stderr)
        if missing := _missing(directory):
            raise CheckFailedError(
                f"{lock} was not installed as a whole: npm left out {len(missing)} packages, "
                f"such as {missing[0]}",
                hint=f"npm --prefix {directory} config list shows the setting that does it",
            )
        stamp.parent.mkdir(exist_ok=True)  # npm makes none for a project without packages
        stamp.write_text("\n".join([_source(directory), _digest(directory / TREE)]))


def _why(directory: Path) -> str:
    """Why node_modules has to be made anew; nothing, if it is as it was installed from the lock."""
    stamp = directory / STAMP
    if not stamp.exists():
        return "nothing is installed, or not by this"
    source, *tree = stamp.read_text().split("\n")
    if source != _source(directory):
        return "it was installed from another lock, or in another way"
    if tree != [_digest(directory / TREE)] or _is_missing(directory):
        return "node_modules was changed since it was installed"
    return ""


def _is_missing(directory: Path) -> bool:
    return any(not (directory / name / "package.json").exists() for name in _packages(directory))


def _source(directory: Path) -> str:
    return f"{_digest(directory / 'package-lock.json')} {shlex.join(CI)}"


def _missing(directory: Path) -> list[str]:
    """The packages of the lock that have to be on every machine, and are not here."""
    locked, here = _packages(directory, "package-lock.json"), _packages(directory)
    return [
        name
        for name, facts in locked.items()
        if name and name not in here and not {"optional", "devOptional"} & facts.keys()
    ]


def _packages(directory: Path, file: str | Path = TREE) -> Mapping[str, Mapping[str, object]]:
    path = directory / file
    content = json.loads(path.read_bytes()) if path.exists() else {}
    packages: Mapping[str, Mapping[str, object]] = content.get("packages", {})
    return packages


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.exists() else ""


def _failure(lock: Path, said: str) -> CheckFailedError:
    """What npm's error code means: https://docs.npmjs.com/common-errors."""
    found = CODE.search(said)
    code = found[1] if found else "no code"
    message = f"{lock} could not be installed: npm says {code}"
    if UNREACHABLE.match(code):
        return UnreachableError(message, hint="is the network there?")
    hints = {
        "EINTEGRITY": f"a package differs from its hash: git checkout {lock}",
        **dict.fromkeys(UNWRITABLE, "npm_config_cache names another cache than ~/.npm"),
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
