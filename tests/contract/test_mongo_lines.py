"""The short way of writes: used by many at once, each in a transaction of its own, and left again where it is broken."""

import threading
from collections import Counter
from typing import Any

import pytest
from pymongo.errors import NetworkTimeout

from tests.contract.records import LIMITS, draft, last, rows
from yunliao.adapters.store.mongo import MongoStore, line
from yunliao.adapters.store.mongo.line import Line, Lines
from yunliao.adapters.store.mongo.steps import SessionSteps
from yunliao.errors import StoreUnavailable
from yunliao.ports import TurnWrite

PEOPLE = 40
"""More than there are connections."""


def test_many_at_once_are_each_written_once(known_mongo: MongoStore, monkeypatch: pytest.MonkeyPatch) -> None:
    done: Counter[str] = Counter()
    open_now: Counter[Any] = Counter()
    shared: list[Any] = []
    command, lock = Line.command, threading.Lock()

    def heard(line: Line, asked: dict[str, Any], database: str = "") -> dict[str, Any]:
        session = str(line.fields.get("lsid"))
        with lock:
            done[next(iter(asked))] += 1
            open_now[session] += "lsid" in line.fields
            shared.extend([session] if open_now[session] > 1 else [])
        try:
            return command(line, asked, database)
        finally:
            with lock:
                open_now[session] -= "lsid" in line.fields

    monkeypatch.setattr(Line, "command", heard)
    said: list[str] = []

    def live(number: int) -> None:
        outcome = known_mongo.turns.accept(draft(f"u{number}"), LIMITS)
        assert outcome.turn is not None
        written = [TurnWrite(turn_id=outcome.turn.id, rows=rows(2, 2)), last(outcome.turn, 4)]
        results = [known_mongo.turns.commit([one], owner="me", lease_until=9_000) for one in written]
        said.append("lost" if any(result.lost for result in results) else outcome.status)

    threads = [threading.Thread(target=live, args=(number,)) for number in range(PEOPLE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
        assert not thread.is_alive()
    assert Counter(said) == {"accepted": PEOPLE}
    assert shared == []
    assert done["commitTransaction"] == 2 * PEOPLE
    for number in range(PEOPLE):
        (conversation,) = known_mongo.conversations.page(f"u{number}", before=None, limit=9)
        assert len(known_mongo.conversations.messages(f"u{number}", conversation.id, before=None, limit=9)) == 2


def test_a_line_that_took_all_the_time_leaves_none_for_another_way(
    known_mongo: MongoStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = known_mongo.turns.accept(draft(), LIMITS)
    assert first.turn is not None
    write = TurnWrite(turn_id=first.turn.id, rows=rows(2, 1))
    asked: list[str] = []

    def hanging(lines: Lines, name: str, updates: object) -> int:
        asked.append(name)
        raise NetworkTimeout("held")

    with monkeypatch.context() as held:
        held.setattr(Lines, "update", hanging)
        held.setattr(SessionSteps, "update", lambda *_: pytest.fail("another way was taken"))
        held.setattr(known_mongo._database, "seconds", 1e-9)
        with pytest.raises(StoreUnavailable, match="NetworkTimeout"):
            known_mongo.turns.commit([write], owner="me", lease_until=9_000)
    assert asked == ["turns"]
    assert not known_mongo.turns.commit([write], owner="me", lease_until=9_000).lost


def test_the_server_goes_on_no_longer_than_somebody_waits(
    known_mongo: MongoStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[dict[str, Any]] = []
    encode = line.bson.encode

    def heard(command: dict[str, Any]) -> bytes:
        sent.append(command)
        return encode(command)

    monkeypatch.setattr(line.bson, "encode", heard)
    outcome = known_mongo.turns.accept(draft(), LIMITS)
    assert outcome.turn is not None
    known_mongo.turns.commit([TurnWrite(turn_id=outcome.turn.id, rows=rows(2, 1))], owner="me", lease_until=9_000)
    known_mongo.turns.commit([last(outcome.turn, 3)], owner="me", lease_until=9_000)
    assert {next(iter(one)) for one in sent} >= {"findAndModify", "insert", "update", "commitTransaction"}
    assert all(0 < one["maxTimeMS"] <= 10_000 for one in sent)
