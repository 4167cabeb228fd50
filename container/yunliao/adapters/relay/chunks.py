"""Typed decoding of chat completion chunks, tolerant of what dialects add and leave out."""

from typing import Any

import msgspec

from yunliao.domain.events import Usage
from yunliao.errors import BlockedOutput, ContextTooLong, RelayMalformed, RelayOverloaded, RelayReported, TurnFailed


class _Delta(msgspec.Struct, gc=False):
    content: str | list[dict[str, Any]] | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None


class _Choice(msgspec.Struct, gc=False):
    delta: _Delta | None = None
    message: _Delta | None = None
    finish_reason: str | None = None


class _PromptDetails(msgspec.Struct):
    cached_tokens: int | None = 0


class _CompletionDetails(msgspec.Struct):
    reasoning_tokens: int | None = 0


class _Usage(msgspec.Struct):
    prompt_tokens: int | None = 0
    completion_tokens: int | None = 0
    prompt_tokens_details: _PromptDetails | None = None
    completion_tokens_details: _CompletionDetails | None = None


class _Chunk(msgspec.Struct, gc=False):
    choices: list[_Choice] | None = None
    usage: _Usage | None = None
    error: Any = None
    object: str | None = None
    message: str | None = None
    code: Any = None


class Piece(msgspec.Struct, frozen=True):
    """What one chunk says."""

    text: str = ""
    reasoning: str = ""
    finish: str = ""
    usage: Usage | None = None


_decoder = msgspec.json.Decoder(_Chunk)
_several = msgspec.json.Decoder(list[_Chunk])


def plain_text(events: list[bytes]) -> str | None:
    """The text of events that say nothing but text, decoded together; None where any of them says something else, or
    is not as expected: then `decode` tells, one by one. Nearly every event of an answer is of this kind, and each costs
    a quarter of what `decode` does."""
    try:
        chunks = _several.decode(b"[" + b",".join(events) + b"]")
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    if len(chunks) != len(events):
        return None
    pieces = []
    for chunk in chunks:
        if chunk.usage or chunk.error or chunk.code or chunk.message or not chunk.choices or chunk.object == "error":
            return None
        choice = chunk.choices[0]
        delta = choice.delta
        if choice.finish_reason or delta is None or delta.reasoning_content or delta.reasoning:
            return None
        if not isinstance(delta.content, str) or not delta.content:
            return None
        pieces.append(delta.content)
    return "".join(pieces)


def decode(data: bytes) -> Piece:
    """One chunk (or one whole answer). Raises `RelayMalformed`, or what an error object inside it means."""
    try:
        chunk = _decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise RelayMalformed("chunk is not JSON of the expected form") from None
    if chunk.error:
        raise classify(chunk.error)
    if chunk.object == "error" or (chunk.choices is None and chunk.code and chunk.message):
        raise classify({"code": chunk.code, "message": chunk.message})  # an error object without a wrapping
    text = reasoning = finish = ""
    for choice in (chunk.choices or [])[:1]:
        delta = choice.delta or choice.message
        if delta:
            text = _content(delta.content)
            reasoning = delta.reasoning_content or delta.reasoning or ""
        finish = choice.finish_reason or ""
    return Piece(text, reasoning, finish, _usage(chunk.usage))


_FILTERED = ("content_filter", "data_inspection_failed", "responsibleaipolicyviolation", "sensitive", "contentfilter")
_TOO_LONG = (
    "context_length",
    "context length",
    "maximum context",
    "context size",
    "context_too_long",
    "too many tokens",
)
_BUSY = ("rate_limit", "ratelimit", "overloaded", "too many requests", "server_busy", "throttling", "capacity")
_NAMES = ("code", "type", "status", "param", "innererror")


def opened_error(body: bytes) -> Any:
    """The error object of an error answer, in whichever of the known wrappings; its text when it is no JSON."""
    try:
        opened = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return body[:2000].decode("utf-8", "replace")
    return opened.get("error", opened) if isinstance(opened, dict) else opened


def is_content_filter(error: Any) -> bool:
    """Whether the upstream's own content check is what refused; only its codes decide, never its prose."""
    named = str([error.get(name) for name in _NAMES] if isinstance(error, dict) else "").lower()
    return any(word in named for word in _FILTERED)


def classify(error: Any) -> TurnFailed:
    """What an error object means; its own text is never passed on, since it may repeat the prompt."""
    if is_content_filter(error):
        return BlockedOutput()
    words = str(error).lower()
    if any(word in words for word in _TOO_LONG):
        return ContextTooLong()
    codes = [str(error.get(name)) for name in _NAMES] if isinstance(error, dict) else []
    if {"429", "503", "529"} & set(codes) or any(word in words for word in _BUSY):
        return RelayOverloaded()
    return RelayReported()


def _content(content: str | list[dict[str, Any]] | None) -> str:
    if isinstance(content, list):
        return "".join(str(part.get("text", "")) for part in content if part.get("type") == "text")
    return content or ""


def _usage(usage: _Usage | None) -> Usage | None:
    if usage is None or not (usage.prompt_tokens or usage.completion_tokens):
        return None
    prompt, completion = usage.prompt_tokens_details, usage.completion_tokens_details
    return Usage(
        input_tokens=max(0, usage.prompt_tokens or 0),
        output_tokens=max(0, usage.completion_tokens or 0),
        reasoning_tokens=max(0, (completion.reasoning_tokens if completion else 0) or 0),
        cached_tokens=max(0, (prompt.cached_tokens if prompt else 0) or 0),
    )
