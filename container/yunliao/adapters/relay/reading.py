"""The bytes of an answer turned into events, without a socket: however they are cut, the events are the same.

A stream of chunks in every known dialect (docs/relays.md), or an answer in one piece although a stream was asked for.
"""

from collections.abc import Iterator

from yunliao.adapters.relay.chunks import Piece, decode, plain_text
from yunliao.adapters.relay.endings import Evidence, judge
from yunliao.adapters.relay.sse import SseDecoder
from yunliao.errors import BlockedOutput, RelayInterrupted, RelayMalformed, TurnFailed
from yunliao.ports import RelayEvent, RelayFinish, RelayReasoning, RelayText

MAX_WHOLE = 8 << 20
"""Bytes of an answer that comes in one piece."""


class Reading:
    """`feed` the bytes as they come; after `failure` or `ended`, or when no more come, `finish`."""

    def __init__(self, *, done_is_enough: bool = False) -> None:
        self.evidence = Evidence()
        self.failure: TurnFailed | None = None
        """What an event said went wrong, after what came before it."""
        self.ended = False
        """Whether nothing that still comes counts."""
        self.moved = False
        """Whether the last bytes held an event; comments are none."""
        self._done_is_enough = done_is_enough
        self._opening: bytes | None = b""
        self._whole: bytes | None = None
        self._decoder = SseDecoder()

    def feed(self, data: bytes) -> list[RelayEvent]:
        """What these bytes say. Raises `RelayMalformed` for a line, an event or an answer that is too large."""
        self.moved = False
        if self._opening is not None:  # its first sign tells a stream from an answer in one piece
            self._opening += data
            if not self._opening.strip():
                return []
            data, self._opening = self._opening, None
            if data.lstrip()[:1] in (b"{", b"["):
                self._whole = b""
        if self._whole is not None:
            self._whole += data
            if len(self._whole) > MAX_WHOLE:
                raise RelayMalformed("answer too large")
            return []
        return self._digest(self._decoder.feed(data))

    def finish(self) -> Iterator[list[RelayEvent]]:
        """The end, `RelayFinish` last. Raises what the end truly was where it was no proper one."""
        batch: list[RelayEvent] = []
        if self._whole is not None:
            if self.evidence.cut:
                raise RelayInterrupted("cut")
            batch = self._digest([self._whole])
        elif not self.evidence.cut:
            batch = self._digest(self._decoder.finish())
        try:
            if self.failure is not None:
                raise self.failure
            reason = judge(self.evidence, done_is_enough=self._done_is_enough)
        except TurnFailed:
            if batch:
                yield batch
            raise
        yield [*batch, RelayFinish(reason, self.evidence.usage)]

    def _digest(self, events: list[bytes]) -> list[RelayEvent]:
        batch: list[RelayEvent] = []
        if len(events) > 1 and not (self.ended or self.failure or self.evidence.finish):
            text = plain_text(events)
            if text is not None:
                self.moved = self.evidence.text = True
                return [RelayText(text)]
        for data in filter(bytes.strip, events):
            if self.ended or self.failure:
                break
            self.moved = True
            if data.strip() == b"[DONE]":
                self.evidence.done = self.ended = True
                break
            try:
                self._note(decode(data), batch)
            except BlockedOutput:
                self.evidence.finish, self.ended = "content_filter", True
            except TurnFailed as failed:
                self.failure = failed
        return batch

    def _note(self, piece: Piece, batch: list[RelayEvent]) -> None:
        evidence = self.evidence
        if piece.reasoning:
            evidence.reasoning = True
            batch.append(RelayReasoning(piece.reasoning))
        if piece.text:
            evidence.text = True
            evidence.late = bool(evidence.finish)
            batch.append(RelayText(piece.text))
        evidence.finish = piece.finish or evidence.finish
        evidence.usage = piece.usage or evidence.usage
