"""Canary secrets: a random value for every variable that holds a secret.

They are generated for each run, so no file of the repository contains one by itself.
"""

import base64
import re
import secrets
from collections.abc import Mapping

from pipeline import config
from pipeline.files import read_text

_TOKEN, _KEY = "{token}", "{key}"
_SECRET_VARIABLE = re.compile(r"^(\w*(?:SECRET|URL|DSN|TOKEN)\w*)=$", re.MULTILINE)
"""Variables of .env.example that hold a secret, of those with an empty value."""


def secret_names() -> set[str]:
    """Return the names of all secrets: of environments, the app, CI jobs, and signing."""
    settings = config.load()
    of_environments = config.declared_secret_names(settings.environments.values())
    of_app = _SECRET_VARIABLE.findall(read_text(settings.layout.env_example))
    of_jobs = settings.job_secrets.values()
    return {"COSIGN_PASSWORD", *of_environments, *of_app}.union(*of_jobs)


def generate_canaries() -> dict[str, str]:
    """Return a secret for each of these names."""
    forms = config.load().secrets.canaries
    return {
        name: _random_key() if forms.get(name) == _KEY else secrets.token_hex(32)
        for name in secret_names()
    }


def _random_key() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


def canary_environment(canaries: Mapping[str, str]) -> dict[str, str]:
    """Return environment variables with these secrets, each in the form that its reader accepts."""
    forms = config.load().secrets.canaries
    return {
        name: forms.get(name, _TOKEN).replace(_KEY, canary).replace(_TOKEN, canary)
        for name, canary in canaries.items()
    }
