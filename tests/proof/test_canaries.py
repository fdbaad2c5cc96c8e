"""A secret that a session or a task is given is in nothing that it says or leaves behind.

Every name that the kit treats as secret holds a canary. Sessions and tasks run for real, in a copy
of this repository, and may well refuse what they are given. Images are looked into by
`tests/containers`.
"""

import base64
import os
import re
from pathlib import Path
from threading import Event

import pytest

from pipeline import config
from pipeline.proof.copies import Copy, copy
from pipeline.proof.prove import surroundings
from pipeline.run import attended
from tests.conftest import ROOT

CANARY = "canary-of-at-least-fifty-characters-that-nobody-may-ever-see-again"
SHAPES = {
    "DATABASE_URL": f"postgres://app:{CANARY}@127.0.0.1:9/app",
    "EMAIL_URL": f"smtp://app:{CANARY}@127.0.0.1:9",
    "FIELD_ENCRYPTION_KEY": base64.urlsafe_b64encode(CANARY.encode()[:32]).decode(),
    "REDIS_URL": f"redis://:{CANARY}@127.0.0.1:9/0",
    "SENTRY_DSN": f"http://{CANARY}@127.0.0.1:9/1",
}
"""What is only believed in a certain shape; nobody listens there."""
SESSIONS = {
    "plan": [],
    "ci-ok": [],
    "lint": [],
    "parity": [],
    "docs": [],
    "migrations": [],
    "build": [],
    "tests-3.12(django='5.2')": ["config/tests/test_settings.py", "config/tests/test_secrets.py"],
}
TASKS = [
    ("--list",),
    ("build", "--dry"),
    ("sign", "--dry"),
    ("verify",),
    ("deploy", "--env=local", "--dry"),
    ("deploy", "--env=local", "--key=gone.key"),
    ("status", "--env=local"),
    ("history", "--env=local"),
    ("smoke", "--env=local"),
]


def names() -> set[str]:
    """The names of all secrets: of environments, of the app, of jobs, and of who signs."""
    settings = config.load()
    of_places = [place["secrets"] for place in settings["environments"].values()]
    unset = re.findall(r"^(\w+)=$", (ROOT / "backend/.env.example").read_text(), re.MULTILINE)
    of_app = [name for name in unset if re.search("SECRET|URL|DSN|TOKEN", name)]
    of_jobs = settings["parity"]["secrets"].values()
    return {"COSIGN_PASSWORD", *of_app}.union(*of_places, *of_jobs)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    return copy(ROOT, tmp_path_factory.mktemp("canaries") / "checkout")


def leaks(place: Copy, *command: str) -> list[str]:
    """Run a command among canaries, and return where they are found."""
    env = surroundings(os.environ) | {name: SHAPES.get(name, CANARY) for name in names()}
    output = attended(command, cwd=place.root, env=env, stop=Event())
    assert output.stdout
    left = [path for path in place.root.rglob("*") if path.is_file() and CANARY in read(path)]
    own = {place.root / Path(__file__).relative_to(ROOT)}
    return [str(path) for path in left if path not in own] + ["output"] * (CANARY in output.stdout)


def read(path: Path) -> str:
    return path.read_text(errors="replace")


def test_the_names_are_those_that_the_kit_knows() -> None:
    assert {"COSIGN_PASSWORD", "CODECOV_TOKEN", "DJANGO_SECRET_KEY", "TLS_KEY"} <= names()


@pytest.mark.parametrize("session", SESSIONS)
def test_no_session_shows_a_secret(session: str, place: Copy) -> None:
    line = ["nox", f"--envdir={ROOT}/.nox/canaries", "-s", session, "--", *SESSIONS[session]]
    assert leaks(place, *line) == []


@pytest.mark.parametrize("task", TASKS, ids=" ".join)
def test_no_task_shows_a_secret(task: tuple[str, ...], place: Copy) -> None:
    assert leaks(place, "invoke", *task) == []
