"""A line that passes bytes on, and that can be cut: between the deployer and what it talks to."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

CHUNK = 65536


@dataclass
class TCPProxy:
    """A line to an address: a path is a socket of this machine, a number is a port of it.

    Attributes:
        to: Where it leads.
        takes: Whether it takes the next connection, by its number.
        open: Its connections.
    """

    to: Path | int
    accepts: Callable[[int], bool] = lambda _: True
    open: list[socket.socket] = field(default_factory=list)
    taken: int = 0

    def serve(self, listener: socket.socket) -> None:
        """Take connections, until nobody listens any more."""
        with suppress(OSError):
            while True:
                here, _ = listener.accept()
                self.taken += 1
                if self.accepts(self.taken):
                    self.join(here)
                else:
                    here.close()

    def join(self, here: socket.socket) -> None:
        """Pass on what either side says."""
        there = socket.socket(family(self.to))
        there.connect(address(self.to))
        self.open += [here, there]
        threading.Thread(target=pipe_both, args=(here, there), daemon=True).start()

    def interrupt(self, seconds: float) -> None:
        """End all connections, and take no other for a while."""
        usual, self.accepts = self.accepts, lambda _: False
        self.end()
        threading.Timer(seconds, lambda: setattr(self, "accepts", usual)).start()

    def end(self) -> None:
        """End all connections."""
        for each in self.open:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)


def listening(place: Path | int = 0) -> socket.socket:
    """Listen at an address; on any free port, if none is given."""
    listener = socket.socket(family(place))
    listener.bind(address(place))
    listener.listen()
    return listener


@contextmanager
def tcp_proxy(listener: socket.socket, to: Path | int) -> Iterator[TCPProxy]:
    """Have a line from what listens to somewhere."""
    made = TCPProxy(to)
    with listener:
        threading.Thread(target=made.serve, args=(listener,), daemon=True).start()
        yield made
        listener.shutdown(socket.SHUT_RDWR)
    made.end()


def pipe_both(here: socket.socket, there: socket.socket) -> None:
    """Pass on what both say, until both have ended."""
    back = threading.Thread(target=pipe, args=(there, here), daemon=True)
    with here, there:
        back.start()
        pipe(here, there)
        back.join()


def pipe(source: socket.socket, sink: socket.socket) -> None:
    """Pass on what comes, and its end."""
    with suppress(OSError):
        while data := source.recv(CHUNK):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)


def family(place: Path | int) -> socket.AddressFamily:
    """Return which kind of address this is."""
    return socket.AF_UNIX if isinstance(place, Path) else socket.AF_INET


def address(place: Path | int) -> str | tuple[str, int]:
    """Return an address as a socket wants it."""
    return str(place) if isinstance(place, Path) else ("127.0.0.1", place)
