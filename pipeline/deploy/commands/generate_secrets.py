"""Secrets for an environment on this machine: made up here, and known to nobody else."""

import base64
import secrets
from collections.abc import Mapping
from os import environ
from urllib.parse import quote

from pipeline import filesystem
from pipeline.addresses import is_ip, parse_origin
from pipeline.deploy.database_url import VARIABLE, connection
from pipeline.deploy.env_file import format_line
from pipeline.deploy.environment_secrets import configured_values, secrets_file, setup_hint
from pipeline.deploy.pem import BLOCK
from pipeline.deploy.progress import log
from pipeline.environments import Environment
from pipeline.errors import CheckFailedError, InputError
from pipeline.files import read_text
from pipeline.process import capture, last_error_line

DATABASE_HOST = "postgres"  # the service of deploy/data.yml
CERTIFICATE_DAYS = 365


def generate_secrets(environment: Environment, *, dry_run: bool = False) -> None:
    """Write those secrets of an environment that are not set yet to its file; print their names.

    Args:
        environment: Where they are needed: on this machine.
        dry_run: Whether to only print the names.

    Raises:
        InputError: It is not on this machine, or nobody could make up one of them.
        CheckFailedError: OpenSSL makes no certificate.
        MissingToolError: There is no OpenSSL.
    """
    require_local(environment)
    known = configured_values(environment, environ)
    missing = [name for name in environment.secrets if not known.get(name)]
    made = generate_values(parse_origin(environment.url).host, known) if missing else {}
    if unknown := [name for name in missing if name not in made]:
        raise InputError(
            f"nobody can make up {', '.join(unknown)}",
            hint=f"write them to {secrets_file(environment)} (chmod 600)",
        )
    if missing and not dry_run:
        append_to_env_file(environment, {name: made[name] for name in missing})
    log(f"{len(missing)} secrets of {environment.name} {'would be' if dry_run else 'were'} made up")
    print("".join(f"{name}\n" for name in missing), end="")


def require_local(environment: Environment) -> None:
    """Refuse to make up what somebody else has to decide.

    Raises:
        InputError: The environment is not on this machine.
    """
    if not environment.is_local:
        raise InputError(
            f"{environment.name} is not on this machine: its secrets are not made up",
            hint=setup_hint(environment),
        )


def generate_values(host: str, known: Mapping[str, str]) -> dict[str, str]:
    """Return secrets that fit each other, for a site with a database of its own.

    Args:
        host: Whom the certificate is for.
        known: What is set already.

    Raises:
        InputError: DATABASE_URL is set already, and cannot be read.
        CheckFailedError: OpenSSL makes no certificate.
        MissingToolError: There is no OpenSSL.
    """
    password = known.get("POSTGRES_PASSWORD") or password_from_url(known) or secrets.token_hex(16)
    key, certificate = self_signed_certificate(host)
    return {
        "DATABASE_URL": (
            f"postgres://postgres:{quote(password, safe='')}@{DATABASE_HOST}:5432/postgres"
        ),
        "DJANGO_SECRET_KEY": secrets.token_urlsafe(64),
        "EMAIL_URL": "memory:",
        "FIELD_ENCRYPTION_KEY": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "POSTGRES_PASSWORD": password,
        "PREVIEW_TOKEN": secrets.token_hex(24),
        "REDIS_URL": "redis://redis:6379/0",
        "SMOKE_USER_EMAIL": "smoke@example.com",
        "SMOKE_USER_PASSWORD": secrets.token_urlsafe(24),
        "TLS_CERTIFICATE": certificate,
        "TLS_KEY": key,
    }


def password_from_url(known: Mapping[str, str]) -> str:
    """Return the password of our own database that its address has; nothing for another's.

    Raises:
        InputError: It cannot be read.
    """
    address = connection(known[VARIABLE]) if known.get(VARIABLE) else {}
    return address.get("password", "") if address.get("host") == DATABASE_HOST else ""


def self_signed_certificate(host: str) -> tuple[str, str]:
    """Make a key, and a certificate that it signs itself; both are PEM, and on no disk.

    Raises:
        CheckFailedError: OpenSSL refuses.
        MissingToolError: There is no OpenSSL.
    """
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", "-")
    name = f"subjectAltName={'IP' if is_ip(host) else 'DNS'}:{host}"  # clients look here alone
    named = ("-subj", f"/CN={host}", "-addext", name, "-days", str(CERTIFICATE_DAYS))
    answer = capture(["openssl", "req", "-x509", *key, *named])
    found = [f"{match.group()}\n" for match in BLOCK.finditer(answer.stdout)]
    if answer.returncode or len(found) != len(("key", "certificate")):
        why = f"openssl makes no certificate: {last_error_line(answer)}"
        raise CheckFailedError(why, hint="openssl version: it has to be 1.1.1 or newer")
    return found[0], found[1]


def append_to_env_file(environment: Environment, values: Mapping[str, str]) -> None:
    """Add lines to the file of an environment, which is made if it is not there.

    Raises:
        InputError: A value fits into no line.
    """
    lines = "".join(format_line(name, value) for name, value in values.items())
    file = secrets_file(environment)
    file.touch(mode=0o600)
    before = read_text(file)
    ended = "" if before.endswith("\n") or not before else "\n"
    filesystem.write_files({file: f"{before}{ended}{lines}"})
