"""Typed decoding of chat completion chunks, tolerant of what dialects add and leave out."""

from typing import Any

import msgspec

from yunliao.domain.events import Usage
from yunliao.errors import ContextTooLong, RelayMalformed, RelayOverloaded, RelayReported, TurnFailed


class _Delta(msgspec.Struct):
    content: str | list[dict[str, Any]] | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None


class _Choice(msgspec.Struct):
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


class _Chunk(msgspec.Struct):
    choices: list[_Choice] | None = None
    usage: _Usage | None = None
    error: Any = None


class Piece(msgspec.Struct, frozen=True):
    """What one chunk says."""

    text: str = ""
    reasoning: str = ""
    finish: str = ""
    usage: Usage | None = None


_decoder = msgspec.json.Decoder(_Chunk)


def decode(data: bytes) -> Piece:
    """One chunk (or one whole answer). Raises `RelayMalformed`, or what an error object inside it means."""
    try:
        chunk = _decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise RelayMalformed("chunk is not JSON of the expected form") from None
    if chunk.error:
        raise classify(chunk.error)
    text = reasoning = finish = ""
    for choice in (chunk.choices or [])[:1]:
        delta = choice.delta or choice.message
        if delta:
            text = _content(delta.content)
            reasoning = delta.reasoning_content or delta.reasoning or ""
        finish = choice.finish_reason or ""
    return Piece(text, reasoning, finish, _usage(chunk.usage))


def classify(error: Any) -> TurnFailed:
    """What an error object means; its own text is never passed on, since it may repeat the prompt."""
    words = str(error).lower()
    if "context_length" in words or "maximum context" in words:
        return ContextTooLong()
    if "rate_limit" in words or "overloaded" in words or "429" in words:
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
