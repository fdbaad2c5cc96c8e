"""Secrets that nobody may ever see again: every name that the kit treats as secret holds one.

They are made anew for each run, so that no file of the repository holds one by itself.
"""

import base64
import re
import secrets
from collections.abc import Mapping
from pathlib import Path

from pipeline import config
from pipeline.files import read_text

SECRET_VARIABLE = re.compile(r"^(\w*(?:SECRET|URL|DSN|TOKEN)\w*)=$", re.MULTILINE)
"""The app's variables that hold a secret, of those that its example leaves empty."""
VALUE_FORMATS = {
    "DATABASE_URL": "postgres://app:{}@127.0.0.1:9/app",
    "EMAIL_URL": "smtp://app:{}@127.0.0.1:9",
    "REDIS_URL": "redis://:{}@127.0.0.1:9/0",
    "SENTRY_DSN": "http://{}@127.0.0.1:9/1",
}
"""What is only believed in a certain shape; nobody listens there."""


def secret_names() -> set[str]:
    """Return the names of all secrets: of environments, of the app, of jobs, and of who signs."""
    settings = config.load()
    of_places = config.declared_secret_names(settings.environments.values())
    of_app = SECRET_VARIABLE.findall(read_text(Path("backend", ".env.example")))
    of_jobs = settings.parity.secrets.values()
    return {"COSIGN_PASSWORD", *of_places, *of_app}.union(*of_jobs)


def generate_canaries() -> dict[str, str]:
    """Return a secret for each of these names."""
    hatched = {name: secrets.token_hex(32) for name in secret_names()}
    key = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()  # as Fernet wants one
    return hatched | {"FIELD_ENCRYPTION_KEY": key}


def canary_environment(canaries: Mapping[str, str]) -> dict[str, str]:
    """Return an environment that holds these secrets, each in the shape that its reader wants."""
    return {name: VALUE_FORMATS.get(name, "{}").format(canary) for name, canary in canaries.items()}
