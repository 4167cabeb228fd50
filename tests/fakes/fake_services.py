"""Services without a store or a relay: what a message says decides what happens to it.

| text | the turn |
|---|---|
| `stream N SIZE` | has N text events of SIZE characters, then its end |
| `open N SIZE` | the same without an end: it stays live |
| `fault` | raises what no code of ours raises |
| anything else | is answered by one text event |
"""

import itertools
import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import msgspec

from tests.fakes.memory_store import MemoryStore
from yunliao.adapters.clock import SystemClock
from yunliao.adapters.logging import JsonTurnLog
from yunliao.adapters.metrics import PrometheusMetrics
from yunliao.adapters.wechat.push_codec import PushCodec
from yunliao.domain.events import Accepted, End, Text, encode_event
from yunliao.domain.principal import Principal
from yunliao.domain.turn import Turn
from yunliao.errors import ConsentRequired, NotFound, StoreUnavailable, Suspended, TicketInvalid
from yunliao.services.health import Check
from yunliao.services.listen import Slice
from yunliao.services.live_log import Listener, LiveLog, Numbered
from yunliao.services.signed_calls import SignedCalls
from yunliao.services.tickets import Ticket
from yunliao.services.turns import Sent
from yunliao.settings import Settings

WORDS_OF_A_FAULT = "canary-of-a-fault"
A_READ = 200


class FakeOwner(msgspec.Struct, frozen=True):
    user_id: str
    principal: Principal


class FakePeople:
    def resolve(self, principal: Principal) -> FakeOwner:
        if principal.openid == "oSuspended":
            raise Suspended
        if principal.openid == "oUnlucky00":
            raise StoreUnavailable
        return FakeOwner(f"user-{principal.openid}", principal)

    def find(self, principal: Principal) -> None:
        """Nobody is stored here."""


class FakeConsents:
    """Everybody agreed but for `disagreed`, openids."""

    def __init__(self, people: FakePeople) -> None:
        self._people = people
        self.disagreed: set[str] = set()

    def admit(self, principal: Principal, *, fresh: bool = False) -> FakeOwner:
        if principal.openid in self.disagreed:
            raise ConsentRequired
        return self._people.resolve(principal)

    def renewing(self, owner: FakeOwner, work: Callable[[FakeOwner], Sent]) -> tuple[FakeOwner, Sent]:
        return owner, work(owner)


class FakeTurns:
    """Keeps the logs that `FakeListen` reads."""

    def __init__(self) -> None:
        self.logs: dict[str, tuple[str, LiveLog]] = {}
        self.by_client_id: dict[tuple[str, str], Turn] = {}
        self.stopped: list[str] = []
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    full = False

    def check_room(self) -> None:
        pass

    def send(self, owner: FakeOwner, client_id: str, text: str, *_: object) -> Sent:
        if text == "fault":
            raise ValueError(WORDS_OF_A_FAULT)
        with self._lock:
            known = self.by_client_id.get((owner.user_id, client_id))
            if known:
                return Sent(known, True)
            number = next(self._numbers)
            turn = Turn(
                id=f"turn_{number}",
                user_id=owner.user_id,
                conversation_id=f"conv_{number}",
                client_id=client_id,
                fingerprint=b"",
                created_at=1,
            )
            self.by_client_id[owner.user_id, client_id] = turn
            self.logs[turn.id] = (owner.user_id, _log(turn, text))
        return Sent(turn, False)

    def stop(self, owner: FakeOwner, turn_id: str) -> Turn:
        _, log = self.own(owner, turn_id)
        self.stopped.append(turn_id)
        if not log.closed:
            last = len(log.after(0, limit=10**9))
            log.append([Numbered(last + 1, encode_event(End(reason="stopped")))], last=True)
        return next(turn for turn in self.by_client_id.values() if turn.id == turn_id)

    def own(self, owner: FakeOwner, turn_id: str) -> tuple[str, LiveLog]:
        user_id, log = self.logs.get(turn_id, ("", LiveLog()))
        if user_id != owner.user_id:
            raise NotFound
        return user_id, log


class FakeListen:
    """`fail` is raised by the next reads; `reads` are the waits that were asked for."""

    def __init__(self, turns: FakeTurns) -> None:
        self._turns = turns
        self.fail: Exception | None = None
        self.waits: list[float] = []

    def read(self, owner: FakeOwner, turn_id: str, after: int, wait: float, *, gather: float = 0.0) -> Slice:
        _, log = self._turns.own(owner, turn_id)
        if self.fail:
            raise self.fail
        self.waits.append(wait)
        events = log.wait(after, timeout=wait, limit=A_READ)
        at_end = log.closed and not log.after(events[-1].seq if events else after, limit=1)
        return Slice(turn_id, events, events[-1].seq if events else after, not at_end)

    def subscribe(self, owner: FakeOwner, turn_id: str, after: int, listener: Listener) -> bool:
        return self._turns.own(owner, turn_id)[1].subscribe(after, listener)


class FakeTickets:
    """`ticket-OPENID-anything` belongs to that openid, once."""

    def __init__(self) -> None:
        self.used: set[str] = set()

    def issue(self, principal: Principal) -> Ticket:
        return Ticket(f"ticket-{principal.openid}-{len(self.used)}", 60)

    def redeem(self, ticket: str) -> Principal:
        name, _, rest = ticket.partition("-")
        openid, _, _ = rest.partition("-")
        if name != "ticket" or ticket in self.used:
            raise TicketInvalid
        self.used.add(ticket)
        return Principal(openid=openid, appid="wxallowed1")


class FakeHealth:
    draining = False

    def ready(self) -> list[Check]:
        return [Check("store", True), Check("accepting", not self.draining)]


class FakeServices:
    """What web/ calls, less what only a store can answer."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.people: Any = FakePeople()
        self.consents: Any = FakeConsents(self.people)
        self.turns: Any = FakeTurns()
        self.listen: Any = FakeListen(self.turns)
        self.tickets: Any = FakeTickets()
        self.health: Any = FakeHealth()
        self.catalog: Any = SimpleNamespace(models=lambda overseas: [])
        self.jobs: Any = SimpleNamespace(run=lambda name: {name: 0}, names=("recover", "expire"))
        self.customer_service: Any = None
        self.push_codec: Any = PushCodec(settings.push_token, settings.push_aes_key, settings.appids, SystemClock())
        self.signed_calls: Any = SignedCalls(settings.function_secret, MemoryStore().once, SystemClock())
        self.pushes: Any = SimpleNamespace(take=lambda push: False)
        self.metrics = PrometheusMetrics()
        self.turn_log = JsonTurnLog()
        self.drained: list[float] = []
        self.closed = 0

    def started(self, seconds: float) -> None:
        self.metrics.started(seconds)

    def drain(self, grace_seconds: float) -> bool:
        self.health.draining = True
        self.drained.append(grace_seconds)
        return True

    def close(self) -> None:
        self.closed += 1


def _log(turn: Turn, text: str) -> LiveLog:
    first = Accepted(
        turn_id=turn.id,
        conversation_id=turn.conversation_id,
        client_id=turn.client_id,
        user_message_id="msg_1",
        created_at=1,
    )
    bodies = [encode_event(first)]
    kind, _, rest = text.partition(" ")
    if kind in ("stream", "open"):
        count, size = map(int, rest.split())
        bodies += [encode_event(Text(delta="字" * size))] * count  # one object, however long the log
    else:
        bodies += [encode_event(Text(delta="好。"))]
    if kind != "open":
        bodies.append(encode_event(End(reason="complete", message_id="msg_2")))
    log = LiveLog()
    log.append((Numbered(seq, body) for seq, body in enumerate(bodies, 1)), last=kind != "open")
    return log
