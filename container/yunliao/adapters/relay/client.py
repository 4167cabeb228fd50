"""One upstream: any OpenAI-compatible `/v1/chat/completions`, over connections that are kept open.

A stream is looked at as seldom as what it is read for allows (pace.py).
"""

import secrets
import ssl
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec

from yunliao.adapters.beat import Beat
from yunliao.adapters.http.connection import Connections
from yunliao.adapters.http.line import Limits
from yunliao.adapters.relay.dialects import Dialect, guess
from yunliao.adapters.relay.stream import Attempt
from yunliao.domain.trace import header_for
from yunliao.ports import Clock, RelayRequest


class HttpRelay:
    """`base_url` ends with the version (`…/v1`); a path that ends with `/chat/completions` is taken as it is, and a
    bare host gets `/v1`. `models` maps the model ids of requests to the upstream's names; an id that is not in it goes
    out as it is. `pace`: the longest time, in seconds, that a stream that speaks is not looked at."""

    def __init__(
        self,
        base_url: str,
        key: str,
        *,
        limits: Limits,
        clock: Clock,
        name: str = "relay",
        dialect: Dialect | None = None,
        models: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        tls: ssl.SSLContext | None = None,
        pace: float = 1.5,
    ) -> None:
        self.url = endpoint(base_url)
        self.name = name
        self.limits = limits
        self.clock = clock
        self.pace = pace
        self.beat = Beat()
        self.dialect = dialect or guess(base_url)
        self.usage_option = self.dialect.usage_option
        self.connections = Connections(self.url, limits.connect, clock, tls)
        self._models = dict(models or {})
        self._head = _request_head(self.url, self.dialect, key, headers or {})

    def __repr__(self) -> str:
        return f"HttpRelay({self.name!r})"

    def stream(self, request: RelayRequest, *, first_byte: float | None = None) -> Attempt:
        """See `ports.Relay.stream`. One try; `first_byte` may shorten the limit of that name, in seconds."""
        return Attempt(self, request, first_byte)

    def close(self) -> None:
        """Close the connections that wait."""
        self.connections.close()

    def encoded(self, request: RelayRequest, usage_option: bool) -> bytes:
        """The bytes of one HTTP request."""
        body: dict[str, Any] = {
            "model": self._models.get(request.model, request.model),
            "messages": [{"role": message.role, "content": message.content} for message in request.messages],
            "stream": True,
        }
        if request.max_tokens is not None:
            body["max_tokens"] = request.max_tokens
        if usage_option:
            body["stream_options"] = {"include_usage": True}
        content = msgspec.json.encode(body)
        head = self._head
        if request.request_id:
            head += f"X-Request-Id: {request.request_id}\r\n"
        if request.trace:
            head += f"traceparent: {header_for(request.trace, secrets.token_hex(8))}\r\n"
        return f"{head}Content-Length: {len(content)}\r\n\r\n".encode("latin-1") + content


def _request_head(url: str, dialect: Dialect, key: str, headers: Mapping[str, str]) -> str:
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    sent = {
        "Host": host,
        "User-Agent": "yunliao",
        "Content-Type": "application/json",
        "Accept": "text/event-stream",
        "Accept-Encoding": "identity",
    }
    if key and dialect.key_header == "api-key":
        sent["api-key"] = key
    elif key:
        sent["Authorization"] = f"Bearer {key}"
    sent |= headers
    if any(not value.isprintable() or not value.isascii() for value in sent.values()):
        raise ValueError("a header value, or the key, has characters that no HTTP header may have")
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    return f"POST {path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in sent.items())


def endpoint(base_url: str) -> str:
    """The address to post to; a query (`?api-version=…`) is kept."""
    address, mark, query = base_url.partition("?")
    address = address.rstrip("/")
    if not address.endswith("/chat/completions"):
        bare = urlsplit(address).path in ("", "/")
        address += "/v1/chat/completions" if bare else "/chat/completions"
    return address + mark + query


__all__ = ["HttpRelay", "Limits", "endpoint"]
