"""Streams from any OpenAI-compatible `/v1/chat/completions` endpoint over a kept-open pool.

Four limits, in seconds: connect, first byte, silence between bytes, total. Retries happen only before the first byte.
After the first text, bytes are read at most every `pace` seconds: a stream costs its wake-ups, and a phone draws no
faster; the first text never waits.
"""

import email.utils
import random
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import msgspec
import urllib3
from urllib3.exceptions import HTTPError, ReadTimeoutError

from yunliao.adapters.relay.chunks import Piece, classify, decode
from yunliao.adapters.relay.endings import Evidence, judge
from yunliao.adapters.relay.sse import SseDecoder
from yunliao.errors import (
    ContextTooLong,
    RelayEmpty,
    RelayInterrupted,
    RelayMalformed,
    RelayOverloaded,
    RelayRefused,
    RelayTimeout,
    RelayUnreachable,
    TurnFailed,
)
from yunliao.ports import Clock, RelayEvent, RelayFinish, RelayReasoning, RelayRequest, RelayText

TRIES = 3
MAX_RETRY_AFTER = 10.0
MAX_ERROR_BODY = 64 * 1024
READ = 64 * 1024


class RelayLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds."""

    connect: float = 5.0
    first_byte: float = 60.0
    silence: float = 30.0
    total: float = 300.0


class HttpRelay:
    """Implements `ports.Relay`. `base_url` ends with the version (`…/v1`); a path that ends with `/chat/completions` is
    taken as it is, and a bare host gets `/v1`."""

    def __init__(self, base_url: str, key: str, *, limits: RelayLimits, clock: Clock, pace: float = 0.05) -> None:
        self.url = endpoint(base_url)
        self._key = key
        self.limits = limits
        self.clock = clock
        self.pace = pace
        self.usage_option = True
        self.pool = urllib3.PoolManager(num_pools=4, maxsize=256, block=False, retries=False)

    def __repr__(self) -> str:
        return f"HttpRelay({self.url!r})"

    def stream(self, request: RelayRequest) -> "HttpRelayStream":
        """See `ports.Relay.stream`."""
        return HttpRelayStream(self, request)

    def headers(self, request: RelayRequest) -> dict[str, str]:
        """Headers of one request."""
        headers = {"Content-Type": "application/json", "Accept": "text/event-stream", "Accept-Encoding": "identity"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        if request.request_id:
            headers["X-Request-Id"] = request.request_id
        return headers


class HttpRelayStream:
    """Implements `ports.RelayStream`."""

    def __init__(self, relay: HttpRelay, request: RelayRequest) -> None:
        self._relay = relay
        self._request = request
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._response: urllib3.BaseHTTPResponse | None = None
        self._sock: socket.socket | None = None
        self._deadline = 0.0

    def close(self) -> None:
        """See `ports.RelayStream.close`."""
        self._closed.set()
        with self._lock:
            sock, self._sock = self._sock, None
        if sock is not None:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def __iter__(self) -> Iterator[list[RelayEvent]]:
        self._deadline = self._relay.clock.monotonic() + self._relay.limits.total
        try:
            response = self._open()
            if response is not None:
                yield from self._events(response)
        except TurnFailed:
            if not self._closed.is_set():
                raise
        finally:
            self._release()

    # --- opening --------------------------------------------------------------------------------------------------

    def _open(self) -> urllib3.BaseHTTPResponse | None:
        limits, clock = self._relay.limits, self._relay.clock
        give_up = clock.monotonic() + limits.first_byte
        failure: TurnFailed = RelayUnreachable()
        for attempt in range(TRIES):
            if self._closed.is_set():
                return None
            left = max(0.05, give_up - clock.monotonic())
            pause = random.uniform(0.2, 0.5) * 2**attempt  # noqa: S311  jitter, not a secret
            try:
                response = self._post(min(limits.connect, left), left)
            except ReadTimeoutError:
                raise RelayTimeout("no first byte") from None
            except (HTTPError, OSError):
                failure = RelayUnreachable()
            else:
                if response.status == 200:
                    return self._opened(response)
                failure, wait = self._refusal(response)
                if wait is None:
                    if not self._without_usage_option(response.status, failure):
                        raise failure
                    pause = 0.0
                else:
                    pause = max(pause, wait)
            if attempt + 1 == TRIES or clock.monotonic() + pause >= give_up:
                break
            self._closed.wait(pause)
        raise failure

    def _post(self, connect: float, read: float) -> urllib3.BaseHTTPResponse:
        relay, request = self._relay, self._request
        body: dict[str, Any] = {
            "model": request.model,
            "messages": [{"role": message.role, "content": message.content} for message in request.messages],
            "stream": True,
        }
        if request.max_tokens is not None:
            body["max_tokens"] = request.max_tokens
        if relay.usage_option:
            body["stream_options"] = {"include_usage": True}
        return relay.pool.request(
            "POST",
            relay.url,
            body=msgspec.json.encode(body),
            headers=relay.headers(request),
            preload_content=False,
            redirect=False,
            timeout=urllib3.Timeout(connect=connect, read=read),
        )

    def _opened(self, response: urllib3.BaseHTTPResponse) -> urllib3.BaseHTTPResponse:
        connection = response.connection
        with self._lock:
            self._response = response
            self._sock = getattr(connection, "sock", None)
            if self._sock is None:  # a body without length on a connection that will close: http.client let go of it
                raw = getattr(getattr(response, "_fp", None), "fp", None)
                self._sock = getattr(getattr(raw, "raw", None), "_sock", None)
            if self._sock is not None:
                self._sock.settimeout(self._relay.limits.silence)
        if self._closed.is_set():
            self.close()
        return response

    def _refusal(self, response: urllib3.BaseHTTPResponse) -> tuple[TurnFailed, float | None]:
        """What a status other than 200 means, and how long to wait before trying again (None: do not)."""
        try:
            body = response.read(MAX_ERROR_BODY)
        except (HTTPError, OSError):
            body = b""
        finally:
            response.release_conn()
            response.close()
        self._refused_for = body
        status = response.status
        if status == 429:
            return RelayOverloaded(retry_after=10), retry_after(response.headers.get("Retry-After"))
        if status in (500, 502, 503, 504):
            return RelayOverloaded(retry_after=10), retry_after(response.headers.get("Retry-After"))
        if status == 413 or isinstance(classify(body.decode("utf-8", "replace")), ContextTooLong):
            return ContextTooLong(), None
        return RelayRefused(f"status {status}"), None

    _refused_for = b""

    def _without_usage_option(self, status: int, failure: TurnFailed) -> bool:
        """An upstream that does not know `stream_options` is asked again without it, and remembered."""
        if status in (400, 422) and self._relay.usage_option and b"stream_options" in self._refused_for:
            self._relay.usage_option = False
            return isinstance(failure, RelayRefused)
        return False

    # --- reading --------------------------------------------------------------------------------------------------

    def _events(self, response: urllib3.BaseHTTPResponse) -> Iterator[list[RelayEvent]]:
        if "json" in response.headers.get("Content-Type", ""):
            yield self._whole(response)
            return
        decoder, evidence = SseDecoder(), Evidence()
        ended = False
        while not ended and not evidence.done:
            chunk = self._read(response, evidence)
            if self._closed.is_set():
                return
            ended = not chunk
            batch: list[RelayEvent] = []
            failure = _digest(decoder.feed(chunk), evidence, batch)
            if batch:
                yield batch
            if failure is not None:
                raise failure
            if evidence.text and not ended and not evidence.finish:
                self._closed.wait(self._relay.pace)
        if evidence.done:
            self._finish(response)
        yield [RelayFinish(judge(evidence), evidence.usage)]

    def _read(self, response: urllib3.BaseHTTPResponse, evidence: Evidence) -> bytes:
        left = self._deadline - self._relay.clock.monotonic()
        if left <= 0:
            raise RelayTimeout("total")
        if self._sock is not None:
            with suppress(OSError):
                self._sock.settimeout(min(left, self._relay.limits.silence))
        try:
            chunk = response.read1(READ) or b""
            return chunk + self._rest(response) if chunk else b""
        except (TimeoutError, ReadTimeoutError):
            raise (RelayInterrupted("silence") if evidence.text else RelayTimeout("silence")) from None
        except (HTTPError, OSError, ValueError):
            if evidence.finish:
                return b""  # the reason had come: what was cut off is only the farewell
            raise RelayInterrupted("cut") from None

    def _rest(self, response: urllib3.BaseHTTPResponse) -> bytes:
        """All else that has arrived: however small the upstream's pieces, they cost one wake-up. A failure here is met
        again by the next read; what was read before it is kept."""
        rest = b""
        with suppress(HTTPError, OSError, ValueError):
            while len(rest) < READ and self._arrived(response):
                more = response.read1(READ)
                if not more:
                    break
                rest += more
        return rest

    def _arrived(self, response: urllib3.BaseHTTPResponse) -> bool:
        """Whether bytes can be read without waiting."""
        sock, buffered = self._sock, getattr(getattr(response, "_fp", None), "fp", None)
        if sock is None or buffered is None:
            return False
        patience = sock.gettimeout()
        sock.settimeout(0)
        try:
            return _holds_data(buffered.peek(1), response)
        except OSError:  # TLS says "want read" this way
            return False
        finally:
            sock.settimeout(patience)

    def _whole(self, response: urllib3.BaseHTTPResponse) -> list[RelayEvent]:
        """An answer in one piece although a stream was asked for."""
        try:
            body = response.read(8 << 20)
        except (HTTPError, OSError):
            raise RelayInterrupted("cut") from None
        piece = decode(body)
        evidence, batch = Evidence(), []  # type: ignore[var-annotated]
        _note(piece, evidence, batch)
        if not batch and not piece.finish:
            raise RelayEmpty
        return [*batch, RelayFinish(judge(evidence), piece.usage)]

    def _finish(self, response: urllib3.BaseHTTPResponse) -> None:
        """Read the few bytes after `[DONE]`, so that the connection can serve the next answer."""
        with self._lock:
            sock, self._sock = self._sock, None
        try:
            if sock is not None:
                sock.settimeout(0.2)
            if not response.read1(READ):
                response.release_conn()
                self._response = None
        except (HTTPError, OSError, ValueError):
            pass

    def _release(self) -> None:
        with self._lock:
            response, self._response = self._response, None
            self._sock = None
        if response is not None:
            with suppress(HTTPError, OSError):
                response.close()


def _holds_data(there: bytes, response: urllib3.BaseHTTPResponse) -> bool:
    """Whether bytes of the body are among what is there. In a chunked body (RFC 9112 §7.1) a line end and the next
    chunk's size line are not: reading on after them alone would wait for the upstream."""
    body = getattr(response, "_fp", None)
    if not getattr(body, "chunked", False) or getattr(body, "chunk_left", None):
        return bool(there)
    _, size_line, data = there.removeprefix(b"\r\n").partition(b"\n")
    return bool(size_line and data)


def endpoint(base_url: str) -> str:
    """The address to post to; a query (`?api-version=…`) is kept."""
    address, mark, query = base_url.partition("?")
    address = address.rstrip("/")
    if not address.endswith("/chat/completions"):
        bare = urllib3.util.parse_url(address).path in (None, "", "/")
        address += "/v1/chat/completions" if bare else "/chat/completions"
    return address + mark + query


def retry_after(value: str | None) -> float:
    """Seconds to wait by a Retry-After header (RFC 9110 §10.2.3), at most `MAX_RETRY_AFTER`."""
    if not value:
        return 0.0
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = email.utils.parsedate_to_datetime(value).timestamp() - time.time()
        except (TypeError, ValueError):
            return 0.0
    return min(max(0.0, seconds), MAX_RETRY_AFTER)


def _digest(events: list[bytes], evidence: Evidence, batch: list[RelayEvent]) -> TurnFailed | None:
    """Put what the events say into `batch`; the failure that one of them means, after what came before it."""
    for data in filter(bytes.strip, events):
        if data.strip() == b"[DONE]":
            evidence.done = True
            return None
        try:
            piece = decode(data)
        except TurnFailed as failed:
            return failed
        evidence.usage = piece.usage or evidence.usage
        _note(piece, evidence, batch)
    return None


def _note(piece: Piece, evidence: Evidence, batch: list[RelayEvent]) -> None:
    if piece.reasoning:
        evidence.reasoning = True
        batch.append(RelayReasoning(piece.reasoning))
    if piece.text:
        evidence.text = True
        batch.append(RelayText(piece.text))
    evidence.finish = piece.finish or evidence.finish


__all__ = ["HttpRelay", "RelayLimits", "RelayMalformed"]
