"""Canary secrets: a random value for every variable that holds a secret.

They are generated for each run, so no file of the repository contains one by itself.
"""

import base64
import re
import secrets
from collections.abc import Mapping
from pathlib import Path

from pipeline import config
from pipeline.files import read_text

_SECRET_VARIABLE = re.compile(r"^(\w*(?:SECRET|URL|DSN|TOKEN)\w*)=$", re.MULTILINE)
"""Variables of backend/.env.example that hold a secret, of those with an empty value."""
_VALUE_FORMATS = {
    "DATABASE_URL": "postgres://app:{}@127.0.0.1:9/app",
    "EMAIL_URL": "smtp://app:{}@127.0.0.1:9",
    "REDIS_URL": "redis://:{}@127.0.0.1:9/0",
    "SENTRY_DSN": "http://{}@127.0.0.1:9/1",
}
"""Variables that are only accepted in a certain form; nothing listens at these addresses."""


def secret_names() -> set[str]:
    """Return the names of all secrets: of environments, the app, CI jobs, and signing."""
    settings = config.load()
    of_environments = config.declared_secret_names(settings.environments.values())
    of_app = _SECRET_VARIABLE.findall(read_text(Path("backend", ".env.example")))
    of_jobs = settings.parity.secrets.values()
    return {"COSIGN_PASSWORD", *of_environments, *of_app}.union(*of_jobs)


def generate_canaries() -> dict[str, str]:
    """Return a secret for each of these names."""
    generated = {name: secrets.token_hex(32) for name in secret_names()}
    key = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()  # the key format of Fernet
    return generated | {"FIELD_ENCRYPTION_KEY": key}


def canary_environment(canaries: Mapping[str, str]) -> dict[str, str]:
    """Return environment variables with these secrets, each in the form that its reader accepts."""
    return {
        name: _VALUE_FORMATS.get(name, "{}").format(canary) for name, canary in canaries.items()
    }
