"""One socket from hello to close: sends, resumes, stops, and the events of the turns it follows."""

import math
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec
from werkzeug.datastructures import Headers

from yunliao.domain.principal import Principal
from yunliao.errors import ConsentRequired, Internal, InvalidRequest, Refused, TicketInvalid, YunliaoError
from yunliao.services.people import Owner
from yunliao.services.turns import Sent
from yunliao.web import frames
from yunliao.web.channel import Channel, Closed
from yunliao.web.failures import error_body
from yunliao.web.identity import same_person
from yunliao.web.listeners import Listeners
from yunliao.web.sockets import Sockets
from yunliao.web.user import turn_out

if TYPE_CHECKING:
    from yunliao.bootstrap import Services

HELLO_SECONDS = 10.0
ROUTE = "ticket.socket"


class Session:
    """`identifier` stands for the request in errors and logs."""

    __slots__ = ("_channel", "_handshake", "_id", "_listeners", "_principal", "_services", "_sockets")

    def __init__(
        self, channel: Channel, services: "Services", sockets: Sockets, identifier: str, handshake: Headers
    ) -> None:
        self._channel = channel
        self._services = services
        self._sockets = sockets
        self._id = identifier
        self._handshake: Headers | None = handshake
        self._principal: Principal | None = None
        self._listeners = Listeners(channel, services.listen, self._not_followed)
        channel.look_at = time.monotonic() + HELLO_SECONDS

    def attend(self) -> bool:
        """Answer what the client has said. False: the socket is over. Raises nothing: a fault of ours closes with
        1011."""
        try:
            while (received := self._channel.receive()) is not None:
                if self._principal is not None:
                    self._answer(self._principal, received)
                elif not self._greet(received):
                    return self._end()
            if self._principal is None and time.monotonic() >= self._channel.look_at:
                self._channel.close(4408, "hello late")
                return self._end()
            return True
        except Closed:
            return self._end()
        except Exception as fault:
            self._log(fault)
            self._channel.close(1011, "internal")
            return self._end()

    def _end(self) -> bool:
        self._listeners.close()
        return False

    def _greet(self, first: str | bytes) -> bool:
        try:
            principal = self._services.tickets.redeem(frames.hello(first).ticket)
            if self._handshake is None or not same_person(self._handshake, principal):
                raise TicketInvalid
            owner: Owner = self._services.consents.admit(principal, fresh=True)
        except ConsentRequired as error:
            self._error(error)
            self._channel.close(4403, "consent needed")
            return False
        except YunliaoError as error:
            self._error(error)
            refused = isinstance(error, Refused)
            self._channel.close(4401 if refused else 1013, "ticket refused" if refused else "try again later")
            return False
        self._sockets.belongs_to(self._channel, owner.user_id)
        self._principal, self._handshake, self._channel.look_at = principal, None, math.inf
        settings = self._services.settings
        self._put({"op": "welcome", "heartbeat": int(settings.heartbeat_seconds), "label": settings.ai_label})
        return True

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
                self._listeners.follow(owner, turn_id, after)
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
                self._listeners.follow(owner, sent.turn.id, 0)
            case _:
                raise InvalidRequest("hello was said already")

    def _not_followed(self, turn_id: str, fault: Exception) -> None:
        """A listener ended before its turn did."""
        if not isinstance(fault, YunliaoError):
            self._log(fault)
            fault = Internal()
        with suppress(Closed):
            self._error(fault, turn=turn_id)

    # --- saying ----------------------------------------------------------------------------------------------------

    def _error(self, error: YunliaoError, **where: str) -> None:
        self._put({"op": "error", **where, "error": error_body(error, self._id)})

    def _put(self, message: dict[str, Any]) -> None:
        self._channel.send(msgspec.json.encode(message))

    def _log(self, fault: Exception) -> None:
        self._services.turn_log.fault(type(fault).__name__, self._id, ROUTE)
