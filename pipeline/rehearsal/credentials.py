"""Credentials of a rehearsal: secrets, a certificate for localhost, a signing key."""

from collections.abc import Mapping
from pathlib import Path

from pipeline import secret_search
from pipeline.config import load, local_environment
from pipeline.deploy.commands.generate_secrets import generate_values
from pipeline.errors import CheckFailedError
from pipeline.process import CommandResult, capture

_PUBLIC_NAMES = {"SMOKE_USER_EMAIL", "TLS_CERTIFICATE"}
"""Secrets of every product whose values are public."""


def secret_values(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the values that must not be shown, by name; of several lines, the longest one."""
    fixed = {name for name, form in load().secrets.generate.items() if "{" not in form}
    hidden = {*local_environment().secrets} - _PUBLIC_NAMES - fixed
    return {name: _longest_line(variables[name]) for name in hidden if variables[name]}


def require_no_secrets_in_output(output: CommandResult, secrets: Mapping[str, str]) -> None:
    """Check the output of a command for secrets.

    Raises:
        CheckFailedError: It contains one.
    """
    if shown := secret_search.secrets_in_text(secrets, output.stdout + output.stderr):
        message = f"`{' '.join(output.args)}` shows {', '.join(shown)}"
        raise CheckFailedError(message, hint="remove the secret from the output")


def _longest_line(secret: str) -> str:
    return max(secret.splitlines(), key=len)


def create_secrets(folder: Path) -> dict[str, str]:
    """Generate every secret, a certificate file and a signing key, and return the variables."""
    if capture(["cosign", "generate-key-pair"], cwd=folder, env={"COSIGN_PASSWORD": ""}).returncode:
        raise CheckFailedError(
            "cosign did not generate a key pair", hint="cosign generate-key-pair"
        )
    values = generate_values("localhost", {})
    certificate = folder / "tls.crt"
    certificate.write_text(values["TLS_CERTIFICATE"])
    signing = {"COSIGN_KEY": str(folder / "cosign.key"), "COSIGN_PASSWORD": ""}
    return {**values, **signing, "SSL_CERT_FILE": str(certificate)}
