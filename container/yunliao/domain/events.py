"""What a listener may see of a turn: typed events, numbered by the log that carries them.

The JSON of an event is its struct with a `type` tag (docs/api.md); the number `seq` (1, 2, 3, ... without gaps) belongs
to the log, so it is added by the renderer and never stored inside the sealed body.
"""

from typing import Literal

import msgspec

EndReason = Literal["complete", "length", "stopped", "blocked", "failed"]


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens of one generation. `estimated` is true where the relay reported none and Yunliao counted itself."""

    input_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    cached_tokens: int = 0
    estimated: bool = False


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why a turn did not complete, in the same words as an API error (docs/errors.md). `retry_after` in seconds."""

    code: str
    message: str
    message_en: str
    retryable: bool
    retry_after: int | None = None


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    """Base of all turn events."""


class Accepted(Event, frozen=True, kw_only=True, tag="accepted"):
    """The message is stored. `created_at` in Unix milliseconds."""

    turn_id: str
    conversation_id: str
    client_id: str
    user_message_id: str
    created_at: int


class Queued(Event, frozen=True, kw_only=True, tag="queued"):
    """The turn waits for a place; `position` 1 is next."""

    position: int


class Text(Event, frozen=True, kw_only=True, tag="text"):
    """More of the answer, already passed by the guard."""

    delta: str


class Reasoning(Event, frozen=True, kw_only=True, tag="reasoning"):
    """More of the model's reasoning, already passed by the guard."""

    delta: str


class Retract(Event, frozen=True, kw_only=True, tag="retract"):
    """Take back what was shown: only the first `keep` code points of the answer text may stay."""

    keep: int


class Notice(Event, frozen=True, kw_only=True, tag="notice"):
    """Something worth a line on the screen that does not end the turn."""

    code: str


class End(Event, frozen=True, kw_only=True, tag="end", omit_defaults=True):
    """The one terminal event (P6)."""

    reason: EndReason
    message_id: str | None = None
    error: Problem | None = None
    usage: Usage | None = None


AnyEvent = Accepted | Queued | Text | Reasoning | Retract | Notice | End

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent)


def encode_event(event: Event) -> bytes:
    """The event as compact JSON, UTF-8."""
    return _encoder.encode(event)


def decode_event(body: bytes) -> AnyEvent:
    """The event of `encode_event`; raises `msgspec.ValidationError` for anything else."""
    return _decoder.decode(body)
