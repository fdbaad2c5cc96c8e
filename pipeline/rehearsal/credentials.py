"""What a rehearsal is trusted by: secrets, a certificate for localhost, a key to sign with."""

import base64
import secrets
from collections.abc import Mapping
from pathlib import Path

from pipeline import exposure
from pipeline.errors import CheckFailedError
from pipeline.images.act import answer
from pipeline.run import Output, read

SECRETS = {
    "DATABASE_URL", "DJANGO_SECRET_KEY", "EMAIL_URL", "FIELD_ENCRYPTION_KEY", "POSTGRES_PASSWORD",
    "PREVIEW_TOKEN", "REDIS_URL", "SMOKE_USER_EMAIL", "SMOKE_USER_PASSWORD", "TLS_CERTIFICATE",
    "TLS_KEY",
}  # fmt: skip

OPEN = {"EMAIL_URL", "REDIS_URL", "SMOKE_USER_EMAIL", "TLS_CERTIFICATE"}
"""Those of which anybody may see what they are here."""


def hidden(variables: Mapping[str, str]) -> dict[str, str]:
    """Return what nobody may see, by name: of a text of several lines, one that is its own."""
    return {name: _telling(variables[name]) for name in SECRETS - OPEN if variables[name]}


def require_discreet(output: Output, secrets: Mapping[str, str]) -> None:
    """See to it that a command says no secret.

    Raises:
        CheckFailedError: It does.
    """
    if shown := exposure.in_text(secrets, output.stdout + output.stderr):
        said = f"`{' '.join(output.args)}` shows {', '.join(shown)}"
        raise CheckFailedError(said, hint="print none of them")


def _telling(secret: str) -> str:
    return max(secret.splitlines(), key=len)


def credentials(folder: Path) -> dict[str, str]:
    """Make every secret, a certificate for localhost, and a key to sign with."""
    certificate, key = folder / "tls.crt", folder / "tls.key"
    answer(
        ("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
         "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(certificate))
    )  # fmt: skip
    if read(["cosign", "generate-key-pair"], cwd=folder, env={"COSIGN_PASSWORD": ""}).returncode:
        raise CheckFailedError("cosign makes no key", hint="cosign generate-key-pair")
    password = secrets.token_hex(16)
    return {
        "COSIGN_KEY": str(folder / "cosign.key"),
        "COSIGN_PASSWORD": "",
        "DATABASE_URL": f"postgres://postgres:{password}@postgres:5432/postgres",
        "DJANGO_SECRET_KEY": secrets.token_urlsafe(64),
        "EMAIL_URL": "memory:",
        "FIELD_ENCRYPTION_KEY": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "POSTGRES_PASSWORD": password,
        "PREVIEW_TOKEN": secrets.token_hex(24),
        "REDIS_URL": "redis://redis:6379/0",
        "SMOKE_USER_EMAIL": "smoke@example.com",
        "SMOKE_USER_PASSWORD": secrets.token_urlsafe(24),
        "SSL_CERT_FILE": str(certificate),
        "TLS_CERTIFICATE": certificate.read_text(),
        "TLS_KEY": key.read_text(),
    }
