"""Certificates that sign themselves."""

from pathlib import Path

from pipeline.run import read


def signed(folder: Path, names: str = "", days: int = 30) -> tuple[str, str]:
    """Make a certificate for some names, which signs itself, and its key."""
    asks = ["openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    asks += ["-subj", "/CN=shop.example.com", "-keyout", "key", "-out", "request"]
    signs = ["openssl", "x509", "-req", "-in", "request", "-signkey", "key", "-out", "certificate"]
    signs += ["-copy_extensions", "copy", "-days", str(days)]
    for command in ([*asks, *(["-addext", f"subjectAltName={names}"] if names else [])], signs):
        assert read(command, cwd=folder).returncode == 0
    return (folder / "certificate").read_text(), (folder / "key").read_text()
