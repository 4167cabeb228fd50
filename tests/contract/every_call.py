"""Uses every method of every port once, with records that each of them finds."""

import inspect
from typing import Any

from tests.contract.records import LIMITS, charge, draft, ending, last, rows, user
from yunliao import ports, ports_keys, ports_ledger, ports_once, ports_people, ports_records, ports_tallies
from yunliao.domain.ledger.audit import findings
from yunliao.domain.ledger.codes import Code
from yunliao.domain.ledger.granting import Movement
from yunliao.ports import TurnWrite
from yunliao.ports_keys import Rewrapped
from yunliao.ports_records import AuditEntry, Card, RecordStore, VerdictEntry
from yunliao.ports_tallies import TallyRecord

ROOMS: dict[str, type] = {
    "personal": ports_people.PersonalData,
    "turns": ports.Turns,
    "users": ports.Users,
    "conversations": ports.Conversations,
    "tickets": ports.Tickets,
    "secrets": ports.Secrets,
    "registers": ports.Registers,
    "once": ports_once.Once,
    "ledger": ports_ledger.Ledger,
    "keys": ports_keys.WrappedKeys,
    "history": ports_records.History,
    "verdicts": ports_records.Verdicts,
    "cards": ports_records.Cards,
    "audit": ports_records.AuditLog,
    "standing": ports_records.Standing,
    "tallies": ports_tallies.Tallies,
    "wiping": ports_records.Wiping,
}
"""Not `copying`: reading through everything is what it is for (test_copying.py)."""


class Called:
    """A room that notes which of its methods were used."""

    def __init__(self, room: object, used: set[str]) -> None:
        self._room, self._used = room, used

    def __getattr__(self, name: str) -> Any:
        self._used.add(name)
        return getattr(self._room, name)


def use_everything(store: RecordStore) -> None:
    """Each method of each port, on records that let it do its work; a method that is missing here is an error."""
    used: dict[str, set[str]] = {name: set() for name in ROOMS}
    _use(type("Rooms", (), {name: Called(getattr(store, name), used[name]) for name in ROOMS}))
    for name, port in ROOMS.items():
        methods = {method for method, _ in inspect.getmembers(port, inspect.isfunction) if not method.startswith("_")}
        assert used[name] == methods


def _use(store: Any) -> None:
    store.users.create(user())
    store.users.get("u1")
    store.users.set_consent("u1", version="v", overseas=True, at=1)
    store.secrets.get_or_put("s", b"v")
    assert store.registers.swap("r", version=0, value=b"1")
    assert store.registers.swap("r", version=store.registers.read("r").version, value=b"2")
    assert store.once.claim("o", "token", now=1, expires_at=100)
    store.once.release("o")
    store.tickets.put("h", b"p", expires_at=100)
    store.tickets.take("h", now=1)
    _use_credits(store)
    turn = store.turns.accept(draft(), LIMITS).turn
    store.turns.get(turn.id)
    store.turns.by_client_id("u1", turn.client_id)
    store.turns.live_of("u1")
    store.turns.abandoned(now=99_000, limit=5)
    store.turns.claim(turn.id, owner="me", lease_until=99_000, now=50_000)
    store.turns.request_stop(turn.id)
    store.turns.heads([turn.id, "turn_none"])
    if watch := store.turns.watch():
        watch.close()
    store.turns.commit([TurnWrite(turn_id=turn.id, rows=rows(2, 2))], owner="me", lease_until=9)
    store.turns.commit([last(turn, 4, ending("blocked"))], owner="me", lease_until=9)
    room, conversation = store.conversations, turn.conversation_id
    edit = draft(
        at=3_000,
        conversation=conversation,
        hide_from=turn.user_message_id,
        hide_ids=(turn.answer_message_id,),
    )
    assert store.turns.accept(edit, LIMITS).status == "accepted"
    store.turns.events(turn.id, after=0, limit=5)
    room.create(ports.Conversation(id="c", user_id="u1", created_at=1, last_activity_at=1))
    room.get("u1", conversation)
    room.page("u1", before=(9_000, "x"), limit=5)
    room.set_title("u1", conversation, b"t")
    room.messages("u1", conversation, before=(9_000, "x"), limit=5)
    room.message("u1", turn.answer_message_id)
    room.set_feedback("u1", turn.answer_message_id, b"f")
    room.delete("u1", "c", at=10)
    room.restore("u1", "c", deleted_after=1)
    room.delete("u1", "c", at=10)
    assert room.purge(deleted_before=11, limit=5) == 1
    assert store.turns.expire_events(ended_before=99_000, limit=5) == 1
    assert [one.version for one in store.personal.consents("u1")] == ["v"]
    _use_records(store)
    assert store.personal.rekey("u1", old=b"key2", new=b"half", key_id="k")
    assert store.personal.keyed(after="", limit=5) == [("u1", "k")]
    assert store.personal.conversations("u1", after="", until=9_000, limit=5)
    assert store.personal.messages("u1", conversation, after=(-1, ""), until=9_000, limit=5)
    assert store.personal.turns("u1", after="", until=9_000, limit=5)
    assert room.create(ports.Conversation(id="d", user_id="u1", created_at=1, last_activity_at=1), key_id="k")
    assert store.personal.purge("u1", "d") == {"conversations": 1, "messages": 0, "turns": 0, "events": 0}
    assert store.users.erase("u1", key_id="k")["messages"] == 3
    assert store.wiping.census()["users"] == 0
    store.wiping.clear("no_such_table")


def _use_records(store: Any) -> None:
    keys = store.keys
    assert [one.name for one in keys.users(after="", limit=5)] == ["u1"]
    assert keys.count_users() >= 0
    assert keys.swap_users([Rewrapped("u1", b"key", b"key2"), Rewrapped("u2", b"key", b"key2")]) == 1
    assert keys.secrets()[0].name == "s"
    assert keys.swap_secrets([Rewrapped("s", b"v", b"w")]) == 1
    store.history.page("u1", before=(9_000, "x"), limit=5)
    assert store.history.expire(before=0, limit=5) == {"conversations": 0, "messages": 0}
    entry = VerdictEntry(
        id="v", at=5, user_id="u1", turn_id="t", place="question", layer="words", suggest="risky", label=21000
    )
    store.verdicts.add(entry)
    assert store.verdicts.page(user_id="u1", before=(9, "x"), limit=5) == [entry]
    assert store.verdicts.times("u1", since=4, limit=5) == [5]
    store.verdicts.count_passes({(1, "question"): 2})
    assert store.verdicts.passes(since_day=1)[0].passes == 2
    assert store.verdicts.expire(before=6, limit=5) == 1
    card = Card(kind="k", id="c", at=1, owner="u1", state="open", expires_at=9, body=b"b")
    assert store.cards.put(card)
    assert store.cards.get("k", "c").version == 1
    assert len(store.cards.page("k", state="open", owner="u1", before=(9, "x"), limit=5)) == 1
    assert store.cards.remove("k", "c")
    assert store.cards.put(card)
    assert store.cards.remove_of("k", "u1") == 1
    assert store.cards.put(card)
    assert store.cards.expire(now=10, limit=5) == 1
    assert store.audit.append(AuditEntry(seq=1, at=1, body=b"b", mac=b"m"))
    assert store.audit.newest().seq == 1
    assert len(store.audit.page(after=0, limit=5)) == 1
    assert store.standing.suspend("u1", until=5)
    assert store.standing.cool("u1", until=5)
    store.tallies.put(TallyRecord(span="hour", at=5, version=1, body=b"t"))
    assert store.tallies.oldest("hour") == 5
    assert len(store.tallies.read("hour", since=5, until=6)) == 1
    assert store.tallies.expire("hour", before=6, limit=5) == 1


def _use_credits(store: Any) -> None:
    ledger = store.ledger
    store.users.create(user("u9"))
    assert ledger.move("u9", Movement(kind="grant", reference="g", amount=500, at=1)).status == "posted"
    ledger.put_codes([Code(hash="c" * 64, amount=5)])
    assert ledger.redeem("u9", "c" * 64, at=1).status == "posted"
    assert ledger.set_plan("u9", "free")
    turn = store.turns.accept(draft("u9", charge=charge(400)), LIMITS).turn
    assert ledger.account("u9").held == 400
    store.turns.commit([last(turn, 2, ending("blocked"))], owner="me", lease_until=9)
    assert [entry.kind for entry in ledger.about("u9", turn.id)] == ["reserve", "release"]
    assert len(ledger.entries("u9", before=9, limit=5, kinds=("grant", "redeem"))) == 2
    assert "u9" in ledger.users(after="", limit=5)
    assert findings(ledger.books("u9")) == []
    live = store.turns.accept(draft("u9", at=3_000, charge=charge(400)), LIMITS).turn
    store.conversations.delete("u9", live.conversation_id, at=10)
    assert store.conversations.purge(deleted_before=11, limit=5) == 1
    store.users.erase("u9")
