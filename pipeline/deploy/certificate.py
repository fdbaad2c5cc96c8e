"""Whether the certificate of an edge will do: for its site, with its key, and for how long."""

import shutil
import ssl
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from pipeline.errors import CheckFailedError, NotJudgedError
from pipeline.run import read

LEAST = timedelta(days=14)


def fits(certificate: str, key: str, url: str) -> str:
    """Look at a certificate, and at what is to go with it.

    Args:
        certificate: As PEM; the first, if it is a chain.
        key: Its key, as PEM.
        url: The origin of the site.

    Returns:
        Until when it is good.

    Raises:
        CheckFailedError: It is not good for this site, or not with this key, or not for long.
        NotJudgedError: There is no OpenSSL here.
    """
    if shutil.which("openssl") is None:
        raise NotJudgedError("certificate", "openssl is not here", hint="install openssl")
    host = urlsplit(url).hostname or ""
    said = asked("x509", "-noout", "-enddate", "-checkhost", host, stdin=certificate)
    if "does match" not in said:
        raise CheckFailedError(f"TLS_CERTIFICATE is not for {host}", hint="renew it for that name")
    if asked("x509", "-noout", "-pubkey", stdin=certificate) != asked("pkey", "-pubout", stdin=key):
        raise CheckFailedError("TLS_KEY is not the key of TLS_CERTIFICATE", hint="set both anew")
    seconds = ssl.cert_time_to_seconds(said.partition("notAfter=")[2].splitlines()[0])
    return until(datetime.fromtimestamp(seconds, UTC), datetime.now(UTC))


def until(end: datetime, now: datetime) -> str:
    """Say until when a certificate is good.

    Raises:
        CheckFailedError: That is soon.
    """
    if end - now < LEAST:
        state = f"ends in {(end - now).days} days" if end > now else "has ended"
        raise CheckFailedError(
            f"TLS_CERTIFICATE {state}, on {end:%Y-%m-%d}",
            hint="set TLS_CERTIFICATE and TLS_KEY to new ones, then invoke renew",
        )
    return f"good until {end:%Y-%m-%d}"


def asked(*arguments: str, stdin: str) -> str:
    """Return what OpenSSL says.

    Raises:
        CheckFailedError: It cannot read what it is given.
    """
    answer = read(["openssl", *arguments], stdin=stdin)
    if answer.returncode:
        raise CheckFailedError("TLS_CERTIFICATE or TLS_KEY is no PEM", hint="set both anew")
    return answer.stdout
