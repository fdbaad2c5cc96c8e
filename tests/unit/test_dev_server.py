import socket

import pytest

from pipeline import dev_server
from pipeline.errors import InputError


def test_a_port_in_use_is_an_error_with_a_hint() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = str(server.getsockname()[1])
        with pytest.raises(InputError, match=f"port {port} .* is in use") as caught:
            dev_server.require_free_port(port)
    assert caught.value.hint == "choose another: BACKEND_PORT=8001 nox -s dev"
    dev_server.require_free_port(port)


def test_a_port_that_is_none_is_an_error_with_a_hint() -> None:
    with pytest.raises(InputError, match="is not a port: `web`"):
        dev_server.require_free_port("web")
