"""A TCP proxy that tests interrupt: between the deployer and the engine or the site."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

CHUNK = 65536


@dataclass
class TCPProxy:
    """Forwards connections to a Unix socket (a path) or a local port (a number).

    Attributes:
        to: The target.
        accepts: Whether the connection of this number is accepted.
        open: The sockets of open connections.
    """

    to: Path | int
    accepts: Callable[[int], bool] = lambda _: True
    open: list[socket.socket] = field(default_factory=list)
    taken: int = 0

    def serve(self, listener: socket.socket) -> None:
        """Accept connections until the listener is closed."""
        with suppress(OSError):
            while True:
                here, _ = listener.accept()
                self.taken += 1
                if self.accepts(self.taken):
                    self.join(here)
                else:
                    here.close()

    def join(self, here: socket.socket) -> None:
        """Forward bytes in both directions."""
        there = socket.socket(family(self.to))
        there.connect(address(self.to))
        self.open += [here, there]
        threading.Thread(target=pipe_both, args=(here, there), daemon=True).start()

    def interrupt(self, seconds: float) -> None:
        """Close all connections, and refuse others for some seconds."""
        usual, self.accepts = self.accepts, lambda _: False
        self.end()
        threading.Timer(seconds, lambda: setattr(self, "accepts", usual)).start()

    def end(self) -> None:
        """Close all connections."""
        for each in self.open:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)


def listening(place: Path | int = 0) -> socket.socket:
    """Listen on an address; by default on any free port."""
    listener = socket.socket(family(place))
    listener.bind(address(place))
    listener.listen()
    return listener


@contextmanager
def tcp_proxy(listener: socket.socket, to: Path | int) -> Iterator[TCPProxy]:
    """Run a proxy from a listener to a target inside the block."""
    made = TCPProxy(to)
    with listener:
        threading.Thread(target=made.serve, args=(listener,), daemon=True).start()
        yield made
        listener.shutdown(socket.SHUT_RDWR)
    made.end()


def pipe_both(here: socket.socket, there: socket.socket) -> None:
    """Forward bytes in both directions until both sides have closed."""
    back = threading.Thread(target=pipe, args=(there, here), daemon=True)
    with here, there:
        back.start()
        pipe(here, there)
        back.join()


def pipe(source: socket.socket, sink: socket.socket) -> None:
    """Forward bytes, and then the end of the stream."""
    with suppress(OSError):
        while data := source.recv(CHUNK):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)


def family(place: Path | int) -> socket.AddressFamily:
    """Return the socket family of an address."""
    return socket.AF_UNIX if isinstance(place, Path) else socket.AF_INET


def address(place: Path | int) -> str | tuple[str, int]:
    """Return an address in the form of the socket module."""
    return str(place) if isinstance(place, Path) else ("127.0.0.1", place)
