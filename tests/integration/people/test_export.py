"""Everything held about a person comes out, once, labelled, in answers the platform carries (P4, P12)."""

import json
import re
from typing import Any

import msgspec
import pytest

from tests.integration.people.stack import Instance, Person, Stack, wait_until
from yunliao.adapters.store.mongo.records import document
from yunliao.adapters.store.mongo.store import MongoStore
from yunliao.adapters.store.sqlite.records import insert
from yunliao.adapters.store.sqlite.store import SqliteStore
from yunliao.domain.ledger.granting import Movement
from yunliao.domain.turn import MessageBody, Turn
from yunliao.ports import Conversation, Message
from yunliao.services.export import Export, Producer
from yunliao.services.people import Owner

LABEL = "AI 生成"
MOST = 1_000 * 1024
"""Bytes of one answer (platform.md §1.3)."""


def found_of(where: Instance, person: Person) -> tuple[Any, Owner]:
    found = where.services.people.find(person.principal, fresh=True)
    assert found is not None
    return found


def titled(person: Person, where: Instance, turn: dict[str, Any]) -> None:
    """Until the conversation has the title that comes a moment after its first answer."""
    path = f"/v1/conversations/{turn['conversation_id']}"
    wait_until(lambda: person.call(where, "GET", path)["conversation"]["title"], "no title")


def test_the_file_holds_everything_once(stacked: Stack, instance: Instance) -> None:
    stacked.relay.reasoning = "想一想。"
    person = Person("reader").agree(instance, overseas=False).agree(instance, overseas=True)
    turn = person.chat(instance, "第一个问题")
    conversation = turn["conversation_id"]
    person.call(instance, "PUT", f"/v1/conversations/{conversation}", {"title": "我的\n标题"})
    answer = person.call(instance, "GET", f"/v1/conversations/{conversation}/messages")["messages"][-1]
    said = {"value": "down", "reasons": ["不准确"], "comment": "不对"}
    person.call(instance, "POST", f"/v1/messages/{answer['id']}/feedback", said)
    person.call(instance, "POST", f"/v1/messages/{answer['id']}/report", {"reason": "有害", "comment": "请看"})
    again = person.call(instance, "POST", f"/v1/turns/{turn['id']}/regenerate", {"client_id": "message-2"})["turn"]
    person.end(instance, again["id"])
    person.chat(instance, "违禁演示内容")
    gone = person.chat(instance, "删掉的会话")["conversation_id"]
    person.call(instance, "DELETE", f"/v1/conversations/{gone}")
    Person("stranger").agree(instance).chat(instance, "别人的话")

    text = person.export(instance)
    file = json.loads(text)
    assert set(file) == {
        *("AIGC", "note", "label", "format", "service", "account", "consents"),
        *("conversations", "messages", "turns", "credits", "moderation"),
    }
    assert set(file["AIGC"]) == {
        *("Label", "ContentProducer", "ProduceID", "ReservedCode1"),
        *("ContentPropagator", "PropagateID", "ReservedCode2"),
    }
    assert file["AIGC"]["Label"] == "1"
    assert file["AIGC"]["ContentProducer"] == "云聊"
    assert file["label"] == LABEL
    assert file["account"]["wechat_openid"] == person.openid
    assert [one["overseas"] for one in file["consents"]] == [False, True]
    assert "我的 标题" in [one["title"] for one in file["conversations"]]
    assert [one["id"] for one in file["conversations"] if one.get("deleted_at")] == [gone]
    assert len(file["conversations"]) == 3
    assert len(file["turns"]) == 4
    assert [one["what"] for one in file["moderation"]] == ["report", "verdict"]
    messages = file["messages"]
    assert [one["text"] for one in messages if one["role"] == "user"] == ["第一个问题", None, "删掉的会话"]
    answers = [one for one in messages if one["role"] == "assistant"]
    assert [one.get("replaced", False) for one in answers[:2]] == [True, False]
    assert answers[0]["feedback"] == {**said, "reported": "有害", "report_comment": "请看"}
    assert answers[0]["usage"] == {"input_tokens": 11, "output_tokens": 7, "estimated": False} | answers[0]["usage"]
    assert answers[0]["reasoning"] == "想一想。"
    for one in answers:
        assert one["label"] == LABEL
    blocked = [one for one in messages if one.get("state") == "blocked"]
    assert {one["role"] for one in blocked} == {"user", "assistant"}
    assert all(one["text"] is None for one in blocked)
    for words in ("违禁演示", "别人的话"):
        assert words not in text


def test_the_markdown_is_readable_and_labelled(stacked: Stack, instance: Instance) -> None:
    person = Person("reader").agree(instance)
    stacked.relay.words = ["第一行\n\n", "第二行。"]
    person.chat(instance, "一个问题")
    person.chat(instance, "违禁演示内容")
    text = person.export(instance, "markdown")
    front = re.match(r"---\nAIGC: (\{.*\})\nformat: yunliao-export/1\n---\n", text)
    assert front
    assert json.loads(front[1])["Label"] == "1"
    assert text.count("第一行\n\n第二行。\n\n> AI 生成\n") == 1
    assert re.search(r"### AI（AI 生成） · \d{4}-\d\d-\d\d", text)
    assert "### 我 Me" in text
    assert "一个问题" in text
    assert "违禁演示" not in text
    assert "未通过内容安全检查" in text
    assert text.rstrip().endswith("> AI 生成")


def test_an_empty_account_and_one_chat_are_whole_files_too(instance: Instance) -> None:
    person = Person("reader").agree(instance)
    file = json.loads(person.export(instance))
    assert (file["conversations"], file["messages"], file["turns"]) == ([], [], [])
    assert "# 云聊" in person.export(instance, "markdown")


def test_what_comes_while_it_is_read_is_in_no_part(
    stacked: Stack, instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("yunliao.services.export.PART_BYTES", 1)  # a record a part
    person = Person("reader").agree(instance)
    first = person.chat(instance, "第一个问题")
    for number in range(3):
        person.chat(instance, f"问题 {number}", conversation_id=first["conversation_id"])
    before = person.call(instance, "GET", f"/v1/conversations/{first['conversation_id']}/messages")["messages"]
    contents = []
    for number, part in enumerate(person.parts(instance)):
        contents.append(part["content"])
        if number in (1, 4, 7):
            person.chat(instance, f"后来的 {number}", conversation_id=first["conversation_id"])
            person.chat(instance, f"后来的会话 {number}")
    assert len(contents) > 12
    file = json.loads("".join(contents))
    assert [one["id"] for one in file["messages"]] == [one["id"] for one in before]
    assert len(file["turns"]) == 4
    assert len(file["conversations"]) == 1
    assert "后来的" not in "".join(contents)


def test_a_live_answer_is_left_out_whole(stacked: Stack, instance: Instance) -> None:
    person = Person("reader").agree(instance)
    person.chat(instance, "说完了的")
    stacked.relay.holding = True
    live = person.send(instance, "正在说的")
    wait_until(lambda: len(stacked.relay.asked) == 2, "not asked")
    parts = person.parts(instance)
    first = next(parts)
    stacked.relay.release.set()
    person.end(instance, live["id"])
    file = json.loads(first["content"] + "".join(part["content"] for part in parts))
    assert [one["text"] for one in file["messages"] if one["role"] == "user"] == ["说完了的"]
    assert len(file["turns"]) == 1


def test_a_part_asked_for_again_is_the_same(instance: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("yunliao.services.export.PART_BYTES", 1)
    person = Person("reader").agree(instance)
    titled(person, instance, person.chat(instance, "一个问题"))
    first = person.call(instance, "GET", "/v1/me/export")
    path = f"/v1/me/export?cursor={first['next']}"
    once, twice = person.call(instance, "GET", path), person.call(instance, "GET", path)
    assert once["content"] == twice["content"]
    assert once["part"] == twice["part"] == 2
    stranger = Person("stranger").agree(instance)
    bad = ["x", "AAAA", first["next"][:-4], first["next"][::-1]]
    for who, where in ((stranger, path), (person, path + "&format=markdown")):
        assert who.code(instance, "GET", where) == (400, "invalid_request")
    for cursor in bad:
        assert person.code(instance, "GET", f"/v1/me/export?cursor={cursor}") == (400, "invalid_request")
    assert person.code(instance, "GET", "/v1/me/export?format=pdf") == (400, "invalid_request")


def test_a_cursor_is_good_for_a_day(instance: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("yunliao.services.export.PART_BYTES", 1)
    person = Person("reader").agree(instance)
    cursor = person.call(instance, "GET", "/v1/me/export")["next"]
    monkeypatch.setattr("yunliao.services.export.CURSOR_MS", -1)
    assert person.code(instance, "GET", f"/v1/me/export?cursor={cursor}") == (400, "invalid_request")


def test_the_same_file_streams_whole(stacked: Stack, instance: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("yunliao.services.export.PART_BYTES", 500)
    person = Person("reader").agree(instance)
    for number in range(3):
        titled(person, instance, person.chat(instance, f"问题 {number}"))
    for form, mime, suffix in (("json", "application/json", "json"), ("markdown", "text/markdown", "md")):
        answer = person.ask(instance, "GET", f"/v1/me/export/file?format={form}")
        assert answer.content_type == f"{mime}; charset=utf-8"
        assert re.fullmatch(
            rf'attachment; filename="yunliao-export-\d{{8}}-\d{{6}}\.{suffix}"', answer.headers["Content-Disposition"]
        )
        streamed, joined = answer.get_data(as_text=True), person.export(instance, form)
        assert re.sub(r"export_\w+", "", streamed) == re.sub(r"export_\w+", "", joined)


# --- size ---------------------------------------------------------------------------------------------------------


def fill(where: Instance, person: Person, bodies: list[list[MessageBody]]) -> list[str]:
    """Conversations of these messages, questions and answers in turn, straight into the store: ids of the messages."""
    user, owner = found_of(where, person)
    conversations, messages, turns = [], [], []
    at = user.created_at - 1_000_000
    for number, said in enumerate(bodies):
        conversation = f"conv_{number:05d}"
        conversations.append(
            Conversation(id=conversation, user_id=user.id, created_at=at + number, last_activity_at=at + number)
        )
        for place, body in enumerate(said):
            at += place % 3 == 0  # several of one moment
            name, turn = f"msg_{number:05d}_{place:05d}", f"turn_{number:05d}_{place // 2:05d}"
            messages.append(
                Message(
                    id=name,
                    user_id=user.id,
                    conversation_id=conversation,
                    turn_id=turn,
                    role="user" if place % 2 == 0 else "assistant",
                    sealed_body=owner.seal(name, "body", msgspec.json.encode(body)),
                    created_at=at,
                )
            )
            if place % 2 == 0:
                turns.append(
                    Turn(
                        id=turn,
                        user_id=user.id,
                        conversation_id=conversation,
                        client_id=turn,
                        fingerprint=b"f",
                        state="ended",
                        created_at=at,
                        ended_at=at,
                    )
                )
    tables = {"conversations": conversations, "messages": messages, "turns": turns}
    store = where.services.store
    if isinstance(store, SqliteStore):
        with store._database.write() as connection:
            for table, records in tables.items():
                for record in records:
                    insert(connection, table, record)  # type: ignore[type-var]
    else:
        assert isinstance(store, MongoStore)
        for table, records in tables.items():
            store._database[table].insert_many([document(record) for record in records])  # type: ignore[arg-type]
    return [message.id for message in messages]


def test_ten_thousand_messages_in_answers_of_less_than_a_megabyte(instance: Instance) -> None:
    person = Person("talker").agree(instance)
    body = MessageBody(text='这是一条普通长度的消息，有引号"和换行\n。' * 8)
    ids = fill(instance, person, [[body] * 50 for _ in range(200)])
    contents, records = [], 0
    cursor = ""
    while True:
        answer = person.ask(instance, "GET", "/v1/me/export" + (f"?cursor={cursor}" if cursor else ""))
        assert len(answer.data) < MOST
        part = answer.get_json()
        contents.append(part["content"])
        records += part["records"]
        if part["next"] is None:
            break
        cursor = part["next"]
    file = json.loads("".join(contents))
    assert [one["id"] for one in file["messages"]] == ids
    assert len(file["conversations"]) == 200
    assert len(file["turns"]) == 5_000
    assert records == 10_000 + 200 + 5_000
    markdown = person.export(instance, "markdown")
    assert markdown.count("\n### ") == 10_000
    assert markdown.count(f"\n> {LABEL}\n") == 5_000 + 1
    # And all of it goes, more than one transaction has time for.
    records = person.call(instance, "DELETE", "/v1/me")["records"]
    assert (records["messages"], records["turns"], records["conversations"]) == (10_000, 5_000, 200)


@pytest.mark.parametrize("form", ["json", "markdown"])
def test_one_message_larger_than_an_answer_is_cut_and_joined(instance: Instance, form: str) -> None:
    """Longer than any model writes today, and of characters that JSON writes longest."""
    person = Person("talker").agree(instance)
    long = MessageBody(text='\x01"\\' * 60_000 + "字" * 200_000, reasoning="思" * 150_000)
    fill(instance, person, [[MessageBody(text="写长一点"), long, MessageBody(text="好"), long]])
    contents = []
    for part in person.parts(instance, form):
        assert len(msgspec.json.encode(part)) < MOST
        contents.append(part["content"])
    assert len(contents) > 4
    text = "".join(contents)
    if form == "json":
        assert [one["text"] for one in json.loads(text)["messages"]] == ["写长一点", long.text, "好", long.text]
    else:
        assert text.count(long.text) == 2
        assert text.count("\n### ") == 4


def test_what_changes_while_it_is_cut_is_told(stacked: Stack, instance: Instance) -> None:
    person = Person("talker").agree(instance)
    ids = fill(instance, person, [[MessageBody(text="写长一点"), MessageBody(text="字" * 300_000)]])
    first = person.call(instance, "GET", "/v1/me/export")
    person.call(instance, "POST", f"/v1/messages/{ids[1]}/feedback", {"value": "up", "comment": "很好"})
    assert person.code(instance, "GET", f"/v1/me/export?cursor={first['next']}") == (400, "invalid_request")


class Ledger:
    """What another room adds."""

    name, title = "credits", "点数 Credits"

    def records(self, owner: Owner, *, after: str, until: int, limit: int) -> list[tuple[str, dict[str, Any]]]:
        entries = [(f"e{number:03d}", {"at": number, "amount": -number}) for number in range(250)]
        return [(key, entry) for key, entry in entries if key > after][:limit]


def test_another_room_joins_with_a_list_of_its_own(instance: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    person = Person("payer").agree(instance)
    person.chat(instance, "一个问题")
    services = instance.services
    monkeypatch.setattr("yunliao.services.export.PART_BYTES", 700)
    export = Export(
        personal=services.store.personal,
        turns=services.store.turns,
        clock=services.people._clock,
        ids=services.turns._ids,
        producer=Producer(LABEL, "某某公司", "云聊"),
        sections=(Ledger(),),
    )
    user, owner = found_of(instance, person)
    file = json.loads("".join(part.content for part in export.whole(user, owner, "json")))
    assert [one["at"] for one in file["credits"]] == list(range(250))
    assert file["AIGC"]["ContentProducer"] == "某某公司"
    text = "".join(part.content for part in export.whole(user, owner, "markdown"))
    assert text.count("## 点数 Credits") == 1
    assert text.count("amount -") == 249


def test_credits_are_in_the_file_by_number(instance: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("yunliao.services.export.PART_BYTES", 1_000)
    person = Person("payer").agree(instance)
    user, _ = found_of(instance, person)
    for number in range(1, 151):
        movement = Movement(kind="grant", reference=f"gift-{number}", amount=number, at=number, note="礼物")
        assert instance.services.store.ledger.move(user.id, movement).status == "posted"
    entries = json.loads(person.export(instance))["credits"]
    assert [one["number"] for one in entries] == list(range(1, 151))
    assert [one["change"] for one in entries] == list(range(1, 151))
    assert entries[0]["note"] == "礼物"
    assert person.export(instance, "markdown").count("gift-") == 150
