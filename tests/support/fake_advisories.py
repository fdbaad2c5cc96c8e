"""An advisory service on this machine, which answers pip-audit and npm in the real ones' formats.

pip-audit always uses PyPI, so this is also its proxy, with a certificate of PyPI's name.
https://warehouse.pypa.io/api-reference/json.html and https://api-docs.npmjs.com/#tag/Audit
"""

import gzip
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import trustme

from pipeline.checks.dependency_audit import npm, pypi

BULK = "/-/npm/v1/security/advisories/bulk"

Advisories = dict[str, list[dict[str, Any]]]


def pypi_advisory(name: str, *aliases: str, fixed: str = "99") -> dict[str, Any]:
    """Return an advisory as PyPI gives it."""
    return {
        "aliases": [*aliases],
        "details": "It can be made to do what it should not.",
        "fixed_in": [fixed],
        "id": name,
        "link": f"https://osv.dev/vulnerability/{name}",
        "source": "osv",
        "summary": None,
        "withdrawn": None,
    }


def npm_advisory(name: str, severity: str = "high") -> dict[str, Any]:
    """Return an advisory as npm's registry gives it."""
    return {
        "id": 1100000,
        "url": f"https://github.com/advisories/{name}",
        "title": "It can be made to do what it should not",
        "severity": severity,
        "vulnerable_versions": "<99",
        "cwe": ["CWE-20"],
        "cvss": {"score": 7.5, "vectorString": None},
    }


def probes() -> tuple[Advisories, Advisories]:
    """Return what every advisory service knows."""
    return (
        {"==".join(pypi.KNOWN_VULNERABLE): [pypi_advisory("PYSEC-2018-66")]},
        {npm.KNOWN_VULNERABLE[0]: [npm_advisory("GHSA-jf85-cpcp-j695", "critical")]},
    )


@dataclass
class FakeAdvisoryService:
    """What the service knows, and how it is broken.

    Attributes:
        pypi: Advisories, by `name==version`.
        npm: Advisories, by name.
        strangers: Releases that it does not know, as `name==version`.
        broken: What it answers to everything instead: a status, and a body.
    """

    folder: Path
    pypi: Advisories = field(default_factory=lambda: probes()[0])
    npm: Advisories = field(default_factory=lambda: probes()[1])
    unknown_releases: set[str] = field(default_factory=set)
    broken: tuple[int, bytes] | None = None
    port: int = 9  # nothing listens there

    @property
    def environment(self) -> dict[str, str]:
        """The variables by which pip-audit and npm find it; nothing of before is cached."""
        address = f"http://127.0.0.1:{self.port}/"
        return {
            "HTTPS_PROXY": address,
            "NO_PROXY": "127.0.0.1",
            "PIP_CACHE_DIR": str(self.folder / "pip"),
            "REQUESTS_CA_BUNDLE": str(self.folder / "ca.pem"),
            "npm_config_cache": str(self.folder / "npm"),
            "npm_config_registry": address,
        }

    def release(self, name: str, version: str) -> tuple[int, object]:
        """Answer what PyPI has of a release."""
        if f"{name}=={version}" in self.unknown_releases:
            return 404, {"message": "Not Found"}
        known = self.pypi.get(f"{name}=={version}", [])
        return 200, {"info": {"name": name, "version": version}, "vulnerabilities": known}

    def bulk(self, requested: dict[str, list[str]]) -> tuple[int, object]:
        """Answer what npm's registry has on many packages."""
        return 200, {name: self.npm[name] for name in requested if name in self.npm}

    @contextmanager
    def running(self) -> Iterator["FakeAdvisoryService"]:
        """Serve while the block runs."""
        authority = trustme.CA()
        authority.cert_pem.write_to_path(self.folder / "ca.pem")
        with ThreadingHTTPServer(("127.0.0.1", 0), handler(self, authority)) as server:
            self.port = server.server_port
            threading.Thread(target=server.serve_forever, daemon=True).start()
            try:
                yield self
            finally:
                server.shutdown()


def handler(service: FakeAdvisoryService, authority: trustme.CA) -> type[BaseHTTPRequestHandler]:
    """Return what answers for a service."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_CONNECT(self) -> None:
            """Be the proxy: only pip-audit connects through it."""
            secure = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            authority.issue_cert(self.path.rpartition(":")[0]).configure_cert(secure)
            self.send_response(200)
            self.end_headers()
            self.connection = secure.wrap_socket(self.connection, server_side=True)
            self.rfile = self.connection.makefile("rb")
            self.wfile = self.connection.makefile("wb", buffering=0)

        def do_GET(self) -> None:
            match self.path.strip("/").split("/"):
                case "pypi", name, version, "json":
                    self.answer(*service.release(name, version))
                case _:
                    self.answer(404, {"error": "Not found"})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path == BULK:
                self.answer(*service.bulk(json.loads(gzip.decompress(body))))
            else:
                self.answer(404, {"error": "Not found"})

        def finish(self) -> None:
            """Close what was wrapped too: the server knows only the bare connection."""
            super().finish()
            self.connection.close()

        def answer(self, status: int, content: object) -> None:
            status, body = service.broken or (status, json.dumps(content).encode())
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing: the tools' own words are looked at."""

    return Handler
