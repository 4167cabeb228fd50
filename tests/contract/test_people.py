"""Personal data in fixed orders, accounts that were erased and come back to nothing, and the key stores."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.contract.records import LIMITS, charge, draft, ending, last, user
from tests.fakes.memory_store import MemoryKeyStore
from yunliao.adapters.store.mongo.key_store import MongoKeyStore
from yunliao.adapters.store.sqlite.key_store import SqliteKeyStore
from yunliao.domain.ledger.audit import findings
from yunliao.domain.ledger.granting import Movement
from yunliao.ports import AcceptOutcome, Conversation
from yunliao.ports_people import ConsentRecord, KeyShare, KeyStore, PeopleStore
from yunliao.ports_records import RecordStore


def filled(store: PeopleStore, count: int = 7) -> str:
    """A conversation of `count` exchanges, of times that meet: its id."""
    conversation = ""
    for number in range(count):
        sent = draft("u1", conversation=conversation, at=1_000 + number // 2)
        conversation = sent.turn.conversation_id
        assert store.turns.accept(sent, LIMITS).status == "accepted"
        store.turns.commit([last(sent.turn, 2, ending(at=1_000 + number // 2))], owner="me", lease_until=9_000)
    return conversation


def test_pages_of_messages_are_each_message_once_whatever_is_added(store: PeopleStore) -> None:
    conversation = filled(store)
    seen: list[str] = []
    after = (-1, "")
    while page := store.personal.messages("u1", conversation, after=after, until=1_002, limit=2):
        seen += [message.id for message in page]
        after = (page[-1].created_at, page[-1].id)
        later = draft("u1", conversation=conversation, at=5_000 + len(seen))
        store.turns.accept(later, LIMITS)
        store.turns.commit([last(later.turn, 2, ending(at=5_000))], owner="me", lease_until=9_000)
    everything = store.conversations.messages("u1", conversation, before=None, limit=100)
    assert seen == [m.id for m in reversed(everything) if m.created_at <= 1_002]
    assert len(seen) == len(set(seen)) > 8
    assert store.personal.messages("u2", conversation, after=(-1, ""), until=9_000, limit=9) == []


def test_messages_that_left_the_history_are_still_held(store: PeopleStore) -> None:
    conversation = filled(store, 2)
    first = store.personal.messages("u1", conversation, after=(-1, ""), until=9_000, limit=1)[0]
    edit = draft("u1", conversation=conversation, at=3_000, hide_from=first.id)
    store.turns.accept(edit, LIMITS)
    held = store.personal.messages("u1", conversation, after=(-1, ""), until=9_000, limit=99)
    assert [message.hidden for message in held] == [True] * 4 + [False]


def test_conversations_and_turns_by_id_those_in_the_trash_too(store: PeopleStore) -> None:
    one, other = filled(store, 1), filled(store, 3)
    store.conversations.delete("u1", one, at=50)
    found = store.personal.conversations("u1", after="", until=9_000, limit=9)
    assert [conversation.id for conversation in found] == sorted([one, other])
    assert [c.id for c in store.personal.conversations("u1", after=min(one, other), until=9_000, limit=9)] == [
        max(one, other)
    ]
    assert store.personal.conversations("u1", after="", until=500, limit=9) == []
    turns = store.personal.turns("u1", after="", until=9_000, limit=9)
    assert [turn.id for turn in turns] == sorted(turn.id for turn in turns)
    assert len(turns) == 4
    assert store.personal.turns("u1", after=turns[-1].id, until=9_000, limit=9) == []


def test_every_consent_is_remembered_in_order_and_goes_with_the_user(store: PeopleStore) -> None:
    store.users.create(user())
    for at, version, overseas in ((1, "a", False), (2, "b", True), (2, "", False)):
        assert store.users.set_consent("u1", version=version, overseas=overseas, at=at)
    assert store.personal.consents("u1") == [
        ConsentRecord(1, "a", False),
        ConsentRecord(2, "b", True),
        ConsentRecord(2, "", False),
    ]
    assert not store.users.set_consent("u2", version="a", overseas=False, at=1)
    assert store.personal.consents("u2") == []
    assert store.users.erase("u1")["consents"] == 3
    store.users.create(user())
    assert store.personal.consents("u1") == []


def test_one_conversation_goes_for_good_and_no_other(store: PeopleStore) -> None:
    one, other = filled(store, 2), filled(store, 2)
    live = draft("u1", conversation=one, at=3_000)
    store.turns.accept(live, LIMITS)
    store.conversations.delete("u1", one, at=50)
    assert store.personal.purge("u2", one) is None
    assert store.personal.purge("u1", one) == {"conversations": 1, "messages": 5, "turns": 3, "events": 5}
    assert store.personal.purge("u1", one) is None
    assert store.turns.commit([last(live.turn, 2)], owner="me", lease_until=9).lost == {live.turn.id}
    assert store.conversations.message("u1", live.turn.answer_message_id) is None
    assert len(store.conversations.messages("u1", other, before=None, limit=9)) == 4


def test_what_an_erased_account_still_sends_brings_nothing_back(store: PeopleStore) -> None:
    store.users.create(replace(user(), key_id="key_1"))
    sent = replace(draft("u1"), key_id="key_1")
    assert store.turns.accept(sent, LIMITS).status == "accepted"
    store.users.erase("u1")
    late = replace(draft("u1"), key_id="key_1")
    assert store.turns.accept(late, LIMITS).status == "no_user"
    assert not store.conversations.create(fresh("c1"), key_id="key_1")
    store.users.create(replace(user(), key_id="key_2"))  # the same person, back
    assert store.turns.accept(late, LIMITS).status == "no_user"
    assert not store.conversations.create(fresh("c1"), key_id="key_1")
    assert store.turns.get(late.turn.id) is None
    assert store.personal.conversations("u1", after="", until=9_000, limit=9) == []
    assert store.conversations.create(fresh("c2"), key_id="key_2")
    assert store.turns.accept(replace(late, key_id="key_2"), LIMITS).status == "accepted"


def fresh(name: str) -> Conversation:
    return Conversation(id=name, user_id="u1", created_at=1, last_activity_at=1)


def test_an_old_erase_leaves_the_account_that_was_made_since(store: PeopleStore) -> None:
    store.users.create(replace(user(), key_id="key_2"))
    assert store.users.erase("u1", key_id="key_1") == {}
    assert store.users.get("u1") is not None
    assert store.users.erase("u1", key_id="key_2")["users"] == 1
    assert sum(store.users.erase("u1", key_id="key_2").values()) == 0


def test_a_key_is_halved_once(store: PeopleStore) -> None:
    store.users.create(user())
    assert not store.personal.rekey("u1", old=b"other", new=b"half", key_id="key_1")
    assert store.personal.rekey("u1", old=b"key", new=b"half", key_id="key_1")
    assert not store.personal.rekey("u1", old=b"half", new=b"again", key_id="key_2")
    found = store.users.get("u1")
    assert found is not None
    assert (found.wrapped_key, found.key_id) == (b"half", "key_1")
    assert not store.personal.rekey("u2", old=b"key", new=b"half", key_id="key_1")


def test_what_a_live_turn_had_set_aside_comes_back_when_its_conversation_goes(store: PeopleStore) -> None:
    store.users.create(user())
    assert store.ledger.move("u1", Movement(kind="grant", reference="g", amount=500, at=1)).status == "posted"
    turn = store.turns.accept(draft("u1", charge=charge(400)), LIMITS).turn
    assert turn is not None
    assert store.personal.purge("u1", turn.conversation_id) is not None
    account = store.ledger.account("u1")
    assert account is not None
    assert account.held == 0
    assert findings(store.ledger.books("u1")) == []


def test_more_than_one_step_can_remove_goes_whole(store: PeopleStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("yunliao.adapters.store.mongo.thinning.PART", 3)
    store.users.create(replace(user(), key_id="key_1"))
    one, other = filled(store, 8), filled(store, 8)
    assert store.personal.purge("u1", one) == {"conversations": 1, "messages": 16, "turns": 8, "events": 16}
    counts = store.users.erase("u1", key_id="key_1")
    assert {name: counts[name] for name in ("users", "conversations", "messages", "turns", "events")} == {
        "users": 1,
        "conversations": 1,
        "messages": 16,
        "turns": 8,
        "events": 16,
    }
    assert store.personal.messages("u1", other, after=(-1, ""), until=9_000, limit=9) == []


def test_who_has_which_half_page_by_page(store: PeopleStore) -> None:
    for name, key_id in (("u1", "key_1"), ("u2", ""), ("u3", "key_3")):
        store.users.create(replace(user(name), key_id=key_id))
    assert store.personal.keyed(after="", limit=2) == [("u1", "key_1"), ("u2", "")]
    assert store.personal.keyed(after="u2", limit=2) == [("u3", "key_3")]


def test_accepting_and_erasing_at_once_leaves_nothing_of_the_old_account(store: PeopleStore) -> None:
    """Whichever comes first: what was accepted before goes, what comes after is refused."""
    for round_ in range(5):
        store.users.create(replace(user(), key_id=f"key_{round_}"))
        begun = threading.Barrier(5)

        def send(number: int, round_: int = round_, begun: threading.Barrier = begun) -> None:
            begun.wait()
            for attempt in range(4):
                sent = replace(draft("u1", client_id=f"c{round_}{number}{attempt}"), key_id=f"key_{round_}")
                store.turns.accept(sent, LIMITS)
                store.conversations.create(fresh(f"c{round_}_{number}_{attempt}"), key_id=f"key_{round_}")

        def erase(round_: int = round_, begun: threading.Barrier = begun) -> None:
            begun.wait()
            store.users.erase("u1", key_id=f"key_{round_}")

        threads = [threading.Thread(target=send, args=(number,)) for number in range(4)]
        threads.append(threading.Thread(target=erase))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert store.users.get("u1") is None
        assert store.turns.live_of("u1") is None
        assert store.personal.turns("u1", after="", until=9_000, limit=99) == []
        assert store.personal.conversations("u1", after="", until=9_000, limit=99) == []


# --- key stores ---------------------------------------------------------------------------------------------------


@pytest.fixture(params=["sqlite", "memory", "mongo"])
def keys(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[KeyStore]:
    made: dict[str, Callable[[], KeyStore]] = {
        "sqlite": lambda: SqliteKeyStore(f"sqlite:///{tmp_path}/keys.db"),
        "memory": MemoryKeyStore,
        "mongo": lambda: MongoKeyStore(request.getfixturevalue("mongo_url")),
    }
    found = made[request.param]()
    found.migrate()
    found.migrate()
    yield found
    found.close()


def share(name: str, at: int = 1) -> KeyShare:
    return KeyShare(id=name, user_id=f"u-{name}", share=name.encode().ljust(32, b"."), created_at=at)


def test_a_share_is_kept_until_it_is_destroyed_and_never_comes_back(keys: KeyStore) -> None:
    keys.put(share("key_1"))
    keys.put(share("key_2"))
    assert keys.get("key_1") == share("key_1")
    assert keys.get("key_none") is None
    assert keys.destroy("key_1", at=70)
    assert not keys.destroy("key_1", at=80)
    assert not keys.destroy("key_none", at=80)
    gone = keys.get("key_1")
    assert gone is not None
    assert (gone.share, gone.destroyed_at) == (b"", 70)
    assert keys.get("key_2") == share("key_2")


def test_whose_a_destroyed_share_was_is_forgotten_when_the_records_are_gone(keys: KeyStore) -> None:
    for name, at in (("key_1", 20), ("key_2", 10), ("key_3", 30)):
        keys.put(share(name))
        keys.destroy(name, at=at)
    keys.put(share("key_4"))
    assert [one.user_id for one in keys.unsettled(limit=2)] == ["u-key_2", "u-key_1"]
    assert keys.destroyed(["key_1", "key_4", "key_none"]) == {"key_1"}
    keys.settled("key_2")
    keys.settled("key_4")  # not destroyed: it stays as it is
    assert [one.id for one in keys.unsettled(limit=9)] == ["key_1", "key_3"]
    assert keys.get("key_2") == KeyShare(id="key_2", user_id="", share=b"", created_at=1, destroyed_at=10)
    assert keys.get("key_4") == share("key_4")


def test_a_key_store_has_one_mark(keys: KeyStore) -> None:
    assert keys.mark("first") == "first"
    assert keys.mark("second") == "first"
    keys.ping()
    assert keys.get("mark") is None
    assert not keys.destroy("mark", at=1)


def test_instances_that_start_at_once_make_one_key_store(mongo_url: str) -> None:
    stores = [MongoKeyStore(mongo_url) for _ in range(6)]
    ready = threading.Barrier(len(stores))
    marks: list[str] = []

    def start(number: int) -> None:
        stores[number].marked()  # connected
        ready.wait(30)
        stores[number].migrate()
        marks.append(stores[number].mark(f"m{number}"))

    threads = [threading.Thread(target=start, args=(number,)) for number in range(len(stores))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    for store in stores:
        store.close()
    assert len(marks) == len(stores)
    assert len(set(marks)) == 1


def test_the_mark_can_be_looked_at_without_making_one(keys: KeyStore) -> None:
    assert keys.marked() == keys.marked() == ""
    keys.mark("first")
    assert keys.marked() == "first"


def test_a_buried_record_is_known_to_be_gone_and_is_nobodys(keys: KeyStore) -> None:
    keys.put(share("key_1"))
    keys.bury("conv_1", at=5)
    keys.bury("conv_1", at=9)
    assert keys.destroyed(["conv_1", "conv_2", "key_1"]) == {"conv_1"}
    assert keys.unsettled(limit=9) == []
    found = keys.get("conv_1")
    assert found is not None and (found.user_id, found.share, found.destroyed_at) == ("", b"", 5)
    keys.bury("key_1", at=9)  # what is a key stays one
    assert keys.get("key_1") == share("key_1")


def test_a_cleared_key_store_can_be_begun_anew(keys: KeyStore) -> None:
    keys.mark("first")
    keys.put(share("one"))
    keys.put(share("two"))
    assert keys.clear() == 2
    assert keys.get("one") is None
    keys.migrate()
    assert keys.clear() == 0
    keys.migrate()
    assert keys.mark("second") == "second"
    keys.put(share("one"))
    assert keys.get("one") == share("one")


def test_no_byte_of_a_destroyed_share_is_left_in_the_file(tmp_path: Path) -> None:
    store = SqliteKeyStore(f"sqlite:///{tmp_path}/keys.db")
    store.migrate()
    secret = bytes(range(100, 132))
    store.put(KeyShare(id="key_1", user_id="user-of-the-share", share=secret, created_at=1))
    stays = bytes(range(50, 82))
    store.put(KeyShare(id="key_2", user_id="another", share=stays, created_at=1))
    assert secret in on_disk(tmp_path)
    store.destroy("key_1", at=2)
    store.settled("key_1")
    disk = on_disk(tmp_path)
    assert secret not in disk
    assert b"user-of-the-share" not in disk
    assert stays in disk
    store.close()


def on_disk(folder: Path) -> bytes:
    return b"".join(found.read_bytes() for found in sorted(folder.iterdir()))


@pytest.mark.parametrize("key_id", ["key_1", ""], ids=["with a share", "of before there were shares"])
@pytest.mark.parametrize(
    "change",
    [
        lambda store: store.users.set_consent("u1", version="", overseas=False, at=9),
        lambda store: store.users.set_consent("u1", version="v1", overseas=True, at=9),
        lambda store: store.standing.suspend("u1", until=5_000),
        lambda store: store.standing.cool("u1", until=5_000),
    ],
    ids=["consent withdrawn", "consent changed", "suspended", "cooling"],
)
def test_what_changed_in_the_account_meanwhile_is_told_before_anything_else(
    store: RecordStore, change: Callable[[RecordStore], bool], key_id: str
) -> None:
    store.users.create(replace(user(), key_id=key_id))
    store.users.set_consent("u1", version="v1", overseas=False, at=1)

    def ask(client_id: str, at: int) -> AcceptOutcome:
        asked = replace(draft("u1", client_id=client_id, at=at), key_id=key_id, permit=known)
        return store.turns.accept(asked, LIMITS)

    found = store.users.get("u1")
    assert found is not None
    known = found.permit
    first = ask("message-1", 1_000)
    assert first.status == "accepted" and first.turn is not None
    assert ask("message-1", 1_100).status == "existing"
    assert change(store)
    assert ask("message-1", 1_200).status == "outdated"
    store.turns.commit([last(first.turn, 2)], owner="me", lease_until=9)
    assert ask("message-2", 1_300).status == "outdated"
    assert store.turns.by_client_id("u1", "message-2") is None
    assert len(store.conversations.page("u1", before=None, limit=9)) == 1
    found = store.users.get("u1")
    assert found is not None and found.permit != known
    known = found.permit
    assert ask("message-2", 1_400).status == "accepted"


def test_nobody_has_the_permit_of_a_user_who_is_not_there(store: RecordStore) -> None:
    assert store.turns.accept(replace(draft("u1"), permit=user().permit), LIMITS).status == "outdated"
    assert store.turns.live_of("u1") is None
