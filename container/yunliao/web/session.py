"""One socket from hello to close: sends, resumes, stops, and the events of the turns it follows."""

import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec
from werkzeug.datastructures import Headers

from yunliao.domain.principal import Principal
from yunliao.errors import ConsentRequired, Internal, InvalidRequest, RateLimited, Refused, TicketInvalid, YunliaoError
from yunliao.services.live_log import Numbered
from yunliao.services.people import Owner
from yunliao.services.turns import Sent
from yunliao.web import frames
from yunliao.web.channel import Channel, Closed
from yunliao.web.failures import error_body
from yunliao.web.identity import same_person
from yunliao.web.render import frame
from yunliao.web.sockets import Sockets
from yunliao.web.user import turn_out

if TYPE_CHECKING:
    from yunliao.bootstrap import Services

HELLO_SECONDS = 10.0
FOLLOWED = 4
"""Turns one socket may follow at once; a phone follows one, a tablet with two windows two."""
MAX_LISTENERS = 4 * FOLLOWED
"""Listeners of one socket, those that a newer resume replaced and that still wait included."""
READ_WAIT = 10.0
ROUTE = "ticket.socket"


class Session:
    """`identifier` stands for the request in errors and logs."""

    def __init__(self, channel: Channel, services: "Services", sockets: Sockets, identifier: str) -> None:
        self._channel = channel
        self._services = services
        self._sockets = sockets
        self._id = identifier
        self._open = True
        self._followed: dict[str, int] = {}
        self._listeners = 0
        self._resumes = 0
        self._lock = threading.Lock()
        self._writing = threading.Lock()

    def run(self, handshake: Headers) -> None:
        """Until the socket closes. Raises nothing: a fault of ours closes with 1011."""
        try:
            principal = self._greet(handshake)
            if principal is None:
                return
            settings = self._services.settings
            self._put({"op": "welcome", "heartbeat": int(settings.heartbeat_seconds), "label": settings.ai_label})
            while True:
                received = self._channel.receive(3600)
                if received is not None:
                    self._answer(principal, received)
        except Closed:
            pass
        except Exception as fault:
            self._log(fault)
            self._channel.close(1011, "internal")
        finally:
            self._open = False

    def _greet(self, handshake: Headers) -> Principal | None:
        first = self._channel.receive(HELLO_SECONDS)
        if first is None:
            self._channel.close(4408, "hello late")
            return None
        try:
            principal = self._services.tickets.redeem(frames.hello(first).ticket)
            if not same_person(handshake, principal):
                raise TicketInvalid
            owner: Owner = self._services.consents.admit(principal, fresh=True)
        except ConsentRequired as error:
            self._error(error)
            self._channel.close(4403, "consent needed")
            return None
        except YunliaoError as error:
            self._error(error)
            refused = isinstance(error, Refused)
            self._channel.close(4401 if refused else 1013, "ticket refused" if refused else "try again later")
            return None
        self._sockets.belongs_to(self._channel, owner.user_id)
        return principal

    def _answer(self, principal: Principal, received: str | bytes) -> None:
        where: dict[str, str] = {}
        try:
            asked = frames.asked(received)
            if isinstance(asked, frames.Send):
                where = {"client_id": asked.client_id}
            elif isinstance(asked, frames.Resume | frames.Stop):
                where = {"turn": asked.turn}
            self._do(principal, asked)
        except Closed:
            raise
        except YunliaoError as error:
            self._error(error, **where)
        except Exception as fault:
            self._log(fault)
            self._error(Internal(), **where)

    def _do(self, principal: Principal, asked: frames.Asked) -> None:
        if isinstance(asked, frames.Ping):
            self._put({"op": "pong", "t": asked.t})
            return
        turns = self._services.turns
        if isinstance(asked, frames.Send):
            turns.check_room()  # who finds none costs no look at the store
        # With every frame anew: a socket outlives a consent, an account and its key.
        owner: Owner = self._services.consents.admit(principal)
        match asked:
            case frames.Stop(turn=turn_id):
                turns.stop(owner, turn_id)
            case frames.Resume(turn=turn_id, after=after):
                self._services.listen.read(owner, turn_id, after, 0)  # another's turn is refused before it is followed
                self._follow(owner, turn_id, after)
            case frames.Send():
                sent: Sent
                owner, sent = self._services.consents.renewing(
                    owner,
                    lambda known: turns.send(
                        known, asked.client_id, asked.text, asked.conversation_id, asked.model, asked.replaces
                    ),
                )
                out = turn_out(sent.turn)
                self._put({"op": "turn", "client_id": asked.client_id, "turn": out, "cursor": 0})
                self._follow(owner, sent.turn.id, 0)
            case _:
                raise InvalidRequest("hello was said already")

    # --- following -------------------------------------------------------------------------------------------------

    def _follow(self, owner: Owner, turn_id: str, after: int) -> None:
        """Send the turn's events from `after` on; a second resume of the same turn replaces the first."""
        with self._lock:
            if turn_id not in self._followed and len(self._followed) >= FOLLOWED:
                raise InvalidRequest(f"one socket follows at most {FOLLOWED} turns")
            if self._listeners >= MAX_LISTENERS:
                raise RateLimited(retry_after=int(READ_WAIT))
            self._listeners += 1
            self._resumes += 1
            token = self._followed[turn_id] = self._resumes
        threading.Thread(target=self._listen, args=(owner, turn_id, after, token), daemon=True).start()

    def _listen(self, owner: Owner, turn_id: str, after: int, token: int) -> None:
        try:
            live = True
            while live and self._open and self._followed.get(turn_id) == token:
                piece = self._services.listen.read(owner, turn_id, after, READ_WAIT)
                if piece.events and not self._put_events(turn_id, token, piece.events):
                    return
                after, live = piece.cursor, piece.live
        except Closed:
            pass
        except YunliaoError as error:
            with suppress(Closed):
                self._error(error, turn=turn_id)
        except Exception as fault:
            self._log(fault)
            with suppress(Closed):
                self._error(Internal(), turn=turn_id)
        finally:
            with self._lock:
                self._listeners -= 1
                if self._followed.get(turn_id) == token:
                    del self._followed[turn_id]

    def _put_events(self, turn_id: str, token: int, events: list[Numbered]) -> bool:
        """False when a newer resume has replaced this listener: not one frame of it comes after the newer one's."""
        with self._writing:
            if self._followed.get(turn_id) != token:
                return False
            self._channel.send(*(frame(turn_id, event) for event in events))
        return True

    # --- saying ----------------------------------------------------------------------------------------------------

    def _error(self, error: YunliaoError, **where: str) -> None:
        self._put({"op": "error", **where, "error": error_body(error, self._id)})

    def _put(self, message: dict[str, Any]) -> None:
        self._channel.send(msgspec.json.encode(message).decode())

    def _log(self, fault: Exception) -> None:
        self._services.turn_log.fault(type(fault).__name__, self._id, ROUTE)
