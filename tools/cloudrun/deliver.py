"""How a request reaches an instance and its answer comes back: whole (callContainer) or streamed (other links)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING

import aiohttp
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from cloudrun.identity import HOP_BY_HOP, Caller, passed_on
from cloudrun.instances import Instance
from cloudrun.platform_errors import UPSTREAM, PlatformError
from cloudrun.switches import View

if TYPE_CHECKING:
    from cloudrun.gateway import Gateway

VERBS = ("GET", "POST", "PUT", "DELETE")
OTHER_LINKS_BODY = 20 * 1024 * 1024  # what the platform takes for binary bodies (platform.md §1.3)
LOCAL_QUERY = ("local_user", "local_shared", "local_link", "local_service", "local_instance")
PIECE = 16 * 1024


def target(instance: Instance, request: web.Request) -> URL:
    """The address at the instance: the client's path and query as written, without the gateway's own parameters."""
    raw = request.rel_url.raw_query_string
    kept = "&".join(part for part in raw.split("&") if part and part.split("=")[0] not in LOCAL_QUERY)
    return URL(instance.url + request.rel_url.raw_path + ("?" + kept if kept else ""), encoded=True)


def headers_for(
    request: web.Request, switches: View, caller: Caller | None, call_id: str, *, identity: bool = True
) -> CIMultiDict[str]:
    """What the container gets to read: the client's headers without forged ones, and what the platform adds."""
    strip = caller is not None or switches["public_strips_identity"]
    headers = CIMultiDict(
        passed_on(request.headers.items(), strip_identity=strip, pass_underscore=switches["pass_underscore"])
    )
    peer = request.remote or "127.0.0.1"
    headers.add("X-Forwarded-For", peer)
    headers.add("X-Original-Forwarded-For", peer)
    if caller is not None:
        service = request.headers.get("X-WX-SERVICE")
        if service:
            headers.add("X-WX-SERVICE", service)
        if identity:
            excluded = request.headers.get("X-WX-EXCLUDE-CREDENTIALS", "")
            for name, value in caller.headers(call_id, exclude=excluded):
                headers.add(name, value)
    return headers


async def read_body(request: web.Request, cap: int) -> bytes:
    """The request body. Raises `PlatformError` -606001 if it is larger than `cap` bytes."""
    if (request.content_length or 0) > cap:
        raise PlatformError(-606001)
    body = bytearray()
    async for piece in request.content.iter_chunked(PIECE):
        body += piece
        if len(body) > cap:
            raise PlatformError(-606001)
    return bytes(body)


class _Answer:
    def __init__(self, status: int, headers: CIMultiDict[str], body: bytes) -> None:
        self.status, self.headers, self.body = status, headers, body


async def whole(
    gateway: Gateway, request: web.Request, switches: View, caller: Caller | None, call_id: str
) -> web.StreamResponse:
    """callContainer: the body arrives at the end or not at all (platform.md §1.2-§1.4). Raises `PlatformError`."""
    if request.method not in VERBS:
        raise PlatformError(102005)
    body = await read_body(request, switches["request_cap_bytes"])
    headers = headers_for(request, switches, caller, call_id)
    try:
        async with asyncio.timeout(switches["cap_seconds"]):
            await asyncio.sleep(switches["latency_ms"] / 1000)
            chosen = await gateway.instances(switches, 2 if switches["duplicate_delivery"] else 1, request)
            calls = [
                gateway.later(
                    _fetch(gateway, request, instance, headers, body, switches, i * switches["duplicate_gap_ms"] / 1000)
                )
                for i, instance in enumerate(chosen)
            ]
            answer, instance = await _first(calls, chosen)
            if switches["lose_answer"]:
                raise PlatformError(102002)
            if switches["bytes_per_second"]:
                await asyncio.sleep(len(answer.body) / switches["bytes_per_second"])
    except TimeoutError:
        raise PlatformError(102002) from None
    if switches["non_2xx"] == "fail" and not 200 <= answer.status < 300:
        raise PlatformError(600000, f"request:fail statusCode {answer.status}")
    answer.headers["X-Local-Instance"] = str(instance.number)
    answer.headers["X-Local-Call-Id"] = call_id
    return web.Response(status=answer.status, body=answer.body, headers=answer.headers)


async def _first(calls: list[asyncio.Task[_Answer]], chosen: list[Instance]) -> tuple[_Answer, Instance]:
    """The first answer; the other delivery goes on unseen. If all fail, the first failure. A cut call is cancelled."""
    owners = dict(zip(calls, chosen, strict=True))
    waiting, failure = set(calls), None
    try:
        while waiting:
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for call in sorted(done, key=calls.index):
                if call.exception() is None:
                    return call.result(), owners[call]
                failure = failure or call.exception()
    except asyncio.CancelledError:
        for call in waiting:
            call.cancel()
        raise
    assert failure is not None
    raise failure


async def _fetch(
    gateway: Gateway,
    request: web.Request,
    instance: Instance,
    headers: CIMultiDict[str],
    body: bytes,
    switches: View,
    after: float,
) -> _Answer:
    await asyncio.sleep(after)
    cap = switches["response_cap_bytes"]
    received = bytearray()
    try:
        async with gateway.session.request(
            request.method,
            target(instance, request),
            headers=headers,
            data=body,
            allow_redirects=False,
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
        ) as answer:
            async for piece in answer.content.iter_any():
                received += piece
                if len(received) > cap:
                    raise PlatformError(-606002)
            return _Answer(answer.status, _back(answer.headers), bytes(received))
    except (aiohttp.ClientError, OSError):
        raise PlatformError(-501001, UPSTREAM) from None


def _back(headers: Mapping[str, str], added: Mapping[str, str] | None = None) -> CIMultiDict[str]:
    """The container's headers for the client, without those that belong to one connection, and what is `added`."""
    kept = CIMultiDict((k, v) for k, v in headers.items() if k.lower() not in (*HOP_BY_HOP, "content-length", "date"))
    kept.update(added or {})
    return kept


async def streamed(
    gateway: Gateway, request: web.Request, switches: View, caller: Caller | None, call_id: str
) -> web.StreamResponse:
    """The function and public links: the answer is passed on as it comes, at most `request_seconds` long."""
    body = await read_body(request, OTHER_LINKS_BODY)
    headers = headers_for(request, switches, caller, call_id)
    response: web.StreamResponse | None = None
    try:
        async with asyncio.timeout(switches["request_seconds"] or None):
            await asyncio.sleep(switches["latency_ms"] / 1000)
            instance = (await gateway.instances(switches, 1, request))[0]
            async with gateway.session.request(
                request.method,
                target(instance, request),
                headers=headers,
                data=body,
                allow_redirects=False,
                skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
            ) as answer:
                added = {"X-Local-Instance": str(instance.number), "X-Local-Call-Id": call_id}
                response = web.StreamResponse(status=answer.status, headers=_back(answer.headers, added))
                return await _pump(request, response, answer, switches["bytes_per_second"])
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        if response is None or not response.prepared:
            if isinstance(error, TimeoutError):
                raise PlatformError(102002) from None
            raise PlatformError(-501001, UPSTREAM) from None
        with contextlib.suppress(AttributeError):  # a cut stream must look cut, not finished
            request.transport.abort()  # type: ignore[union-attr]
        return response


async def relayed(
    request: web.Request, answer: aiohttp.ClientResponse, added: Mapping[str, str], speed: int
) -> web.StreamResponse:
    """Pass on any answer as it comes (the preview's)."""
    response = web.StreamResponse(status=answer.status, headers=_back(answer.headers, added))
    return await _pump(request, response, answer, speed)


async def _pump(
    request: web.Request, response: web.StreamResponse, answer: aiohttp.ClientResponse, speed: int
) -> web.StreamResponse:
    length = answer.headers.get("Content-Length")
    if length is not None:
        response.headers["Content-Length"] = length
    await response.prepare(request)
    async for piece in _paced(answer, speed):
        await response.write(piece)
    await response.write_eof()
    return response


async def _paced(answer: aiohttp.ClientResponse, speed: int) -> AsyncIterator[bytes]:
    async for piece in answer.content.iter_any():
        step = max(1, speed // 20) if speed else len(piece)
        for start in range(0, len(piece), step):
            part = piece[start : start + step]
            if speed:
                await asyncio.sleep(len(part) / speed)
            yield part
