"""Certificates that sign themselves."""

from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from pipeline.process import capture


def signed(folder: Path, names: str = "", days: int = 30) -> tuple[str, str]:
    """Make a certificate for some names, which signs itself, and its key."""
    requests = ["openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    requests += ["-subj", "/CN=shop.example.com", "-keyout", "key", "-out", "request"]
    signs = ["openssl", "x509", "-req", "-in", "request", "-signkey", "key", "-out", "certificate"]
    signs += ["-copy_extensions", "copy", "-days", str(days)]
    for command in ([*requests, *(["-addext", f"subjectAltName={names}"] if names else [])], signs):
        assert capture(command, cwd=folder).returncode == 0
    return (folder / "certificate").read_text(), (folder / "key").read_text()


def made(begins: datetime, ends: datetime, name: str = "shop.example.com") -> tuple[str, str]:
    """Make a certificate that is good from one time to another, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    built = x509.CertificateBuilder(who, who, key.public_key(), 7, begins, ends)
    names = x509.SubjectAlternativeName([x509.DNSName(name)])
    signed = built.add_extension(names, critical=False).sign(key, hashes.SHA256())
    form = serialization.Encoding.PEM
    plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return signed.public_bytes(form).decode(), key.private_bytes(form, *plain).decode()
