"""Whether the certificate of an edge will do: for its site, with its key, and for how long.

A server that has it and a client shake hands, both in memory: the client is the one that walks
through the site after each deploy, so that it cannot be of another opinion then.
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

MIN_VALIDITY = timedelta(days=14)
KEY_MISMATCH_REASONS = {"KEY_TYPE_MISMATCH", "KEY_VALUES_MISMATCH", "NO_CERTIFICATE_ASSIGNED"}
CERTIFICATE, PRIVATE, LOCKED = "CERTIFICATE", "PRIVATE KEY", "ENCRYPTED"
PATH = re.compile(r"(?:~|\.{0,2})/\S*|\S+\.(?:pem|crt|cer|key)")
UNREAD = "TLS_CERTIFICATE and TLS_KEY cannot be read"
AS_PEM = (
    'set each to what its file holds, as in TLS_KEY="$(cat key.pem)"; '
    "openssl pkey -in locked.pem -out key.pem takes a passphrase away"
)
RENEW_HINT = "set TLS_CERTIFICATE and TLS_KEY to new ones, then invoke renew-edge"


class EndsSoonError(CheckFailedError):
    """A certificate is good, and not for long."""


def require_certificate(environment: Environment, credentials: Mapping[str, str]) -> None:
    """Refuse a certificate that no user's browser would take, before an edge has it.

    Args:
        environment: Whose edge.
        credentials: The values of the environment's secrets.

    Raises:
        InputError: It is not good for this site, or not with this key, or not today.
    """
    pair = credentials["TLS_CERTIFICATE"], credentials["TLS_KEY"]
    try:
        said = check_certificate(*pair, environment.url)
    except EndsSoonError as error:
        said = str(error)
    except CheckFailedError as error:
        raise InputError(f"{error}; nothing was touched", hint=error.hint) from None
    log(f"the certificate: {said}")


def check_certificate(certificate: str, key: str, url: str) -> str:
    """Look at a certificate, and at what is to go with it; its signer is not judged.

    Args:
        certificate: As PEM; the first, if it is a chain.
        key: Its key, as PEM.
        url: The origin of the site.

    Returns:
        Until when it is good.

    Raises:
        EndsSoonError: It is good, and not for long.
        CheckFailedError: It is not good for this site, or not with this key.
    """
    host = parse_origin(url).host
    server = server_context(certificate, key)
    client = ssl_context(certificate)
    client.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    try:
        end = complete_handshake(client, server, host)
    except ssl.SSLError as error:
        why = str(getattr(error, "verify_message", error.reason)).rstrip(".")
        raise CheckFailedError(
            f"TLS_CERTIFICATE is not good for {host}: {why}", hint=RENEW_HINT
        ) from None
    return check_expiry(end, datetime.now(UTC))


def server_context(certificate: str, key: str) -> ssl.SSLContext:
    """Return what makes a server of a certificate and its key, as the edge reads them.

    Raises:
        CheckFailedError: It cannot be read, or the key is another one's.
    """
    if faults := [*unfit("TLS_CERTIFICATE", certificate), *unfit("TLS_KEY", key)]:
        raise CheckFailedError(f"{UNREAD}: {'; '.join(faults)}", hint=AS_PEM)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with TemporaryDirectory() as folder:  # which only its owner may read
        files = Path(folder, "certificate"), Path(folder, "key")
        for file, content in zip(files, (certificate, key), strict=True):
            file.write_text(content)
        try:
            context.load_cert_chain(*files, password="")  # or it would ask for one
        except ssl.SSLError as error:
            raise CheckFailedError(read_error(error.reason), hint="set both anew") from None
    return context


def read_error(reason: str | None) -> str:
    """Say why OpenSSL reads no certificate and key; of some faults it gives no reason."""
    if reason in KEY_MISMATCH_REASONS:
        return "TLS_KEY is not the key of TLS_CERTIFICATE, or of the first in it"
    return (
        f"{UNREAD}: {reason.lower().replace('_', ' ') if reason else 'what they hold is damaged'}"
    )


def unfit(name: str, value: str) -> Iterator[str]:
    """Yield what a value holds in the place of the PEM that it should; never the value itself."""
    found, wanted = kinds(value), PRIVATE if name == "TLS_KEY" else CERTIFICATE
    if not value.strip():
        yield f"{name} is empty"
    elif not found:
        path = PATH.fullmatch(value.strip())
        yield f"{name} holds {'the path of a file, and not what is in it' if path else 'no PEM'}"
    elif LOCKED in value:
        yield f"{name} has a passphrase, which cannot be typed in there"
    elif not any(kind.endswith(wanted) for kind in found):
        yield f"{name} holds no {wanted.lower()}, but: {', '.join(found).lower()}"


def complete_handshake(client: ssl.SSLContext, server: ssl.SSLContext, host: str) -> datetime:
    """Let both shake hands in memory, and return when the server's certificate ends.

    Raises:
        SSLError: The client does not take it.
    """
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    asks = client.wrap_bio(back, there, server_hostname=host)
    answers = server.wrap_bio(there, back, server_side=True)
    for side in (asks, answers) * 3:
        with suppress(ssl.SSLWantReadError):
            side.do_handshake()
    told = asks.getpeercert() or {}
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(told["notAfter"])), UTC)


def check_expiry(end: datetime, now: datetime) -> str:
    """Say until when a certificate is good.

    Raises:
        EndsSoonError: That is soon.
    """
    if end - now < MIN_VALIDITY:
        state = f"ends in {(end - now).days} days" if end > now else "has ended"
        raise EndsSoonError(f"TLS_CERTIFICATE {state}, on {end:%Y-%m-%d}", hint=RENEW_HINT)
    return f"good until {end:%Y-%m-%d}"
