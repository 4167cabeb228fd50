"""The socket of the user plane: a ticket first, then sends, resumes, stops and the events of what is followed."""

import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec
from flask import Blueprint, Flask, request
from flask_sock import Sock
from werkzeug.datastructures import Headers

from yunliao.errors import InvalidRequest, TicketInvalid, YunliaoError
from yunliao.services.people import Owner
from yunliao.services.turns import Sent
from yunliao.web.channel import MAX_FRAME, PING_SECONDS, Channel, Closed
from yunliao.web.failures import error_body
from yunliao.web.identity import call_id, same_person
from yunliao.web.render import frame
from yunliao.web.schemas import ClientId, In, ModelId, RecordId, Words
from yunliao.web.user import turn_out
from yunliao.web.validation import parse

if TYPE_CHECKING:
    from yunliao.bootstrap import Services

HELLO_SECONDS = 10.0
FOLLOWED = 4
"""Turns one socket may follow at once; a phone follows one, a tablet with two windows two."""
READ_WAIT = 10.0


class Hello(In, tag_field="op", tag="hello"):
    """The first frame."""

    ticket: str


class Send(In, tag_field="op", tag="send"):
    """As POST /v1/turns."""

    client_id: ClientId
    text: Words
    conversation_id: RecordId | None = None
    model: ModelId | None = None
    replaces: RecordId | None = None


class Resume(In, tag_field="op", tag="resume"):
    """Events after a cursor."""

    turn: RecordId
    after: int = 0


class Stop(In, tag_field="op", tag="stop"):
    """End an answer."""

    turn: RecordId


class Ping(In, tag_field="op", tag="ping"):
    """Answered with the same `t`."""

    t: Any = None


_decoder: msgspec.json.Decoder[Hello | Send | Resume | Stop | Ping] = msgspec.json.Decoder(
    Hello | Send | Resume | Stop | Ping
)


class Sockets:
    """All open sockets of the instance, to be closed together when it drains."""

    def __init__(self) -> None:
        self._open: set[Channel] = set()
        self._lock = threading.Lock()
        self.draining = False

    def add(self, channel: Channel) -> None:
        """An opened socket."""
        with self._lock:
            self._open.add(channel)

    def remove(self, channel: Channel) -> None:
        """A closed socket."""
        with self._lock:
            self._open.discard(channel)

    def restart(self) -> None:
        """Close all with 1012: the client resumes elsewhere."""
        self.draining = True
        with self._lock:
            channels = list(self._open)
        for channel in channels:
            channel.close(1012, "restart")


def install(app: Flask, services: "Services", sockets: Sockets) -> None:
    """Register /v1/socket."""
    app.config["SOCK_SERVER_OPTIONS"] = {"ping_interval": PING_SECONDS, "max_message_size": MAX_FRAME}
    # A blueprint of its own: the user plane's identity comes by ticket here, not by the handshake's headers.
    blueprint = Blueprint("ticket", __name__)
    sock = Sock(blueprint)

    @sock.route("/v1/socket")  # type: ignore[untyped-decorator]
    def socket(server: Any) -> None:
        channel = Channel(server)
        sockets.add(channel)
        services.metrics.listeners("socket", 1)
        try:
            if sockets.draining:
                channel.close(1012, "restart")
                return
            Session(channel, services, call_id(request.headers)).run(Headers(request.headers))
        except Closed:
            pass
        finally:
            services.metrics.listeners("socket", -1)
            sockets.remove(channel)

    app.register_blueprint(blueprint)


class Session:
    """One socket from hello to close."""

    def __init__(self, channel: Channel, services: "Services", identifier: str) -> None:
        self._channel = channel
        self._services = services
        self._id = identifier
        self._open = True
        self._followed: dict[str, int] = {}
        self._lock = threading.Lock()

    def run(self, handshake: Headers) -> None:
        """Until the socket closes. Raises `Closed`."""
        owner = self._greet(handshake)
        if owner is None:
            return
        self._put({"op": "welcome", "heartbeat": int(self._services.settings.heartbeat_seconds)})
        try:
            while True:
                received = self._channel.receive(3600)
                if received is not None:
                    self._guarded(owner, received)
        finally:
            self._open = False

    def _greet(self, handshake: Headers) -> Owner | None:
        first = self._channel.receive(HELLO_SECONDS)
        if first is None:
            self._channel.close(4408, "hello late")
            return None
        try:
            principal = self._services.tickets.redeem(parse(first, _HelloOnly).ticket)
            if not same_person(handshake, principal):
                raise TicketInvalid
            return self._services.people.resolve(principal)
        except YunliaoError as error:
            self._error(error)
            self._channel.close(4401, "ticket refused")
            return None

    def _guarded(self, owner: Owner, received: str) -> None:
        try:
            asked = _decode(received)
        except InvalidRequest as wrong:
            self._error(wrong)
            return
        where = {"client_id": asked.client_id} if isinstance(asked, Send) else {}
        if isinstance(asked, Resume | Stop):
            where = {"turn": asked.turn}
        try:
            self._do(owner, asked)
        except YunliaoError as error:
            self._error(error, **where)

    def _do(self, owner: Owner, asked: "Hello | Send | Resume | Stop | Ping") -> None:
        turns = self._services.turns
        match asked:
            case Ping(t=t):
                self._put({"op": "pong", "t": t})
            case Stop(turn=turn_id):
                turns.stop(owner, turn_id)
            case Resume(turn=turn_id, after=after):
                self._services.listen.read(owner, turn_id, after, 0)  # another's turn is refused before it is followed
                self._follow(owner, turn_id, max(0, after))
            case Send():
                sent: Sent = turns.send(
                    owner, asked.client_id, asked.text, asked.conversation_id, asked.model, asked.replaces
                )
                out = msgspec.to_builtins(turn_out(sent.turn))
                self._put({"op": "turn", "client_id": asked.client_id, "turn": out, "cursor": 0})
                self._follow(owner, sent.turn.id, 0)
            case _:
                raise InvalidRequest("hello was said already")

    def _follow(self, owner: Owner, turn_id: str, after: int) -> None:
        """Send the turn's events from `after` on; a second resume of the same turn replaces the first."""
        with self._lock:
            if turn_id not in self._followed and len(self._followed) >= FOLLOWED:
                raise InvalidRequest(f"one socket follows at most {FOLLOWED} turns")
            token = self._followed.get(turn_id, 0) + 1
            self._followed[turn_id] = token
        threading.Thread(target=self._listen, args=(owner, turn_id, after, token), daemon=True).start()

    def _listen(self, owner: Owner, turn_id: str, after: int, token: int) -> None:
        live = True
        try:
            while live and self._open and self._followed.get(turn_id) == token:
                piece = self._services.listen.read(owner, turn_id, after, READ_WAIT)
                if self._followed.get(turn_id) != token:
                    return
                for event in piece.events:
                    self._channel.send(frame(turn_id, event))
                after, live = piece.cursor, piece.live
        except YunliaoError as error:
            with suppress(Closed):
                self._error(error, turn=turn_id)
        except Closed:
            self._channel.close(4429, "too slow")
        finally:
            with self._lock:
                if self._followed.get(turn_id) == token:
                    del self._followed[turn_id]

    def _error(self, error: YunliaoError, **where: str) -> None:
        self._put({"op": "error", **where, "error": msgspec.to_builtins(error_body(error, self._id))})

    def _put(self, message: dict[str, Any]) -> None:
        self._channel.send(msgspec.json.encode(message).decode())


class _HelloOnly(In):
    op: str
    ticket: str


def _decode(received: str) -> "Hello | Send | Resume | Stop | Ping":
    try:
        return _decoder.decode(received)
    except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError):
        raise InvalidRequest("the frame is not one of docs/api.md") from None
