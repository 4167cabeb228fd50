"""Every query finds its documents by an index, and a group commit is two round trips however many turns it has."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pymongo
import pytest
from msgspec.structs import replace
from pymongo import monitoring

from tests.contract.every_call import use_everything
from tests.contract.records import LIMITS, draft, ending, last, rows, user
from yunliao.adapters.store.mongo import MongoStore
from yunliao.adapters.store.mongo.line import Line
from yunliao.ports import Draft, TurnWrite

SEARCHING = ("find", "update", "delete", "aggregate", "findAndModify", "count", "distinct")
ENVELOPE = {"lsid", "$db", "$clusterTime", "txnNumber", "startTransaction", "autocommit", "readConcern", "writeConcern"}
ENVELOPE |= {"$readPreference", "maxTimeMS", "ordered"}

INDEXED = {"IXSCAN", "IDHACK", "EOF", "SUBPLAN", "CLUSTERED_IXSCAN", "RECORD_STORE_FAST_COUNT"}


class Listening(monitoring.CommandListener):
    """Keeps what the driver sent."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, dict[str, Any]]] = []

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        self.sent.append((event.command_name, deepcopy(dict(event.command))))

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        pass

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        pass


@pytest.fixture
def listening(monkeypatch: pytest.MonkeyPatch) -> Listening:
    listener, client = Listening(), pymongo.MongoClient
    command = Line.command

    def heard(self: Line, asked: dict[str, Any], database: str = "") -> dict[str, Any]:
        sent = dict(asked) | self.fields
        listener.sent.append((next(iter(asked)), deepcopy(sent)))
        return command(self, asked, database)

    monkeypatch.setattr(Line, "command", heard)  # lines tell the driver's listeners nothing
    monkeypatch.setattr(
        "yunliao.adapters.store.mongo.database.MongoClient",
        lambda url, **options: client(url, event_listeners=[listener], **options),
    )
    return listener


@pytest.fixture
def store(listening: Listening, mongo_url: str) -> Iterator[MongoStore]:
    made = MongoStore(mongo_url)
    made.migrate()
    yield made
    made.close()


def single(command: dict[str, Any]) -> list[dict[str, Any]]:
    """The command as ones that can be explained: each with one statement, without what belongs to its session."""
    bare = {name: value for name, value in command.items() if name not in ENVELOPE}
    for several in ("updates", "deletes"):
        if several in bare:
            return [bare | {several: [one]} for one in bare[several]]
    return [bare]


def stages(plan: Any) -> Iterator[str]:
    """All stage names of the winning plan, at any depth."""
    if isinstance(plan, dict):
        for name, value in plan.items():
            if name == "stage":
                yield str(value)
            elif name != "rejectedPlans":
                yield from stages(value)
    elif isinstance(plan, list):
        for value in plan:
            yield from stages(value)


def test_no_query_reads_through_a_collection(store: MongoStore, listening: Listening, mongo_url: str) -> None:
    for number in range(30):  # enough that reading through would not look as good as an index
        store.turns.accept(draft(f"other{number}"), LIMITS)
    listening.sent.clear()
    use_everything(store)
    person = store.users.create(replace(user("known"), key_id="key"))
    for at, conversation in ((1_000, ""), (2_000, "conv"), (3_000, "")):  # over a line, and what follows a hindrance
        sent = replace(draft("known", at=at, conversation=conversation), key_id=person.key_id, permit=person.permit)
        outcome = store.turns.accept(sent, LIMITS)
        if outcome.turn is not None:
            store.turns.commit([last(outcome.turn, 2)], owner="me", lease_until=9)
    store.migrate()
    store.ping()
    seen: set[str] = set()
    with pymongo.MongoClient[dict[str, Any]](mongo_url) as client:
        database = client.get_default_database()
        for name, command in listening.sent:
            if name not in SEARCHING:
                continue
            if name == "aggregate" and "$changeStream" in command["pipeline"][0]:
                continue  # reads the log of the server, from its end
            for one in single(command):
                if name == "aggregate":
                    one["cursor"] = {}
                told = database.command({"explain": one, "verbosity": "queryPlanner"})
                used = set(stages(told))
                assert used & INDEXED, (one, used)
                assert not used & {"COLLSCAN", "SORT", "SORT_KEY_GENERATOR"}, (one, used)
                seen.add(name)
    assert {"find", "update", "delete", "aggregate", "findAndModify"} <= seen


def test_a_group_commit_of_fifty_turns_is_two_round_trips(store: MongoStore, listening: Listening) -> None:
    turns = [store.turns.accept(draft(f"u{number}"), LIMITS).turn for number in range(50)]
    writes = [TurnWrite(turn_id=turn.id, rows=rows(2, 3)) for turn in turns if turn is not None]
    listening.sent.clear()
    assert not store.turns.commit(writes, owner="me", lease_until=9_000).lost
    assert [name for name, _ in listening.sent] == ["update", "find"]
    concern = listening.sent[0][1]["writeConcern"]
    assert (concern["w"], concern["j"]) == ("majority", True)


@pytest.mark.parametrize("known", [True, False], ids=["known", "looked up"])
def test_fifty_endings_are_one_transaction(store: MongoStore, listening: Listening, known: bool) -> None:
    turns = [store.turns.accept(draft(f"u{number}"), LIMITS).turn for number in range(50)]
    writes = [last(turn, 2, ending("blocked")) for turn in turns if turn is not None]
    if not known:
        writes = [replace(write, turn=None) for write in writes]
    listening.sent.clear()
    assert not store.turns.commit(writes, owner="me", lease_until=9_000).lost
    names = [name for name, _ in listening.sent]
    assert names == ["find"] * (not known) + ["update", "update", "update", "insert", "commitTransaction"]
    assert len({command["txnNumber"] for _, command in listening.sent}) == 1
    assert listening.sent[-1][1]["writeConcern"]["w"] == "majority"


def test_a_look_for_new_events_is_one_round_trip(store: MongoStore, listening: Listening) -> None:
    turn = store.turns.accept(draft(), LIMITS).turn
    assert turn is not None
    listening.sent.clear()
    store.turns.events(turn.id, after=3, limit=100)
    assert [name for name, _ in listening.sent] == ["find"]
    assert listening.sent[0][1]["readConcern"]["level"] == "majority"


def test_a_send_into_a_conversation_is_five_steps(store: MongoStore, listening: Listening) -> None:
    person = store.users.create(replace(user(), key_id="key"))

    def asked(**more: Any) -> Draft:
        return replace(draft(**more), key_id=person.key_id, permit=person.permit)

    first = store.turns.accept(asked(), LIMITS).turn  # begins the memory of the user's sends
    assert first is not None
    store.turns.commit([last(first, 2)], owner="me", lease_until=9)
    listening.sent.clear()
    assert store.turns.accept(asked(conversation=first.conversation_id, at=3_000), LIMITS).status == "accepted"
    names = [name for name, _ in listening.sent]
    assert names == ["findAndModify", "update", "insert", "insert", "commitTransaction"]


def test_what_is_not_there_is_asked_for_once_more_for_sure(store: MongoStore, listening: Listening) -> None:
    """A primary that was replaced without knowing it yet would call a turn unknown that somebody was just told of."""
    outcome = store.turns.accept(draft(), LIMITS)
    assert outcome.turn is not None
    asks = [
        lambda turn_id: store.turns.get(turn_id),
        lambda turn_id: store.turns.heads([turn_id]),
    ]
    for ask in asks:
        listening.sent.clear()
        assert not ask("unknown")
        levels = [command["readConcern"]["level"] for name, command in listening.sent if name == "find"]
        assert levels[-1] == "linearizable"
    listening.sent.clear()
    assert store.turns.get(outcome.turn.id) and store.turns.heads([outcome.turn.id])
    assert all(command["readConcern"]["level"] == "majority" for _, command in listening.sent)


def test_a_look_for_stops_counts_all_turns_that_were_written_since_the_last(
    store: MongoStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Turns that speak in turns share the looks: none of them may be the one that is never looked at."""
    one, two = (store.turns.accept(draft(name), LIMITS).turn for name in ("u1", "u2"))
    assert one and two
    store.turns.commit([TurnWrite(turn_id=one.id, rows=rows(2, 1))], owner="me", lease_until=8_000)
    monkeypatch.setattr("yunliao.adapters.store.mongo.commit.LOOK", 3600.0)
    store.turns.request_stop(two.id)
    spoke = store.turns.commit([TurnWrite(turn_id=two.id, rows=rows(2, 1))], owner="me", lease_until=8_000)
    assert spoke.stops == set()
    monkeypatch.setattr("yunliao.adapters.store.mongo.commit.LOOK", 0.0)
    looked = store.turns.commit([TurnWrite(turn_id=one.id, rows=rows(3, 1))], owner="me", lease_until=8_000)
    assert looked.stops == {two.id} and looked.lost == set()
    again = store.turns.commit([TurnWrite(turn_id=one.id, rows=rows(4, 1))], owner="me", lease_until=8_000)
    assert again.stops == set()
