"""Secrets that nobody may ever see again: every name that the kit treats as secret holds one."""

import base64
import re

from pipeline import config
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


def names() -> set[str]:
    """Return the names of all secrets: of environments, of the app, of jobs, and of who signs."""
    settings = config.load()
    of_places = [place["secrets"] for place in settings["environments"].values()]
    unset = re.findall(r"^(\w+)=$", (ROOT / "backend/.env.example").read_text(), re.MULTILINE)
    of_app = [name for name in unset if re.search("SECRET|URL|DSN|TOKEN", name)]
    of_jobs = settings["parity"]["secrets"].values()
    return {"COSIGN_PASSWORD", *of_app}.union(*of_places, *of_jobs)


def canaries() -> dict[str, str]:
    """Return an environment in which each of these names holds one."""
    return {name: SHAPES.get(name, CANARY) for name in names()}
