import socket
import socketserver
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from pipeline.config import load
from pipeline.process import background_process
from pipeline.rehearsal import load_balancer
from pipeline.rehearsal.load_balancer import (
    HEALTHY_THRESHOLD,
    PAGE,
    Address,
    LoadBalancer,
    is_healthy,
    ssl_context,
)
from pipeline.services import free_port
from tests.waiting import until

ONE, TWO, THREE = ("10.0.0.1", 443), ("10.0.0.2", 443), ("10.0.0.3", 443)


def test_each_connection_goes_to_the_next_target() -> None:
    balancer = LoadBalancer([ONE, TWO, THREE])
    assert [balancer.next_targets()[0] for _ in range(4)] == [TWO, THREE, ONE, TWO]


def test_a_target_that_does_not_answer_is_tried_last() -> None:
    balancer = LoadBalancer([ONE, TWO, THREE])
    balancer.record_health(TWO, healthy=False)
    assert {balancer.next_targets()[-1] for _ in range(6)} == {TWO}


def test_a_target_that_was_out_has_to_answer_several_times() -> None:
    balancer = LoadBalancer([ONE, TWO])
    balancer.record_health(TWO, healthy=False)
    for _ in range(HEALTHY_THRESHOLD - 1):
        balancer.record_health(TWO, healthy=True)
    assert {balancer.next_targets()[0] for _ in range(4)} == {ONE}
    balancer.record_health(TWO, healthy=True)
    assert {balancer.next_targets()[0] for _ in range(4)} == {ONE, TWO}


def test_where_none_answers_all_are_tried() -> None:
    balancer = LoadBalancer([ONE, TWO])
    for target in (ONE, TWO):
        balancer.record_health(target, healthy=False)
    assert {balancer.next_targets()[0] for _ in range(4)} == {ONE, TWO}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate with its key, for a name that no request uses."""
    file = tmp_path_factory.mktemp("tls") / "tls.pem"
    request = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    options = [
        "-nodes",
        "-days",
        "1",
        "-subj",
        "/CN=site",
        "-keyout",
        f"{file}",
        "-out",
        f"{file}.crt",
    ]
    subprocess.run([*request, *options], check=True, capture_output=True)
    file.write_text(file.read_text() + Path(f"{file}.crt").read_text())
    return file


@contextmanager
def edge(certificate: Path, *broken: str) -> Iterator[Address]:
    """An edge that has everything behind it but these paths."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.send_response(502 if self.path in broken else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield "127.0.0.1", server.server_port
        server.shutdown()


def test_an_edge_is_well_with_the_whole_app_behind_it(certificate: Path) -> None:
    with edge(certificate) as address:
        assert is_healthy(address, ssl_context(str(certificate)))


@pytest.mark.parametrize("path", [PAGE, load().app.paths.version])
def test_an_edge_is_not_well_with_half_of_the_app_behind_it(certificate: Path, path: str) -> None:
    with edge(certificate, path) as address:
        assert not is_healthy(address, ssl_context(str(certificate)))


def test_an_edge_with_another_certificate_is_not_well(certificate: Path) -> None:
    with edge(certificate) as address:
        assert not is_healthy(address, ssl.create_default_context())


def test_an_edge_that_is_not_there_is_not_well() -> None:
    assert not is_healthy(("127.0.0.1", free_port()), ssl.create_default_context())


class Echo(socketserver.StreamRequestHandler):
    """Returns the port of its server and the request, once it is complete."""

    def handle(self) -> None:
        port = self.connection.getsockname()[1]
        self.wfile.write(f"{port} received {self.rfile.read().decode()}".encode())


@contextmanager
def echo() -> Iterator[Address]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Echo) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield "127.0.0.1", server.server_address[1]
        server.shutdown()


def said_through(port: int, words: str) -> str:
    """Say something through a balancer, and return the answer."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(words.encode())
        connection.shutdown(socket.SHUT_WR)
        return connection.makefile().read()


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_what_is_said_is_passed_on_and_a_dead_target_passed_over() -> None:
    listen, dead = free_port(), free_port()
    with echo() as one, echo() as two:
        targets = [f"127.0.0.1:{port}" for port in (one[1], dead, two[1])]
        command = [sys.executable, "-m", load_balancer.__name__, f"127.0.0.1:{listen}", *targets]
        with background_process(command):
            until(lambda: listens(listen), "the balancer does not listen")
            received = {said_through(listen, "hello") for _ in range(6)}
    assert received == {f"{one[1]} received hello", f"{two[1]} received hello"}
