"""Trouble with the server or the way to it: a clear temporary error in bounded time, nothing half written or written
twice, and healing without a new store."""

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pymongo
import pytest
from msgspec.structs import replace
from pymongo.errors import AutoReconnect

from mongod import Member, ReplicaSet
from tests.contract.every_call import use_everything
from tests.contract.records import LIMITS, charge, draft, ending, last, rows, spent, user
from tests.fakes.clock import FakeClock
from tests.fakes.tcp_proxy import TcpProxy
from yunliao.adapters.store.mongo import MongoStore, database
from yunliao.adapters.store.mongo.line import Line
from yunliao.domain.ledger.audit import findings
from yunliao.domain.ledger.granting import Movement
from yunliao.domain.turn import Turn
from yunliao.errors import Misconfigured, StoreUnavailable
from yunliao.ports import Draft, Store, TurnWrite
from yunliao.ports_tallies import TallyRecord
from yunliao.services.summary import Summary
from yunliao.services.tally_book import TallyBook

LOOKS = 4
"""Connections that the driver has for itself, to watch the server."""
PATIENCE = 120.0


@pytest.fixture(scope="module")
def replica_set(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReplicaSet]:
    """One that may be killed."""
    with ReplicaSet(tmp_path_factory.mktemp("mongod")) as running:
        yield running


@pytest.fixture
def proxy(replica_set: ReplicaSet) -> Iterator[TcpProxy]:
    with TcpProxy(replica_set.members[0].port) as running:
        yield running


@pytest.fixture
def store(proxy: TcpProxy, replica_set: ReplicaSet) -> Iterator[MongoStore]:
    """Its network goes through the proxy; it is impatient, so that the tests need not be."""
    made = MongoStore(f"mongodb://127.0.0.1:{proxy.port}/faults?directConnection=true", seconds=1.5)
    try:
        made.migrate()
        yield made
    finally:
        made.close()
        if replica_set.members[0].process is None:  # a test failed in the middle of an outage
            replica_set.start()
    with pymongo.MongoClient[Any](replica_set.url()) as client:
        client.admin.command({"killAllSessions": []})
        client.drop_database("faults")


def refused(call: Callable[[], object]) -> str:
    """The detail of the error; what the driver said is neither in it nor chained to it in a traceback."""
    with pytest.raises(StoreUnavailable) as caught:
        call()
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None or caught.value.__suppress_context__
    assert "127.0.0.1" not in caught.value.detail
    return caught.value.detail


def healed(call: Callable[[], object]) -> Any:
    """What the call gives once the store answers again."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return call()
        except StoreUnavailable:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def accepted(store: Store, name: str = "u1", **kwargs: Any) -> Turn:
    outcome = store.turns.accept(draft(name, **kwargs), LIMITS)
    assert outcome.turn is not None
    return outcome.turn


def with_account(store: Store, sent: Draft) -> Draft:
    """The draft as of somebody who has an account."""
    person = store.users.create(replace(user(sent.turn.user_id), key_id=f"key of {sent.turn.user_id}"))
    return replace(sent, key_id=person.key_id, permit=person.permit)


def each_call(store: Store) -> list[Callable[[], object]]:
    sent = draft()
    return [
        lambda: store.turns.accept(sent, LIMITS),
        lambda: store.turns.get("t"),
        lambda: store.turns.commit([last(sent.turn, 2)], owner="me", lease_until=1),
        lambda: store.turns.commit([TurnWrite(turn_id="t")], owner="me", lease_until=1),
        lambda: store.turns.claim("t", owner="me", lease_until=1, now=5),
        lambda: store.turns.request_stop("t"),
        lambda: store.turns.events("t", after=0, limit=1),
        lambda: store.users.create(user()),
        lambda: store.users.erase("u1"),
        lambda: store.conversations.page("u1", before=None, limit=1),
        lambda: store.conversations.purge(deleted_before=1, limit=1),
        lambda: store.tickets.put("h", b"p", expires_at=1),
        lambda: store.secrets.get_or_put("s", b"v"),
        lambda: store.ledger.account("u1"),
        lambda: store.ledger.move("u1", Movement(kind="grant", reference="g", amount=1, at=1)),
        lambda: store.ledger.redeem("u1", "a" * 64, at=1),
        lambda: store.ledger.books("u1"),
        lambda: store.ledger.users(after="", limit=1),
        lambda: store.tallies.put(TallyRecord(span="hour", at=1, version=1, body=b"")),
        lambda: store.tallies.read("hour", since=0, until=1),
        lambda: store.tallies.oldest("hour"),
        lambda: store.tallies.expire("hour", before=1, limit=1),
        store.migrate,
        store.ping,
    ]


def test_a_server_that_is_killed_and_started_again(store: MongoStore, replica_set: ReplicaSet) -> None:
    turn = accepted(store)
    (member,) = replica_set.members
    member.kill()
    for call in each_call(store):
        assert refused(call).startswith("mongodb: ")
    member.start()
    healed(store.ping)
    assert store.turns.get(turn.id) == turn
    result = healed(lambda: store.turns.commit([last(turn, 2)], owner="me", lease_until=9_000))
    assert not result.lost


def test_a_network_that_is_cut(store: MongoStore, proxy: TcpProxy) -> None:
    turn = accepted(store, "u2")
    proxy.weather = "cut"
    for call in each_call(store):
        refused(call)
    proxy.weather = "fair"
    assert healed(lambda: store.turns.get(turn.id)) == turn
    use_everything(store)


def test_a_network_that_says_nothing(store: MongoStore, proxy: TcpProxy) -> None:
    turn = accepted(store)
    proxy.weather = "held"
    for call in each_call(store):
        refused(call)
    proxy.weather = "fair"
    assert healed(lambda: store.turns.get(turn.id)) == turn


def test_a_server_that_stands_still(store: MongoStore, replica_set: ReplicaSet) -> None:
    turn = accepted(store)
    (member,) = replica_set.members
    member.freeze(True)
    try:
        for call in each_call(store):
            refused(call)
    finally:
        member.freeze(False)
    assert healed(lambda: store.turns.get(turn.id)) == turn


def test_during_an_outage_nobody_waits_but_who_looks(store: MongoStore, proxy: TcpProxy) -> None:
    """A hundred requests at once do not become a hundred connections when the server is back."""
    store.ping()
    proxy.weather = "cut"
    refused(store.ping)
    before = proxy.accepted
    details = []

    def ask() -> None:
        details.append(refused(lambda: store.turns.get("t")))

    threads = [threading.Thread(target=ask) for _ in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert len(details) == 100
    assert details.count("mongodb: no answer; looking again shortly") > 50
    assert proxy.accepted - before < 50
    proxy.weather = "fair"
    before = proxy.accepted
    threads = [threading.Thread(target=lambda: healed(lambda: store.turns.get("t"))) for _ in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive()
    assert proxy.accepted - before <= database.POOL + LOOKS


@pytest.mark.parametrize("ends", [False, True])
def test_a_commit_whose_answer_never_came_is_repeated_and_done_once(
    store: MongoStore, proxy: TcpProxy, ends: bool
) -> None:
    turn, other = accepted(store, "u1"), accepted(store, "u2", owner="somebody")
    write = last(turn, 2) if ends else TurnWrite(turn_id=turn.id, rows=rows(2, 3))
    writes = [write, TurnWrite(turn_id=other.id, rows=rows(2, 1))]
    store.turns.commit([TurnWrite(turn_id=turn.id)], owner="me", lease_until=9_000)  # all connections are up
    proxy.weather = "deaf"
    refused(lambda: store.turns.commit(writes, owner="me", lease_until=9_000))
    proxy.weather = "fair"
    result = healed(lambda: store.turns.commit(writes, owner="me", lease_until=9_000))
    assert result.lost == {other.id}
    stored = store.turns.get(turn.id)
    assert stored is not None
    assert (stored.live, stored.last_seq) == (not ends, 2 if ends else 4)
    assert [row.seq for row in store.turns.events(turn.id, after=0, limit=9)] == list(range(1, stored.last_seq + 1))
    # It is recognised by being the very same write: an equal one is another, and out of order.
    again = last(turn, 2) if ends else TurnWrite(turn_id=turn.id, rows=rows(2, 3))
    assert store.turns.commit([again], owner="me", lease_until=9_000).lost == {turn.id}
    shown = store.conversations.messages("u1", turn.conversation_id, before=None, limit=9)
    assert len(shown) == 1 + ends


@pytest.mark.parametrize("known", [True, False], ids=["with an account", "without"])
def test_a_send_whose_answer_never_came_is_there_once(store: MongoStore, proxy: TcpProxy, known: bool) -> None:
    sent = with_account(store, draft()) if known else draft()
    store.ping()
    proxy.weather = "deaf"
    refused(lambda: store.turns.accept(sent, LIMITS))
    proxy.weather = "fair"
    outcome = healed(lambda: store.turns.accept(sent, LIMITS))
    assert (outcome.status, outcome.turn) == ("accepted", sent.turn)
    again = replace(sent, turn=draft(client_id=sent.turn.client_id).turn)
    assert store.turns.accept(again, LIMITS).status == "existing"
    assert len(store.conversations.page("u1", before=None, limit=9)) == 1


@pytest.mark.parametrize("charged", [False, True], ids=["free", "charged"])
@pytest.mark.parametrize("done", [False, True], ids=["not done", "done"])
@pytest.mark.parametrize("step", range(8))
def test_a_line_that_breaks_at_any_step_leaves_one_send_and_one_answer(
    store: MongoStore, monkeypatch: pytest.MonkeyPatch, step: int, done: bool, charged: bool
) -> None:
    """The connection of the quick attempt is lost before a step reached the server, or after: the ordinary way, which
    follows within the same call, makes it the same."""
    price = charge(400) if charged else None
    first, second = with_account(store, draft(charge=price)), with_account(store, draft("u2"))
    if charged:
        store.ledger.move("u1", Movement(kind="grant", reference="g", amount=1_000, at=1))
    command, steps, broken = Line.command, itertools.count(), 0

    def breaking(line: Line, asked: dict[str, Any], database: str = "") -> dict[str, Any]:
        nonlocal broken
        if "abortTransaction" in asked:
            return command(line, asked, database)
        if next(steps) != step:
            return command(line, asked, database)
        broken += 1
        if done:
            command(line, asked, database)
        raise AutoReconnect("cut")

    monkeypatch.setattr(Line, "command", breaking)

    def each(call: Callable[[], Any]) -> Any:
        nonlocal steps
        steps = itertools.count()
        return call()

    outcome = each(lambda: store.turns.accept(first, LIMITS))
    assert (outcome.status, outcome.turn) == ("accepted", first.turn)
    assert store.turns.accept(second, LIMITS).status == "accepted"
    append = TurnWrite(turn_id=first.turn.id, rows=rows(2, 2))
    assert not each(lambda: store.turns.commit([append], owner="me", lease_until=9_000)).lost
    ends = [last(first.turn, 4, ending(metered=spent(150))), last(second.turn, 2, ending("blocked"))]
    assert not each(lambda: store.turns.commit(ends, owner="me", lease_until=9_000)).lost
    assert broken >= (step < 5)
    turn = store.turns.get(first.turn.id)
    assert turn is not None and (turn.live, turn.last_seq) == (False, 4)
    assert [row.seq for row in store.turns.events(turn.id, after=0, limit=9)] == [1, 2, 3, 4]
    for sent in (first, second):
        assert len(store.conversations.page(sent.turn.user_id, before=None, limit=9)) == 1
        shown = store.conversations.messages(sent.turn.user_id, sent.turn.conversation_id, before=None, limit=9)
        assert [message.role for message in shown] == ["assistant", "user"]
    if charged:
        assert findings(store.ledger.books("u1")) == []
        assert [entry.kind for entry in store.ledger.books("u1").entries] == ["grant", "reserve", "settle", "release"]
    monkeypatch.undo()
    follows = replace(first, turn=draft(conversation=turn.conversation_id, at=2_000).turn, message=None)
    assert store.turns.accept(replace(follows, new_conversation=None, charge=None), LIMITS).status == "accepted"


def test_nothing_is_held_open_by_a_line_that_was_hindered(store: MongoStore, replica_set: ReplicaSet) -> None:
    first = with_account(store, draft())
    assert store.turns.accept(first, LIMITS).status == "accepted"
    assert store.turns.accept(with_account(store, draft()), LIMITS).status == "turn_in_progress"
    lost = last(replace(first.turn, owner="other"), 2)
    assert store.turns.commit([lost], owner="other", lease_until=9_000).lost == {first.turn.id}
    looking: list[dict[str, Any]] = [
        {"$currentOp": {"allUsers": True, "idleSessions": True}},
        {"$match": {"transaction": {"$exists": True}, "appName": database.NAME}},
    ]
    with pymongo.MongoClient[Any](replica_set.url()) as client:
        assert list(client.admin.aggregate(looking)) == []


def test_credits_whose_answers_never_came_moved_once(store: MongoStore, proxy: TcpProxy) -> None:
    """Grant, accept and ending each reach the server, and no answer comes back: repeated, they change nothing."""
    store.users.create(user())
    sent = draft(charge=charge(400))
    calls: list[Callable[[], object]] = [
        lambda: store.ledger.move("u1", Movement(kind="grant", reference="g", amount=1_000, at=1)),
        lambda: store.turns.accept(sent, LIMITS),
    ]
    write = last(sent.turn, 2, ending(metered=spent(150)))
    calls.append(lambda: store.turns.commit([write], owner="me", lease_until=9_000))
    for call in calls:
        healed(store.ping)
        proxy.weather = "deaf"
        refused(call)
        proxy.weather = "fair"
        healed(call)
    books = healed(lambda: store.ledger.books("u1"))
    assert findings(books) == [] and books.account.available == 850
    assert [entry.kind for entry in books.entries] == ["grant", "reserve", "settle", "release"]


def test_counts_whose_answers_never_came_are_counted_once(store: MongoStore, proxy: TcpProxy) -> None:
    """What an instance counted reaches the server, it does not hear so and counts on: the end has everything once."""
    clock = FakeClock()
    book = TallyBook(tallies=store.tallies, clock=clock, instance="a", spawn=lambda task: None)
    for counted in range(1, 4):
        healed(store.ping)
        book.turn(clock.now_ms(), {"reason": "complete", "total_ms": 900})
        proxy.weather = "deaf"
        refused(book.flush)
        proxy.weather = "fair"
        healed(book.flush)
        seen = healed(lambda: Summary(tallies=store.tallies, book=book, clock=clock).view(hours=1, days=1))
        assert (seen.hours[0].turns, seen.days[0].turns) == (counted, counted)


@pytest.fixture(params=["gates", "users"])
def orphan(store: MongoStore, replica_set: ReplicaSet, request: pytest.FixtureRequest) -> Iterator[Turn]:
    """A turn whose owner died inside a transaction that had already touched the turn and the user's gate."""
    turn = accepted(store, lease_until=10)
    with_account(store, draft())
    with (
        pymongo.MongoClient[Any](replica_set.url("faults"), appname=database.NAME) as client,
        client.start_session() as session,
    ):
        session.start_transaction()
        dead = client.get_default_database()
        dead[request.param].update_one({"_id": "u1"}, {"$inc": {"passed": 1}}, session=session)
        dead["turns"].update_one({"_id": turn.id}, {"$set": {"state": "ended"}}, session=session)
        yield turn


def test_a_transaction_of_a_dead_instance_does_not_lock_its_user_out(store: MongoStore, orphan: Turn) -> None:
    for sent in (draft(client_id="another"), with_account(store, draft(client_id="another"))):
        outcome = healed(lambda sent=sent: store.turns.accept(sent, LIMITS))
        assert (outcome.status, outcome.turn) == ("turn_in_progress", orphan)


def test_a_turn_inside_a_dead_instances_transaction_can_be_claimed(store: MongoStore, orphan: Turn) -> None:
    claimed = healed(lambda: store.turns.claim(orphan.id, owner="heir", lease_until=900, now=20))
    assert claimed is not None
    assert (claimed.owner, claimed.state) == ("heir", "accepted")


def test_an_address_that_leads_nowhere_tells_no_secret() -> None:
    secret = "canary-password"
    for url in (f"mongodb://{secret}:{secret}@127.0.0.1:1/{secret}", f"mongodb://127.0.0.1:1/?appName={secret}"):
        store = MongoStore(url, seconds=0.5)
        for call in (store.ping, store.migrate):
            assert secret not in refused(call)
        store.close()


@pytest.mark.parametrize(
    "url",
    [
        "mongodb://user:p@ss:word@host",
        "mongodb://host/a b",
        "mongodb://host/?readPreference=canary",
        "mongodb://host/?unknown=canary",
        "mongodb://host:999999/",
    ],
)
def test_an_address_that_cannot_be_is_told_without_it(url: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        MongoStore(url)
    assert "host" not in caught.value.detail
    assert caught.value.__suppress_context__


def test_a_single_server_is_refused_because_it_has_no_transactions(tmp_path: Path) -> None:
    member = Member(tmp_path, 0, name="")
    member.port = ReplicaSet(tmp_path / "unused").members[0].port
    member.start()
    store = MongoStore(f"mongodb://{member.address}/db")
    try:
        with pytest.raises(Misconfigured, match="replica set"):
            store.migrate()
    finally:
        store.close()
        member.kill()


def test_a_store_that_was_never_migrated_is_not_ready(mongo_url: str) -> None:
    store = MongoStore(mongo_url)
    refused(store.ping)
    assert store.migrate() != []
    store.ping()
    store.close()
