"""Checks the certificate of an edge: its host name, its key, and its validity.

A TLS handshake between a server with the certificate and a client runs in memory. The client is the
one of the smoke test, so both checks have the same result.
"""

import re
import ssl
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from pipeline.addresses import parse_origin
from pipeline.deploy.pem import kinds
from pipeline.deploy.progress import log
from pipeline.deploy.smoke.client import ssl_context
from pipeline.environments import Environment
from pipeline.errors import CheckFailedError, InputError

_MIN_VALIDITY = timedelta(days=14)
_KEY_MISMATCH_REASONS = {"KEY_TYPE_MISMATCH", "KEY_VALUES_MISMATCH", "NO_CERTIFICATE_ASSIGNED"}
_CERTIFICATE, _PRIVATE, _LOCKED = "CERTIFICATE", "PRIVATE KEY", "ENCRYPTED"
_PATH = re.compile(r"(?:~|\.{0,2})/\S*|\S+\.(?:pem|crt|cer|key)")
_UNREAD = "TLS_CERTIFICATE and TLS_KEY cannot be read"
_AS_PEM = (
    'set each to the content of its file, as in TLS_KEY="$(cat key.pem)"; '
    "openssl pkey -in locked.pem -out key.pem removes a passphrase"
)
_RENEW_HINT = "set TLS_CERTIFICATE and TLS_KEY to new ones, then invoke renew-edge"


class _EndsSoonError(CheckFailedError):
    """A certificate is valid, but expires soon."""


def require_certificate(environment: Environment, credentials: Mapping[str, str]) -> None:
    """Refuse a certificate that browsers would reject, before an edge uses it.

    Args:
        environment: The environment of the edge.
        credentials: The values of the environment's secrets.

    Raises:
        InputError: It is not valid for this site, with this key, or today.
    """
    pair = credentials["TLS_CERTIFICATE"], credentials["TLS_KEY"]
    try:
        text = check_certificate(*pair, environment.url)
    except _EndsSoonError as error:
        text = str(error)
    except CheckFailedError as error:
        raise InputError(f"{error}; nothing was changed", hint=error.hint) from None
    log(f"certificate: {text}")


def check_certificate(certificate: str, key: str, url: str) -> str:
    """Check a certificate with its key; its issuer is not checked.

    Args:
        certificate: PEM; the first certificate of a chain.
        key: Its key, as PEM.
        url: The origin of the site.

    Returns:
        Until when it is valid.

    Raises:
        EndsSoonError: It is valid, but expires soon.
        CheckFailedError: It is not valid for this site, or with this key.
    """
    host = parse_origin(url).host
    server = _server_context(certificate, key)
    client = ssl_context(certificate)
    client.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    try:
        end = _complete_handshake(client, server, host)
    except ssl.SSLError as error:
        why = str(getattr(error, "verify_message", error.reason)).rstrip(".")
        raise CheckFailedError(
            f"TLS_CERTIFICATE is not valid for {host}: {why}", hint=_RENEW_HINT
        ) from None
    return check_expiry(end, datetime.now(UTC))


def _server_context(certificate: str, key: str) -> ssl.SSLContext:
    """Return the TLS context of a server, as the edge reads certificate and key.

    Raises:
        CheckFailedError: They cannot be read, or do not belong together.
    """
    if faults := [*_pem_faults("TLS_CERTIFICATE", certificate), *_pem_faults("TLS_KEY", key)]:
        raise CheckFailedError(f"{_UNREAD}: {'; '.join(faults)}", hint=_AS_PEM)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with TemporaryDirectory() as folder:  # only the owner may read it
        files = Path(folder, "certificate"), Path(folder, "key")
        for file, content in zip(files, (certificate, key), strict=True):
            file.write_text(content)
        try:
            context.load_cert_chain(*files, password="")  # otherwise OpenSSL prompts for one
        except ssl.SSLError as error:
            raise CheckFailedError(_read_error(error.reason), hint="set both again") from None
    return context


def _read_error(reason: str | None) -> str:
    """Return the reason why OpenSSL rejects certificate and key; some errors have no reason."""
    if reason in _KEY_MISMATCH_REASONS:
        return "TLS_KEY does not belong to TLS_CERTIFICATE, or to the first certificate in it"
    return (
        f"{_UNREAD}: {reason.lower().replace('_', ' ') if reason else 'their content is damaged'}"
    )


def _pem_faults(name: str, value: str) -> Iterator[str]:
    """Yield each fault of a value that should be PEM; never the value itself."""
    found, wanted = kinds(value), _PRIVATE if name == "TLS_KEY" else _CERTIFICATE
    if not value.strip():
        yield f"{name} is empty"
    elif not found:
        path = _PATH.fullmatch(value.strip())
        yield f"{name} holds {'the path of a file instead of its content' if path else 'no PEM'}"
    elif _LOCKED in value:
        yield f"{name} has a passphrase, which the edge cannot enter"
    elif not any(kind.endswith(wanted) for kind in found):
        yield f"{name} holds no {wanted.lower()}, but: {', '.join(found).lower()}"


def _complete_handshake(client: ssl.SSLContext, server: ssl.SSLContext, host: str) -> datetime:
    """Run a handshake in memory, and return when the certificate of the server expires.

    Raises:
        SSLError: The client rejects the certificate.
    """
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    caller = client.wrap_bio(back, there, server_hostname=host)
    callee = server.wrap_bio(there, back, server_side=True)
    for side in (caller, callee) * 3:
        with suppress(ssl.SSLWantReadError):
            side.do_handshake()
    peer = caller.getpeercert() or {}
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(peer["notAfter"])), UTC)


def check_expiry(end: datetime, now: datetime) -> str:
    """Return until when a certificate is valid.

    Raises:
        EndsSoonError: It expires soon.
    """
    if end - now < _MIN_VALIDITY:
        state = f"expires in {(end - now).days} days" if end > now else "has expired"
        raise _EndsSoonError(f"TLS_CERTIFICATE {state}, on {end:%Y-%m-%d}", hint=_RENEW_HINT)
    return f"valid until {end:%Y-%m-%d}"
