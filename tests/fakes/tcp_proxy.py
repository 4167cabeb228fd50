"""A TCP proxy whose network can be cut, held, made deaf or slow, for faults below every protocol."""

import contextlib
import socket
import threading
from types import TracebackType
from typing import Literal

Weather = Literal["fair", "cut", "held", "deaf"]
"""`cut`: connections are reset and new ones closed at once. `held`: nothing gets through either way, nobody is told.
`deaf`: what clients say arrives, but no answer comes back. Bytes that were held or not heard are lost with their
connections when the weather turns fair again, as after a real outage."""


class TcpProxy:
    """`with TcpProxy(port) as proxy:` listens on `proxy.port` and passes on to the loopback port given."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.delay = 0.0
        """Seconds by which every piece comes later, either way."""
        self.heard = 0
        """Bytes that came from clients."""
        self._weather: Weather = "fair"
        self._changed = threading.Condition()
        self._closed = False
        self._pairs: set[tuple[socket.socket, socket.socket]] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.accepted = 0
        """Connections that clients made."""
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    def __enter__(self) -> "TcpProxy":
        self._threads[0].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed = True
        self.weather = "cut"
        with contextlib.suppress(OSError):  # wakes the thread that waits in accept
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        for thread in self._threads:
            thread.join(10)
        self._listener.close()

    @property
    def weather(self) -> Weather:
        """What the network does now."""
        return self._weather

    @weather.setter
    def weather(self, weather: Weather) -> None:
        with self._changed:
            spoiled = self._weather in ("held", "deaf") or weather == "cut"
            self._weather = weather
            self._changed.notify_all()
        if spoiled:
            for pair in list(self._pairs):
                self._drop(pair)

    def _accept(self) -> None:
        while not self._closed:
            client, _ = self._listener.accept()
            self.accepted += 1
            if self._closed or self._weather == "cut":
                _reset(client)
                continue
            try:
                server = socket.create_connection(("127.0.0.1", self.target), 5)
            except OSError:
                _reset(client)
                continue
            server.settimeout(None)
            pair = (client, server)
            self._pairs.add(pair)
            for source, sink in ((client, server), (server, client)):
                thread = threading.Thread(target=self._pump, args=(pair, source, sink), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _pump(self, pair: tuple[socket.socket, socket.socket], source: socket.socket, sink: socket.socket) -> None:
        upward = source is pair[0]
        try:
            while data := source.recv(65536):
                if upward:
                    self.heard += len(data)
                with self._changed:
                    if self.delay:
                        self._changed.wait_for(lambda: pair not in self._pairs, self.delay)
                    self._changed.wait_for(lambda: self._weather != "held" or pair not in self._pairs)
                if pair not in self._pairs:
                    break
                if upward or self._weather != "deaf":
                    sink.sendall(data)
        except OSError:
            pass
        finally:
            self._drop(pair)

    def _drop(self, pair: tuple[socket.socket, socket.socket]) -> None:
        with self._changed:
            if pair not in self._pairs:
                return
            self._pairs.discard(pair)
            self._changed.notify_all()
        for end in pair:
            _reset(end)


def _reset(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()
