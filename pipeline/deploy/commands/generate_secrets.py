"""Generates the secrets of the environment on this machine."""

import base64
import secrets
from collections.abc import Mapping
from os import environ
from urllib.parse import quote

from pipeline import filesystem
from pipeline.addresses import is_ip, parse_origin
from pipeline.config import load
from pipeline.deploy.database_url import VARIABLE, connection
from pipeline.deploy.env_file import format_line
from pipeline.deploy.environment_secrets import configured_values, secrets_file, setup_hint
from pipeline.deploy.pem import BLOCK
from pipeline.deploy.progress import log
from pipeline.environments import Environment
from pipeline.errors import CheckFailedError, InputError
from pipeline.files import read_text
from pipeline.process import capture, last_error_line

_DATABASE_HOST = "postgres"  # the service of deploy/data.yml
_CERTIFICATE_DAYS = 365


def generate_secrets(environment: Environment, *, dry_run: bool = False) -> None:
    """Write the missing secrets of an environment to its file, and print their names.

    Args:
        environment: The local environment.
        dry_run: Print the names only.

    Raises:
        InputError: The environment is not local, or a secret cannot be generated.
        CheckFailedError: OpenSSL created no certificate.
        MissingToolError: OpenSSL is not installed.
    """
    _require_local(environment)
    known = configured_values(environment, environ)
    missing = [name for name in environment.secrets if not known.get(name)]
    made = generate_values(parse_origin(environment.url).host, known) if missing else {}
    if unknown := [name for name in missing if name not in made]:
        raise InputError(
            f"cannot generate these secrets: {', '.join(unknown)}",
            hint=f"write them to {secrets_file(environment)} (chmod 600)",
        )
    if missing and not dry_run:
        _append_to_env_file(environment, {name: made[name] for name in missing})
    done = "would be generated" if dry_run else "were generated"
    log(f"{len(missing)} secrets of {environment.name} {done}")
    print("".join(f"{name}\n" for name in missing), end="")


def _require_local(environment: Environment) -> None:
    """Refuse to generate secrets that an operator must choose.

    Raises:
        InputError: The environment is not on this machine.
    """
    if not environment.is_local:
        raise InputError(
            f"cannot generate secrets of {environment.name}: it is not on this machine",
            hint=setup_hint(environment),
        )


def generate_values(host: str, known: Mapping[str, str]) -> dict[str, str]:
    """Return consistent secrets for a site with its own database.

    Args:
        host: Host name of the certificate.
        known: Secrets that are already set.

    Raises:
        InputError: DATABASE_URL is set, and cannot be read.
        CheckFailedError: OpenSSL created no certificate.
        MissingToolError: OpenSSL is not installed.
    """
    password = known.get("POSTGRES_PASSWORD") or _password_from_url(known) or secrets.token_hex(16)
    key, certificate = self_signed_certificate(host)
    own = {name: _fill_in(form) for name, form in load().secrets.generate.items()}
    return own | {
        "DATABASE_URL": (
            f"postgres://postgres:{quote(password, safe='')}@{_DATABASE_HOST}:5432/postgres"
        ),
        "POSTGRES_PASSWORD": password,
        "PREVIEW_TOKEN": secrets.token_hex(24),
        "SMOKE_USER_EMAIL": "smoke@example.com",
        "SMOKE_USER_PASSWORD": secrets.token_urlsafe(24),
        "TLS_CERTIFICATE": certificate,
        "TLS_KEY": key,
    }


def _fill_in(form: str) -> str:
    """Return a value in this form, with random text.

    Args:
        form: `{token}` becomes 86 characters, `{key}` 32 bytes in URL-safe base64.
    """
    key = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
    return form.replace("{token}", secrets.token_urlsafe(64)).replace("{key}", key)


def _password_from_url(known: Mapping[str, str]) -> str:
    """Return the password in the address of our own database; empty for another one.

    Raises:
        InputError: The address cannot be read.
    """
    address = connection(known[VARIABLE]) if known.get(VARIABLE) else {}
    return address.get("password", "") if address.get("host") == _DATABASE_HOST else ""


def self_signed_certificate(host: str) -> tuple[str, str]:
    """Create a key and a self-signed certificate, as PEM; nothing is written to disk.

    Raises:
        CheckFailedError: OpenSSL failed.
        MissingToolError: OpenSSL is not installed.
    """
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", "-")
    name = f"subjectAltName={'IP' if is_ip(host) else 'DNS'}:{host}"  # clients read only this name
    named = ("-subj", f"/CN={host}", "-addext", name, "-days", str(_CERTIFICATE_DAYS))
    answer = capture(["openssl", "req", "-x509", *key, *named])
    found = [f"{match.group()}\n" for match in BLOCK.finditer(answer.stdout)]
    if answer.returncode or len(found) != len(("key", "certificate")):
        why = f"openssl created no certificate: {last_error_line(answer)}"
        raise CheckFailedError(why, hint="openssl version: 1.1.1 or newer is required")
    return found[0], found[1]


def _append_to_env_file(environment: Environment, values: Mapping[str, str]) -> None:
    """Append lines to the file of an environment; create the file if it is missing.

    Raises:
        InputError: A value cannot be written in one line.
    """
    lines = "".join(format_line(name, value) for name, value in values.items())
    file = secrets_file(environment)
    file.touch(mode=0o600)
    before = read_text(file)
    ended = "" if before.endswith("\n") or not before else "\n"
    filesystem.write_files({file: f"{before}{ended}{lines}"})
