"""One generation of one upstream, from asking to its true end.

Four limits (`line.Limits`). It is asked once; again only when a kept connection turns out to be closed, or when
the upstream does not know `stream_options`. Whether to try again after a failure is the pool's business: an `Attempt`
says by `refused` what is known about that.
"""

import ssl
from collections.abc import Iterator
from typing import TYPE_CHECKING

from yunliao.adapters.http.connection import Connection
from yunliao.adapters.http.framing import Head, NotHttp
from yunliao.adapters.http.line import Line
from yunliao.adapters.relay.endings import Evidence
from yunliao.adapters.relay.pace import Pace
from yunliao.adapters.relay.reading import Reading
from yunliao.adapters.relay.refusals import MAX_ERROR_BODY, Refusal, refusal
from yunliao.errors import (
    RelayInterrupted,
    RelayRefused,
    RelayTimeout,
    RelayUnreachable,
    TurnFailed,
)
from yunliao.ports import RelayEvent, RelayFinish, RelayRequest, Wanted

if TYPE_CHECKING:
    from yunliao.adapters.relay.client import HttpRelay

FAREWELL_SECONDS = 2.0
"""Longest wait for usage and `[DONE]` after the reason for the end; some upstreams go on with comments and never close
(docs/relays.md)."""


class Attempt:
    """Implements `ports.RelayStream`; can be iterated once."""

    def __init__(self, relay: "HttpRelay", request: RelayRequest, first_byte: float | None = None) -> None:
        self.upstream = relay.name
        self.refused: Refusal | None = None
        """Set before a failure is raised that came before any answer: what it means for another try."""
        self._relay = relay
        self._request = request
        self._first_byte = first_byte
        self._line = Line(relay.limits, relay.clock)
        self._connection: Connection | None = None
        self._finished = False
        self._begun = False

    def __repr__(self) -> str:
        return f"Attempt({self.upstream!r})"

    def close(self) -> None:
        """See `ports.RelayStream.close`."""
        self._line.close()

    def __iter__(self) -> Iterator[list[RelayEvent]]:
        if self._begun:
            return
        self._begun = True
        self._line.begin(self._first_byte)
        try:
            self._open()
            yield from self._events()
        except TurnFailed:
            if not self._line.closed:
                raise
        finally:
            self._release()

    # --- opening --------------------------------------------------------------------------------------------------

    def _open(self) -> None:
        """Ask, until the head of an answer with status 200 is there."""
        relay = self._relay
        while True:
            usage_option = relay.usage_option
            head = self._ask(relay.encoded(self._request, usage_option))
            if head.status == 200:
                if "html" in head.headers.get("content-type", ""):
                    raise self._refuse(RelayRefused("a web page instead of an answer"))
                return
            body = self._error_body()
            self._release()
            if head.status in (400, 422) and usage_option and b"stream_options" in body:
                relay.usage_option = False
                continue
            self.refused = refusal(head.status, head.headers, body)
            raise self.refused.failure

    def _ask(self, request: bytes) -> Head:
        line, connections = self._line, self._relay.connections
        try:
            connection = self._connection = connections.take(line)
            try:
                return connection.ask(line, request)
            except ConnectionError:
                if connection.fresh or line.closed:
                    raise
            self._line.let_go()
            connection.close()  # a kept connection that the upstream has closed: nothing was asked yet
            connection = self._connection = connections.open(line)
            return connection.ask(line, request)
        except TimeoutError:
            if self._connection is None and line.opening > 0:
                raise self._refuse(RelayUnreachable("connect")) from None
            raise self._refuse(RelayTimeout("no first byte"), retryable=False) from None
        except (OSError, NotHttp, ssl.SSLError):
            raise self._refuse(RelayUnreachable()) from None

    def _refuse(self, failure: TurnFailed, *, retryable: bool = True) -> TurnFailed:
        retryable = retryable and not isinstance(failure, RelayRefused)
        self.refused = Refusal(failure, ours=False, retryable=retryable)
        return failure

    def _error_body(self) -> bytes:
        body = b""
        try:
            while len(body) < MAX_ERROR_BODY and (data := self._read()):
                body += data
                self._line.answering = False  # an error is no answer: the limit of the first byte holds on
        except OSError:
            pass
        return body[:MAX_ERROR_BODY]

    def _read(self) -> bytes:
        assert self._connection is not None  # noqa: S101  only read after it was asked
        data = self._connection.read()
        self._line.answering = True
        return data

    # --- reading --------------------------------------------------------------------------------------------------

    def _events(self) -> Iterator[list[RelayEvent]]:
        reading = Reading(done_is_enough=self._relay.dialect.done_is_enough)
        pace = Pace(self._relay.pace)
        wants = self._request.wants or _anything
        while not self._line.closed:
            data = self._next(reading.evidence)
            batch = reading.feed(data)
            if batch:
                yield batch
            if reading.failure is not None:
                raise reading.failure
            if reading.ended or not data:
                self._finished = True
                yield from reading.finish()
                return
            if reading.evidence.finish:
                if reading.moved:  # comments after the reason would otherwise keep the answer open for ever
                    self._line.hurry(FAREWELL_SECONDS)
            elif self._relay.pace and (reading.evidence.text or reading.evidence.reasoning):
                chars = sum(len(event.delta) for event in batch if not isinstance(event, RelayFinish))
                pace.came(chars, self._relay.clock.monotonic())
                self._line.rest(pace.pause(wants()), self._relay.beat)

    def _next(self, evidence: Evidence) -> bytes:
        """More of the answer; b"" at its end, or after its reason where nothing more comes."""
        try:
            return self._read()
        except TimeoutError:
            evidence.cut = True
            if evidence.finish:
                return b""
            if self._line.overdue:
                raise RelayTimeout("total") from None
            raise (RelayInterrupted("silence") if evidence.text else RelayTimeout("silence")) from None
        except OSError:
            evidence.cut = True
            return b""

    def _release(self) -> None:
        connection, self._connection = self._connection, None
        broken_off = self._line.closed
        self._line.let_go()
        if connection is None:
            return
        if broken_off or not (self._finished or connection.answered):
            connection.close()
        else:
            self._relay.connections.give_back(connection)


def _anything() -> Wanted:
    return Wanted(0, False, 0.0)
