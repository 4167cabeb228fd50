"""The rooms for keys, history, verdicts, cards, audit, standing and wiping: one suite over every store."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from msgspec.structs import replace

from tests.contract.records import LIMITS, draft, ending, last, rows, user
from yunliao.domain.turn import Turn
from yunliao.ports import Message, TurnWrite
from yunliao.ports_keys import Rewrapped, Wrapped
from yunliao.ports_records import AuditEntry, Card, RecordStore, VerdictEntry

DAY = 86_400_000


def answered(store: RecordStore, user_id: str = "u1", *, at: int = 1_000, conversation: str = "") -> Turn:
    """A turn that is over, with its question and answer."""
    sent = draft(user_id, at=at, conversation=conversation)
    assert store.turns.accept(sent, LIMITS).status == "accepted"
    store.turns.commit([last(sent.turn, 2, ending(at=at + 10))], owner="me", lease_until=9)
    return sent.turn


def told(found: list[Message]) -> list[str]:
    return [one.id for one in found]


# --- keys ------------------------------------------------------------------------------------------------------------


def test_users_keys_come_in_pages_by_id(store: RecordStore) -> None:
    for name in ("u3", "u1", "u2"):
        store.users.create(user(name))
    assert store.keys.users(after="", limit=2) == [Wrapped("u1", b"key"), Wrapped("u2", b"key")]
    assert store.keys.users(after="u2", limit=2) == [Wrapped("u3", b"key")]
    assert store.keys.users(after="u3", limit=2) == []
    assert store.keys.count_users() == 3


def test_a_key_is_swapped_only_where_it_is_still_the_old_one(store: RecordStore) -> None:
    for name in ("u1", "u2", "u3"):
        store.users.create(user(name))
    store.keys.swap_users([Rewrapped("u2", b"key", b"other")])
    store.users.erase("u3")
    changes = [Rewrapped(name, b"key", b"new") for name in ("u1", "u2", "u3", "u4")]
    assert store.keys.swap_users(changes) == 1
    found = [store.users.get(name) for name in ("u1", "u2", "u3", "u4")]
    assert [one and one.wrapped_key for one in found] == [b"new", b"other", None, None]
    assert store.keys.swap_users([]) == 0


def test_two_rotations_at_once_change_every_key_once(store: RecordStore) -> None:
    names = [f"u{number:03d}" for number in range(40)]
    for name in names:
        store.users.create(user(name))
    start = threading.Barrier(4)

    def rotate(worker: int) -> int:
        start.wait()
        new = f"new{worker}".encode()
        return sum(store.keys.swap_users([Rewrapped(name, b"key", new)]) for name in names)

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(rotate, range(4))) == 40


def test_shared_secrets_are_listed_and_swapped(store: RecordStore) -> None:
    store.secrets.get_or_put("tickets", b"t")
    store.secrets.get_or_put("lookup", b"l")
    assert store.keys.secrets() == [Wrapped("lookup", b"l"), Wrapped("tickets", b"t")]
    changes = [Rewrapped("lookup", b"l", b"l2"), Rewrapped("tickets", b"old", b"t2"), Rewrapped("none", b"", b"x")]
    assert store.keys.swap_secrets(changes) == 1
    assert store.secrets.get_or_put("lookup", b"") == b"l2"
    assert store.secrets.get_or_put("tickets", b"") == b"t"
    assert len(store.keys.secrets()) == 2


# --- history ---------------------------------------------------------------------------------------------------------


def test_the_history_of_a_user_is_one_order_over_all_conversations(store: RecordStore) -> None:
    turns = [answered(store, at=at) for at in (1_000, 2_000, 3_000)]
    answered(store, "u2", at=2_500)
    expected = [one for turn in reversed(turns) for one in (turn.answer_message_id, turn.user_message_id)]
    found = store.history.page("u1", before=None, limit=10)
    assert told(found) == expected
    place = (found[2].created_at, found[2].id)
    assert told(store.history.page("u1", before=place, limit=2)) == expected[3:5]


def test_hidden_blocked_and_pending_messages_are_not_in_the_history(store: RecordStore) -> None:
    first = answered(store, at=1_000)
    blocked = draft(at=2_000)
    store.turns.accept(blocked, LIMITS)
    store.turns.commit([last(blocked.turn, 2, ending("blocked"))], owner="me", lease_until=9)
    edit = draft(at=3_000, conversation=first.conversation_id, hide_from=first.user_message_id)
    assert store.turns.accept(edit, LIMITS).status == "accepted"
    assert told(store.history.page("u1", before=None, limit=10)) == [edit.turn.user_message_id]


def test_messages_past_their_age_go_with_their_turns_and_no_others(store: RecordStore) -> None:
    old = answered(store, at=1_000)
    kept = answered(store, at=50_000, conversation=old.conversation_id)
    idle = answered(store, at=1_500)
    other = answered(store, "u2", at=60_000)
    assert store.history.expire(before=40_000, limit=10) == {"conversations": 1, "messages": 2}
    assert store.turns.get(old.id) is None
    assert store.turns.events(old.id, after=0, limit=9) == []
    assert store.conversations.get("u1", idle.conversation_id) is None
    assert store.turns.get(idle.id) is None
    assert told(store.conversations.messages("u1", old.conversation_id, before=None, limit=9)) == [
        kept.answer_message_id,
        kept.user_message_id,
    ]
    assert store.turns.get(kept.id) is not None
    assert len(store.history.page("u2", before=None, limit=9)) == 2
    assert store.turns.get(other.id) is not None
    assert store.history.expire(before=40_000, limit=10) == {"conversations": 0, "messages": 0}


def test_expiry_works_in_batches_and_goes_on_where_it_stopped(store: RecordStore) -> None:
    first = answered(store, at=1_000)
    for at in range(2_000, 8_000, 1_000):
        answered(store, at=at, conversation=first.conversation_id)
    answered(store, at=90_000, conversation=first.conversation_id)
    removed = []
    while count := store.history.expire(before=50_000, limit=3)["messages"]:
        removed.append(count)
    assert sum(removed) == 14
    assert max(removed) <= 3
    assert len(store.history.page("u1", before=None, limit=99)) == 2


def test_a_conversation_with_a_live_answer_is_left_alone(store: RecordStore) -> None:
    first = answered(store, at=1_000)
    live = draft(at=2_000, conversation=first.conversation_id)
    store.turns.accept(live, LIMITS)
    assert store.history.expire(before=99_000, limit=9) == {"conversations": 0, "messages": 0}
    assert (
        store.turns.commit([TurnWrite(turn_id=live.turn.id, rows=rows(2, 1))], owner="me", lease_until=9).lost == set()
    )
    store.turns.commit([last(live.turn, 3)], owner="me", lease_until=9)
    assert store.history.expire(before=99_000, limit=9)["conversations"] == 1


# --- verdicts --------------------------------------------------------------------------------------------------------


def verdict(number: int, user_id: str = "u1", *, at: int | None = None, **fields: object) -> VerdictEntry:
    made = VerdictEntry(
        id=f"v{number:03d}",
        at=number if at is None else at,
        user_id=user_id,
        turn_id="t",
        place="question",
        layer="wechat",
        suggest="risky",
        label=20002,
        trace_id="trace",
        request_id="call",
    )
    return replace(made, **fields)


def test_verdicts_are_kept_once_and_listed_newest_first(store: RecordStore) -> None:
    for number in (1, 2, 3):
        store.verdicts.add(verdict(number))
    store.verdicts.add(verdict(2, at=99))  # a repeated write
    store.verdicts.add(verdict(4, "u2", suggest="none"))
    assert store.verdicts.page(user_id=None, before=None, limit=9) == [
        verdict(4, "u2", suggest="none"),
        *(verdict(number) for number in (3, 2, 1)),
    ]
    assert store.verdicts.page(user_id="u1", before=(3, "v003"), limit=1) == [verdict(2)]


def test_only_texts_that_were_blocked_count_for_a_user(store: RecordStore) -> None:
    for number in range(1, 7):
        store.verdicts.add(verdict(number, suggest="none" if number == 5 else "review"))
    store.verdicts.add(verdict(9, "u2"))
    store.verdicts.add(verdict(8, place="answer"))  # what the model said is not the user's doing
    assert store.verdicts.times("u1", since=2, limit=9) == [6, 4, 3]
    assert store.verdicts.times("u1", since=2, limit=2) == [6, 4]


def test_counts_of_passes_add_up_over_threads(store: RecordStore) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: store.verdicts.count_passes({(5, "question"): 2, (6, "answer"): 1}), range(8)))
    assert [(one.day, one.place, one.passes) for one in store.verdicts.passes(since_day=5)] == [
        (5, "question", 16),
        (6, "answer", 8),
    ]
    assert [one.day for one in store.verdicts.passes(since_day=6)] == [6]


def test_verdicts_expire_oldest_first_in_batches(store: RecordStore) -> None:
    for number in range(5):
        store.verdicts.add(verdict(number, at=number * DAY))
    store.verdicts.count_passes({(1, "question"): 1, (2, "question"): 1, (3, "question"): 1})
    assert store.verdicts.expire(before=3 * DAY, limit=2) == 2
    assert store.verdicts.expire(before=3 * DAY, limit=2) == 1
    assert store.verdicts.expire(before=3 * DAY, limit=2) == 0
    assert [one.at for one in store.verdicts.page(user_id=None, before=None, limit=9)] == [4 * DAY, 3 * DAY]
    assert [one.day for one in store.verdicts.passes(since_day=0)] == [3]


# --- cards -----------------------------------------------------------------------------------------------------------


def card(name: str = "a", **fields: object) -> Card:
    return replace(Card(kind="case", id=name, at=1, owner="u1", state="open", body=b"sealed"), **fields)


def test_a_card_is_written_only_over_the_version_that_was_read(store: RecordStore) -> None:
    assert store.cards.put(card())
    assert not store.cards.put(card(body=b"again"))
    assert not store.cards.put(card(version=7))
    assert store.cards.put(card(version=1, state="decided"))
    assert store.cards.get("case", "a") == card(version=2, state="decided")
    assert store.cards.get("case", "b") is None
    assert store.cards.get("other", "a") is None
    assert not store.cards.put(card("b", version=1))  # nobody brings back what was removed


def test_one_of_many_writers_wins(store: RecordStore) -> None:
    store.cards.put(card())
    start = threading.Barrier(6)

    def write(number: int) -> bool:
        start.wait()
        return store.cards.put(card(version=1, body=str(number).encode()))

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(write, range(6))) == 1
    found = store.cards.get("case", "a")
    assert found is not None and found.version == 2


def test_a_card_is_taken_by_one_alone(store: RecordStore) -> None:
    store.cards.put(card())
    start = threading.Barrier(6)

    def take(_: int) -> bool:
        start.wait()
        return store.cards.remove("case", "a")

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(take, range(6))) == 1
    assert store.cards.get("case", "a") is None


def test_cards_are_found_by_kind_state_and_owner_newest_first(store: RecordStore) -> None:
    for number, name in enumerate("abcd"):
        store.cards.put(card(name, at=number // 2, state="open" if name != "c" else "decided"))
    store.cards.put(card("e", owner="u2"))
    store.cards.put(card("a", kind="other"))

    def page(**wanted: object) -> str:
        filters: dict[str, object] = {"state": None, "owner": None, "before": None, "limit": 9} | wanted
        return "".join(one.id for one in store.cards.page("case", **filters))  # type: ignore[arg-type]

    assert page() == "edcba"
    assert page(state="open") == "edba"
    assert page(owner="u1") == "dcba"
    assert page(owner="u1", state="decided") == "c"
    assert page(before=(1, "d"), limit=2) == "cb"
    assert store.cards.remove_of("case", "u1") == 4
    assert page() == "e"
    assert store.cards.get("other", "a") is not None


def test_cards_whose_time_is_over_go(store: RecordStore) -> None:
    for name, expires in (("a", 5), ("b", 10), ("c", 0), ("d", 11)):
        store.cards.put(card(name, expires_at=expires))
    assert store.cards.expire(now=10, limit=1) == 1
    assert store.cards.expire(now=10, limit=9) == 1
    assert {one.id for one in store.cards.page("case", state=None, owner=None, before=None, limit=9)} == {"c", "d"}


def test_the_cards_of_a_user_go_with_the_user(store: RecordStore) -> None:
    store.users.create(user("u1"))
    store.cards.put(card())
    store.cards.put(card("b", owner="u2"))
    store.users.erase("u1")
    assert store.cards.get("case", "a") is None
    assert store.cards.get("case", "b") is not None


# --- audit -----------------------------------------------------------------------------------------------------------


def link(seq: int, mac: bytes = b"mac") -> AuditEntry:
    return AuditEntry(seq=seq, at=seq, body=b"body", mac=mac)


def test_a_link_of_the_chain_is_written_once(store: RecordStore) -> None:
    assert store.audit.newest() is None
    assert store.audit.append(link(1))
    assert not store.audit.append(link(1, b"other"))
    assert store.audit.append(link(2))
    assert store.audit.newest() == link(2)
    assert store.audit.page(after=0, limit=9) == [link(1), link(2)]
    assert store.audit.page(after=1, limit=9) == [link(2)]


def test_one_of_many_appends_at_the_same_place_wins(store: RecordStore) -> None:
    start = threading.Barrier(6)

    def append(number: int) -> bool:
        start.wait()
        return store.audit.append(link(1, str(number).encode()))

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(append, range(6))) == 1


# --- standing and wiping -----------------------------------------------------------------------------------------------


def test_standing_is_read_with_the_user(store: RecordStore) -> None:
    store.users.create(user("u1"))
    assert store.standing.suspend("u1", until=50)
    assert store.standing.cool("u1", until=40)
    assert store.standing.cool("u1", until=30)  # never shorter
    found = store.users.get("u1")
    assert found is not None
    assert (found.suspended_until, found.cooling_until) == (50, 40)
    assert store.standing.suspend("u1", until=0)
    assert not store.standing.suspend("none", until=1)
    assert not store.standing.cool("none", until=1)
    assert store.users.get("none") is None


@pytest.mark.parametrize("store", ["sqlite", "mongo"], indirect=True)
def test_a_wiped_store_is_empty_and_can_be_made_anew(store: RecordStore) -> None:
    answered(store)
    store.users.create(user("u1"))
    store.secrets.get_or_put("lookup", b"l")
    store.audit.append(link(1))
    census = store.wiping.census()
    assert (census["users"], census["messages"], census["secrets"], census["audit"]) == (1, 2, 1, 1)
    for name in census:
        store.wiping.clear(name)
        store.wiping.clear(name)  # a second call finds nothing to do
    assert sum(store.wiping.census().values()) == 0
    assert store.migrate()[0] == "0001_first"
    assert store.users.get("u1") is None
