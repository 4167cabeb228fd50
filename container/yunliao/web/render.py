"""The three renderings of the same events: a poll's JSON, SSE, socket frames. Bodies are spliced, never re-encoded."""

from collections.abc import Callable, Iterator

import msgspec

from yunliao.errors import YunliaoError
from yunliao.services.listen import Listen, Slice
from yunliao.services.live_log import Numbered
from yunliao.services.people import Owner

SSE_WAIT = 9.0
"""Seconds without an event after which a comment is sent: the gateway recycles silent connections and a heartbeat every
10 s is advised (platform.md §2.1); a write is also how a client that left is noticed."""


def numbered(event: Numbered) -> bytes:
    """The event's JSON with its number."""
    return b'{"seq":%d,' % event.seq + event.body[1:]


def event_list(events: list[Numbered]) -> bytes:
    """A JSON array of events."""
    return b"[" + b",".join(map(numbered, events)) + b"]"


def events_json(piece: Slice, label: str) -> bytes:
    """The answer of a poll, with the AI label (P12)."""
    return b'{"turn_id":"%s","events":%s,"cursor":%d,"live":%s,"label":%s}' % (
        piece.turn_id.encode(),
        event_list(piece.events),
        piece.cursor,
        b"true" if piece.live else b"false",
        msgspec.json.encode(label),
    )


def sse(
    listen: Listen,
    owner: Owner,
    first: Slice,
    *,
    label: str,
    leaving: Callable[[], bool],
    log: Callable[[str], None],
) -> Iterator[bytes]:
    """Server-sent events from the `first` ones to the terminal one (WHATWG HTML §9.2); `id` is the cursor to resume
    from. Ends early where the client had better ask again with it: after an error, or when `leaving` says that this
    instance runs nothing any more. The first comment is the AI label (P12). `log` is told the type of a fault of
    ours."""
    yield f": {' '.join(label.split())}\nretry: 1000\n\n".encode() + b"".join(map(_sse_event, first.events))
    after, live = first.cursor, first.live
    try:
        while live and not leaving():
            piece = listen.read(owner, first.turn_id, after, SSE_WAIT)
            after, live = piece.cursor, piece.live
            yield b"".join(map(_sse_event, piece.events)) or b": still here\n\n"
    except YunliaoError:
        return  # the client resumes with its cursor and gets the true answer then
    except Exception as fault:
        # Past the framework's handlers: the server would log the exception with its words.
        log(type(fault).__name__)


def frame(turn_id: str, event: Numbered) -> bytes:
    """The text of a socket frame of one event."""
    return b'{"op":"event","turn":"%s","event":%s}' % (turn_id.encode(), numbered(event))


def _sse_event(event: Numbered) -> bytes:
    kind = event.body[9 : event.body.index(b'"', 9)]
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (event.seq, kind, numbered(event))
