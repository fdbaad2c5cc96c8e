"""What a rehearsal is trusted by: secrets, a certificate for localhost, a key to sign with."""

from collections.abc import Mapping
from pathlib import Path

from pipeline import secret_search
from pipeline.deploy.commands.generate_secrets import generate_values
from pipeline.errors import CheckFailedError
from pipeline.process import CommandResult, capture

SECRETS = {
    "DATABASE_URL", "DJANGO_SECRET_KEY", "EMAIL_URL", "FIELD_ENCRYPTION_KEY", "POSTGRES_PASSWORD",
    "PREVIEW_TOKEN", "REDIS_URL", "SMOKE_USER_EMAIL", "SMOKE_USER_PASSWORD", "TLS_CERTIFICATE",
    "TLS_KEY",
}  # fmt: skip

PUBLIC_NAMES = {"EMAIL_URL", "REDIS_URL", "SMOKE_USER_EMAIL", "TLS_CERTIFICATE"}
"""Those of which anybody may see what they are here."""


def secret_values(variables: Mapping[str, str]) -> dict[str, str]:
    """Return what nobody may see, by name: of a text of several lines, one that is its own."""
    return {name: _telling(variables[name]) for name in SECRETS - PUBLIC_NAMES if variables[name]}


def require_no_secrets_in_output(output: CommandResult, secrets: Mapping[str, str]) -> None:
    """See to it that a command says no secret.

    Raises:
        CheckFailedError: It does.
    """
    if shown := secret_search.secrets_in_text(secrets, output.stdout + output.stderr):
        said = f"`{' '.join(output.args)}` shows {', '.join(shown)}"
        raise CheckFailedError(said, hint="print none of them")


def _telling(secret: str) -> str:
    return max(secret.splitlines(), key=len)


def create_secrets(folder: Path) -> dict[str, str]:
    """Make every secret, the certificate as a file besides, and a key to sign with."""
    if capture(["cosign", "generate-key-pair"], cwd=folder, env={"COSIGN_PASSWORD": ""}).returncode:
        raise CheckFailedError("cosign makes no key", hint="cosign generate-key-pair")
    made = generate_values("localhost", {})
    certificate = folder / "tls.crt"
    certificate.write_text(made["TLS_CERTIFICATE"])
    signing = {"COSIGN_KEY": str(folder / "cosign.key"), "COSIGN_PASSWORD": ""}
    return {**made, **signing, "SSL_CERT_FILE": str(certificate)}
