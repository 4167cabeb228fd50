"""What searching by decryption in memory costs: a history of many messages, read, opened and looked through.

The word looked for stands in the oldest message alone, so that every call walks to its end: the worst case.
"""

import json
import os
import time

from storage.records import new_id
from yunliao.adapters.clock import SystemClock
from yunliao.adapters.vault import MasterKeyVault
from yunliao.bootstrap import store_at
from yunliao.domain.principal import Principal
from yunliao.domain.turn import Ending, Turn
from yunliao.ports import AcceptLimits, Conversation, Draft, EventRow, Message, TurnWrite, User
from yunliao.ports_records import RecordStore
from yunliao.services.people import Owner
from yunliao.services.search import Search

PER_CONVERSATION = 20
"""Turns of a conversation."""
QUESTION = "请帮我把下面这段话改得更自然一些，并说明你改了哪里、为什么这样改：今天的会议讨论了三个议题。"
ANSWER = "好的，下面是修改后的版本，以及逐句的说明。这样的表达更贴近口语，也更容易让读者抓住重点。" * 9
LIMITS = AcceptLimits(rate=10**6, window_ms=1)
ROUNDS = 5


def measure(url: str, *, messages: int) -> str:
    """One row of the table in docs/search.md."""
    store = store_at(url)
    store.migrate()
    owner = Owner("u1", Principal(openid="", appid=""), os.urandom(32), MasterKeyVault([("k", os.urandom(32))]))
    store.users.create(User(id="u1", wrapped_key=b"k", sealed_openid=b"o", created_at=1))
    fill(store, owner, messages // 2)
    search = Search(conversations=store.conversations, history=store.history, clock=SystemClock(), ai_label="AI 生成")
    rounds = [one_search(search, owner, messages) for _ in range(ROUNDS)]
    seconds, processor, calls = sorted(rounds)[ROUNDS // 2]
    store.close()
    name, rate = url.partition(":")[0], messages / seconds
    return f"| {name} | {messages:,} | {seconds * 1000:.0f} | {processor * 1000:.0f} | {calls} | {rate:,.0f} |"


def one_search(search: Search, owner: Owner, messages: int) -> tuple[float, float, int]:
    """Seconds, seconds of the processor, and calls of one whole search."""
    began, worked, calls, searched, after, hits = time.perf_counter(), time.process_time(), 0, 0, None, 0
    while True:
        page = search.find(owner, "needle-最旧", after, 20)
        calls, searched, hits, after = calls + 1, searched + page.searched, hits + len(page.results), page.next
        if after is None:
            break
    assert hits == 1 and searched >= messages, (hits, searched)
    return time.perf_counter() - began, time.process_time() - worked, calls


def fill(store: RecordStore, owner: Owner, turns: int) -> None:
    """A history as the service writes it."""
    conversation = ""
    for number in range(turns):
        fresh = None
        if number % PER_CONVERSATION == 0:
            conversation = new_id("conv")
            fresh = Conversation(id=conversation, user_id="u1", created_at=number, last_activity_at=number)
        turn = Turn(
            id=new_id("turn"),
            user_id="u1",
            conversation_id=conversation,
            client_id=f"client{number}",
            fingerprint=b"f",
            user_message_id=new_id("msg"),
            answer_message_id=new_id("msg"),
            owner="me",
            lease_until=10**15,
            last_seq=1,
            created_at=number * 10,
        )
        words = QUESTION + (" Needle-最旧" if number == 0 else "")
        message = Message(
            id=turn.user_message_id,
            user_id="u1",
            conversation_id=conversation,
            turn_id=turn.id,
            role="user",
            sealed_body=owner.seal(turn.user_message_id, "body", json.dumps({"text": words}).encode()),
            created_at=turn.created_at,
        )
        store.turns.accept(Draft(turn=turn, message=message, new_conversation=fresh, accepted_event=b"e"), LIMITS)
        answer = owner.seal(turn.answer_message_id, "body", json.dumps({"text": ANSWER}).encode())
        how = Ending(reason="complete", answer=answer, ended_at=turn.created_at + 5)
        last = TurnWrite(turn_id=turn.id, rows=(EventRow(seq=2, body=b"e", created_at=1),), ending=how)
        store.turns.commit([last], owner="me", lease_until=10**15)
        if fresh:
            title = owner.seal(conversation, "title", f"对话 {number}".encode())
            store.conversations.set_title("u1", conversation, title, titled="auto")
