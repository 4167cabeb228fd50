"""After an erase nothing of a person can be read again: not here, not on another instance, not in an old backup (P10)."""

import io
import json
import shutil
import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import bson
import pymongo
import pytest

from tests.integration.people.stack import LIMIT, MASTER, Instance, Person, Stack, wait_until
from yunliao.adapters.vault import MasterKeyVault
from yunliao.bootstrap import Services
from yunliao.errors import Internal, StoreUnavailable, YunliaoError
from yunliao.ports import User

CANARY = ["金丝雀问题", "canaryquestion", "金丝雀回答", "canaryanswer", "canarytitle", "canarycomment"]


def live_a_little(stacked: Stack, where: Instance, person: Person) -> dict[str, Any]:
    """An account with everything an account can have: the turn."""
    stacked.relay.words = [CANARY[2], CANARY[3]]
    person.agree(where)
    turn = person.chat(where, f"{CANARY[0]} {CANARY[1]}")
    conversation = turn["conversation_id"]
    person.call(where, "PUT", f"/v1/conversations/{conversation}", {"title": CANARY[4]})
    answer = person.call(where, "GET", f"/v1/conversations/{conversation}/messages")["messages"][-1]["id"]
    person.call(where, "POST", f"/v1/messages/{answer}/feedback", {"value": "down", "comment": CANARY[5]})
    person.call(where, "POST", f"/v1/messages/{answer}/report", {"reason": CANARY[5]})
    person.call(where, "POST", "/v1/conversations", {"title": CANARY[4]})
    person.call(where, "POST", "/v1/tickets", {})
    return turn


def user_id(where: Instance, person: Person) -> str:
    return where.services.people.user_id_of(person.principal)


def stored(where: Instance, person: Person) -> User | None:
    return where.services.store.users.get(user_id(where, person))


def every_byte(url: str) -> bytes:
    """All of a database: the files of SQLite (records, log, key file), or every document of MongoDB."""
    if url.startswith("sqlite:"):
        folder = Path(url.removeprefix("sqlite:///")).parent
        return b"".join(found.read_bytes() for found in sorted(folder.iterdir()))
    with pymongo.MongoClient[dict[str, Any]](url) as client:
        database = client.get_default_database()
        names = sorted(database.list_collection_names())
        return b"".join(bson.encode(found) for name in names for found in database[name].find())


def test_everything_goes_and_the_receipt_says_so(stacked: Stack, instance: Instance) -> None:
    person, neighbour = Person("leaver"), Person("neighbour")
    turn = live_a_little(stacked, instance, person)
    live_a_little(stacked, instance, neighbour)
    kept = neighbour.export(instance)
    receipt = person.call(instance, "DELETE", "/v1/me")
    assert (receipt["what"], receipt["held"]) == ("account", True)
    assert {name: receipt["records"][name] for name in ("users", "conversations", "messages", "turns", "consents")} == {
        "users": 1,
        "conversations": 2,
        "messages": 2,
        "turns": 1,
        "consents": 1,
    }
    assert receipt["records"]["events"] >= 3
    for kind in receipt["remains"]:
        assert kind["code"] in ("backups", "audit", "logs")
        assert kind["text"] and kind["text_en"]
    again = person.call(instance, "DELETE", "/v1/me")
    assert (again["held"], again["records"]) == (False, {})
    assert person.code(instance, "GET", f"/v1/turns/{turn['id']}/events")[1] == "consent_required"
    assert person.code(instance, "GET", "/v1/me/export") == (404, "not_found")
    assert stored(instance, person) is None
    assert json.loads(neighbour.export(instance))["messages"] == json.loads(kept)["messages"]
    for given, genuine in ((receipt, True), (again, True), ({**receipt, "erased_at": 1}, False)):
        told = person.call(instance, "POST", "/v1/receipts/check", {"receipt": given})
        assert told == {"genuine": genuine}


def test_no_byte_of_an_erased_person_is_left_in_the_store(stacked: Stack, instance: Instance, store_url: str) -> None:
    person, neighbour = Person("leaver"), Person("neighbour")
    turn, other = live_a_little(stacked, instance, person), live_a_little(stacked, instance, neighbour)
    user, stays = stored(instance, person), stored(instance, neighbour)
    assert user is not None
    assert stays is not None
    half = instance.services.key_store.get(user.key_id)
    assert half is not None
    traces = [user.id, user.wrapped_key, user.sealed_openid, half.share, turn["id"], turn["conversation_id"]]
    traces += [message for message in bodies(instance, person, turn["conversation_id"])]
    before = every_byte(store_url)
    assert all(found(trace, before) for trace in traces)  # so that the search below finds what is there
    person.call(instance, "DELETE", "/v1/me")
    after = every_byte(store_url)
    for trace in (*traces, person.openid, *CANARY):
        assert not found(trace, after), trace
    for trace in (stays.id, stays.wrapped_key, other["id"], *bodies(instance, neighbour, other["conversation_id"])):
        assert found(trace, after)


def bodies(where: Instance, person: Person, conversation: str) -> list[bytes]:
    messages = where.services.store.personal.messages(
        user_id(where, person), conversation, after=(-1, ""), until=2**53, limit=99
    )
    return [blob for message in messages for blob in (message.sealed_body, message.sealed_feedback) if blob]


def found(trace: str | bytes, where: bytes) -> bool:
    return (trace.encode() if isinstance(trace, str) else trace) in where


def test_who_comes_back_is_somebody_new(stacked: Stack, instance: Instance) -> None:
    person = Person("boomerang")
    live_a_little(stacked, instance, person)
    first = stored(instance, person)
    person.call(instance, "DELETE", "/v1/me")
    assert person.call(instance, "GET", "/v1/me")["consent"]["version"] == ""
    person.agree(instance)
    second = stored(instance, person)
    assert first is not None
    assert second is not None
    assert second.id == first.id
    assert second.key_id != first.key_id
    assert person.call(instance, "GET", "/v1/conversations")["conversations"] == []
    assert opened(instance.services, second) != opened(instance.services, first)
    person.chat(instance, "又见面了")


def opened(services: Services, user: User) -> bytes:
    """The data key as far as the present data gives it away."""
    vault = MasterKeyVault(services.settings.master_keys)
    half = vault.unwrap(user.wrapped_key, context=f"user/{user.id}")
    share = services.key_store.get(user.key_id)
    assert share is not None
    return bytes(a ^ b for a, b in zip(half, share.share or bytes(32), strict=True))


def test_a_live_answer_on_another_instance_ends_and_writes_nothing(stacked: Stack, instance: Instance) -> None:
    stacked.relay.holding = True
    stacked.relay.words = ["说来话长，要从头讲起。" * 40, "讲完了。"]
    person = Person("inthemiddle").agree(instance)
    turn = person.send(instance, "说来话长")
    wait_until(lambda: len(person.call(instance, "GET", f"/v1/turns/{turn['id']}/events")["events"]) > 1, "no text")
    other = stacked.start()
    gone = stored(instance, person)
    receipt = person.call(other, "DELETE", "/v1/me")
    assert receipt["records"]["turns"] == 1
    wait_until(stacked.relay.gone.is_set, "the upstream was not closed")
    stacked.relay.release.set()
    wait_until(lambda: instance.services.engine.log_of(turn["id"]) is None, "the turn still runs")
    store = instance.services.store
    assert gone is not None
    assert store.turns.get(turn["id"]) is None
    assert store.turns.live_of(gone.id) is None
    assert store.personal.conversations(gone.id, after="", until=2**53, limit=9) == []
    assert stored(instance, person) is None
    person.agree(other)  # back at once, on an instance that may still have the old key in memory
    stacked.relay.holding = False
    again = person.chat(instance, "我又来了")
    messages = person.call(other, "GET", f"/v1/conversations/{again['conversation_id']}/messages")["messages"]
    assert [message["role"] for message in messages] == ["user", "assistant"]


def test_an_instance_that_still_holds_the_key_cannot_write_with_it(stacked: Stack, instance: Instance) -> None:
    other = stacked.start()
    person = Person("leaver").agree(instance)
    found = other.services.people.find(person.principal)
    assert found is not None
    old = found[1]  # as a socket of another instance holds it
    person.call(instance, "DELETE", "/v1/me")
    with pytest.raises(YunliaoError) as refused:
        other.services.turns.send(old, "message-1", "还能写吗")
    assert refused.value.code == "consent_required"
    with pytest.raises(YunliaoError) as refused:
        other.services.conversations.create(old, "还能写吗")
    assert refused.value.code == "consent_required"
    person.agree(instance)
    for write in (
        lambda: other.services.turns.send(old, "message-2", "还能写吗"),
        lambda: other.services.conversations.create(old, "还能写吗"),
    ):
        with pytest.raises(YunliaoError):
            write()
    assert person.call(instance, "GET", "/v1/conversations")["conversations"] == []


def test_no_key_is_used_longer_than_its_time_anywhere(stacked: Stack, instance: Instance) -> None:
    """The key of an erased person is in the memory of other instances for ten seconds at most, however busy they are."""
    person = Person("leaver").agree(instance)
    people = instance.services.people
    now = [people._clock.now_ms()]
    people._clock = type("Clock", (), {"now_ms": lambda self: now[0]})()  # type: ignore[assignment]
    assert people.find(person.principal, fresh=True)
    first = people._cache[user_id(instance, person)][0]
    for _ in range(5):
        now[0] += 1_500
        assert people.find(person.principal, fresh=True)
    assert people._cache[user_id(instance, person)][0] == first
    user = stored(instance, person)
    assert user is not None
    instance.services.key_store.destroy(user.key_id, at=1)
    now[0] = first
    assert people.find(person.principal) is None
    assert user_id(instance, person) not in people._cache


def test_an_erase_that_was_cut_short_is_finished(
    stacked: Stack, instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the key and the records the store goes away: what is left cannot be read, and goes by itself."""
    persons = [Person("first"), Person("second")]
    users = []
    for person in persons:
        live_a_little(stacked, instance, person)
        users.append(stored(instance, person))
    with monkeypatch.context() as broken:

        def away(*_: object, **__: object) -> dict[str, int]:
            raise StoreUnavailable

        broken.setattr(instance.services.store.users, "erase", away)
        for person in persons:
            assert person.code(instance, "DELETE", "/v1/me") == (503, "store_unavailable")
    assert all(instance.services.store.users.get(user.id) is not None for user in users if user)
    restarted = stacked.start()
    for person in persons:
        assert person.code(restarted, "GET", "/v1/conversations") == (403, "consent_required")
        assert person.code(restarted, "GET", "/v1/me/export") == (404, "not_found")
    persons[0].agree(restarted)  # back before the rest was gone: it goes first
    assert persons[0].call(restarted, "GET", "/v1/conversations")["conversations"] == []
    job = restarted.app.test_client().post("/jobs/expire", json={}, headers={"X-Yunliao-Secret": "a-secret-of-sixteen"})
    assert job.get_json()["erases_finished"] == 1
    assert stored(instance, persons[1]) is None
    assert instance.services.key_store.unsettled(limit=9) == []


def test_one_conversation_goes_for_good_from_the_trash_or_while_it_is_answered(
    stacked: Stack, instance: Instance
) -> None:
    person = Person("tidy")
    turn = live_a_little(stacked, instance, person)
    conversation = turn["conversation_id"]
    stays = person.chat(instance, "另一个会话")["conversation_id"]
    assert person.call(instance, "DELETE", f"/v1/conversations/{conversation}")["undo_seconds"] > 0
    receipt = person.call(instance, "DELETE", f"/v1/conversations/{conversation}?forever=true")
    assert (receipt["what"], receipt["records"]["messages"]) == ("conversation", 2)
    assert person.code(instance, "DELETE", f"/v1/conversations/{conversation}?forever=true") == (404, "not_found")
    assert person.code(instance, "POST", f"/v1/conversations/{conversation}/restore", {}) == (404, "not_found")
    assert person.code(instance, "DELETE", f"/v1/conversations/{stays}?forever=yes") == (400, "invalid_request")
    stranger = Person("stranger").agree(instance)
    assert stranger.code(instance, "DELETE", f"/v1/conversations/{stays}?forever=true") == (404, "not_found")
    stacked.relay.holding = True
    live = person.send(instance, "说来话长", conversation_id=stays)
    wait_until(lambda: stacked.relay.asked[-1]["messages"][-1]["content"] == "说来话长", "not asked")
    person.call(instance, "DELETE", f"/v1/conversations/{stays}?forever=true")
    wait_until(lambda: instance.services.engine.log_of(live["id"]) is None, "the turn still runs")
    stacked.relay.holding = False
    stacked.relay.release.set()
    assert [one["title"] for one in person.call(instance, "GET", "/v1/conversations")["conversations"]] == [CANARY[4]]
    person.chat(instance, "还在")


# --- backups ------------------------------------------------------------------------------------------------------


class Backup:
    """A copy of the records as an operator takes one, and the way to put it back."""

    def __init__(self, url: str) -> None:
        self._url = url
        if url.startswith("sqlite:"):
            self._file = Path(url.removeprefix("sqlite:///"))
            self._copy = self._file.with_suffix(".backup")
            with closing(sqlite3.connect(self._file)) as now, closing(sqlite3.connect(self._copy)) as copy:
                now.backup(copy)
            return
        with pymongo.MongoClient[dict[str, Any]](url) as client:
            database = client.get_default_database()
            # mongodump --excludeCollection=user_keys, as docs/privacy.md says where the keys are in the same database
            names = [name for name in database.list_collection_names() if name != "user_keys"]
            self._dump = {name: list(database[name].find()) for name in names}

    def restore(self) -> None:
        """The records as they were, with the keys of today."""
        if self._url.startswith("sqlite:"):
            for rest in ("-wal", "-shm"):
                self._file.with_name(self._file.name + rest).unlink(missing_ok=True)
            shutil.copyfile(self._copy, self._file)
            return
        with pymongo.MongoClient[dict[str, Any]](self._url) as client:
            database = client.get_default_database()
            for name, documents in self._dump.items():
                database[name].delete_many({})
                if documents:
                    database[name].insert_many(documents)


@pytest.mark.parametrize("comes_back", [True, False])
def test_a_backup_from_before_the_erase_cannot_be_read_with_what_is_there_after_it(
    placed: Stack, comes_back: bool
) -> None:
    url = placed.env["YUNLIAO_STORE_URL"]
    person, neighbour = Person("leaver"), Person("neighbour")
    instance = placed.start()
    turn = live_a_little(placed, instance, person)
    live_a_little(placed, instance, neighbour)
    user, other = stored(instance, person), stored(instance, neighbour)
    assert user is not None
    assert other is not None
    key, others_key = opened(instance.services, user), opened(instance.services, other)
    kept = neighbour.export(instance)
    backup = Backup(url)
    assert person.call(instance, "DELETE", "/v1/me")["held"]
    placed.stop(instance)
    backup.restore()

    services = (restored := placed.start()).services
    again = services.store.users.get(user.id)
    assert again == user  # the record is back, wrapped key and all
    sealed = services.store.personal.messages(user.id, turn["conversation_id"], after=(-1, ""), until=2**53, limit=9)
    assert len(sealed) == 2
    # Whoever has everything that is left now (backup, key store, master keys) tries every key they can make.
    vault = MasterKeyVault(services.settings.master_keys)
    half = vault.unwrap(again.wrapped_key, context=f"user/{user.id}")
    attempts = [half, opened(services, again), others_key, bytes(range(32)), bytes(32)]
    for message in sealed:
        context = f"{user.id}/{message.id}/body"
        assert CANARY[0].encode() in vault.open(key, message.sealed_body, context=context) or message.role != "user"
        for attempt in attempts:
            with pytest.raises(Internal):
                vault.open(attempt, message.sealed_body, context=context)
    with pytest.raises(Internal):
        vault.open(half, user.sealed_openid, context=f"{user.id}/user/openid")
    # By way of the service: nobody is there, and what is left of them goes.
    assert person.call(restored, "GET", "/v1/me")["consent"]["version"] == ""
    assert person.code(restored, "GET", "/v1/me/export") == (404, "not_found")
    assert person.code(restored, "GET", "/v1/conversations") == (403, "consent_required")
    if comes_back:
        person.agree(restored)
        assert person.call(restored, "GET", "/v1/conversations")["conversations"] == []
    else:  # what is left goes by the timer's job
        job = restored.app.test_client().post(
            "/jobs/expire", json={}, headers={"X-Yunliao-Secret": "a-secret-of-sixteen"}
        )
        assert job.get_json()["unreadable_removed"] == 1
        assert services.store.users.get(user.id) is None
    assert len(services.store.personal.turns(user.id, after="", until=2**53, limit=9)) == 0
    person.agree(restored)
    assert json.loads(person.export(restored))["messages"] == []
    # The neighbour lost nothing.
    assert json.loads(neighbour.export(restored))["messages"] == json.loads(kept)["messages"]


def test_a_receipt_tells_the_truth_about_backups(placed: Stack) -> None:
    instance = placed.start()
    person = Person("leaver").agree(instance)
    backups = next(one for one in person.call(instance, "DELETE", "/v1/me")["remains"] if one["code"] == "backups")
    apart = placed.env["YUNLIAO_STORE_URL"].startswith("sqlite") or "YUNLIAO_KEYS_URL" in placed.env
    assert ("the key that opens it is destroyed" in backups["text_en"]) == apart


def test_with_another_key_store_nothing_starts(placed: Stack, tmp_path: Path) -> None:
    instance = placed.start()
    person = Person("stays").agree(instance)
    placed.stop(instance)
    (tmp_path / "wrong").mkdir()
    with pytest.raises(YunliaoError, match="YUNLIAO_KEYS_URL"):
        placed.start(YUNLIAO_KEYS_URL=f"sqlite:///{tmp_path}/wrong/keys.db")
    assert person.call(placed.start(), "GET", "/v1/conversations") is not None


def test_a_user_from_before_keys_had_halves_is_given_them_when_seen(stacked: Stack, instance: Instance) -> None:
    """As the version before wrote them: the whole key under the master, no share."""
    person = Person("oldtimer").agree(instance)
    turn = person.chat(instance, "从前的问题")
    services, user = instance.services, stored(instance, person)
    assert user is not None
    vault = MasterKeyVault(services.settings.master_keys)
    whole = vault.wrap(opened(services, user), context=f"user/{user.id}")
    put_back(stacked.env["YUNLIAO_STORE_URL"], user.id, whole)
    later, twin = stacked.start(), stacked.start()
    results: list[int] = []
    together = [
        threading.Thread(target=lambda at=at: results.append(len(json.loads(person.export(at))["messages"])))
        for at in (later, twin)
    ]
    for thread in together:
        thread.start()
    for thread in together:
        thread.join(LIMIT)
    assert results == [2, 2]
    halved = stored(later, person)
    assert halved is not None
    assert halved.key_id
    assert halved.wrapped_key != whole
    assert opened(services, halved) == opened(services, user)
    person.call(later, "DELETE", "/v1/me")
    assert stored(later, person) is None
    assert later.services.store.turns.get(turn["id"]) is None


def put_back(url: str, user_id: str, wrapped: bytes) -> None:
    if url.startswith("sqlite:"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
            connection.execute("UPDATE users SET wrapped_key = ?, key_id = '' WHERE id = ?", (wrapped, user_id))
            connection.commit()
        return
    with pymongo.MongoClient[dict[str, Any]](url) as client:
        change = {"$set": {"wrapped_key": wrapped}, "$unset": {"key_id": ""}}
        client.get_default_database()["users"].update_one({"_id": user_id}, change)


def test_no_log_line_of_an_erase_says_whose_it_was(stacked: Stack, instance: Instance) -> None:
    written = instance.services.turn_log.stream = io.StringIO()
    person = Person("leaver")
    live_a_little(stacked, instance, person)
    name = user_id(instance, person)
    receipt = person.call(instance, "DELETE", "/v1/me")
    lines = written.getvalue()
    assert receipt["id"] in lines
    for trace in (person.openid, name, name[:12], *CANARY, MASTER.partition(":")[2]):
        assert trace not in lines
