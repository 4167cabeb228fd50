"""Search finds every word of one's own history and nothing else: no stranger's, no blocked, hidden or deleted text."""

import json

import pytest
from msgspec.structs import replace

from tests.contract.records import LIMITS, draft, ending, last
from tests.fakes.clock import FakeClock
from tests.fakes.memory_store import MemoryStore
from yunliao.adapters.vault import MasterKeyVault
from yunliao.domain.events import EndReason
from yunliao.domain.principal import Principal
from yunliao.errors import InvalidRequest, QueueFull
from yunliao.services.people import Owner
from yunliao.services.search import PAGE, Search

VAULT = MasterKeyVault([("k", bytes(range(32)))])
LABEL = "AI 生成"


class History:
    """A user's sealed history and its search."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.clock = FakeClock()
        self.search = Search(
            conversations=self.store.conversations, history=self.store.history, clock=self.clock, ai_label=LABEL
        )
        self.me = Owner("u1", Principal(openid="o", appid="a"), b"k" * 32, VAULT)
        self.at = 1_000

    def asked(
        self,
        question: str,
        answer: str = "",
        *,
        owner: Owner | None = None,
        title: str = "",
        reason: EndReason = "complete",
        conversation: str = "",
        hide_from: str = "",
    ) -> str:
        """A whole turn; the id of its conversation."""
        owner, self.at = owner or self.me, self.at + 100
        sent = draft(owner.user_id, at=self.at, conversation=conversation, hide_from=hide_from)
        assert sent.message is not None
        body = owner.seal(sent.message.id, "body", json.dumps({"text": question}).encode())
        sent = replace(sent, message=replace(sent.message, sealed_body=body))
        assert self.store.turns.accept(sent, LIMITS).status == "accepted"
        sealed = owner.seal(sent.turn.answer_message_id, "body", json.dumps({"text": answer}).encode())
        how = replace(ending(reason, at=self.at + 10), answer=sealed)
        self.store.turns.commit([last(sent.turn, 2, how)], owner="me", lease_until=9)
        if title:
            sealed = owner.seal(sent.turn.conversation_id, "title", title.encode())
            self.store.conversations.set_title(owner.user_id, sent.turn.conversation_id, sealed)
        return sent.turn.conversation_id

    def find(self, query: str, after: str | None = None, limit: int = 50):  # type: ignore[no-untyped-def]
        return self.search.find(self.me, query, after, limit)

    def found(self, query: str) -> list[tuple[str, str]]:
        return [(hit.kind, hit.excerpt) for hit in self.find(query).results]


@pytest.fixture
def history() -> History:
    return History()


def test_titles_questions_and_answers_are_found_newest_first(history: History) -> None:
    history.asked("怎么做红烧肉", "先焯水再小火慢炖。", title="周末菜谱")
    history.asked("红烧肉要多久", "约一个半小时。", title="红烧肉")
    assert history.found("红烧肉") == [("title", "红烧肉"), ("question", "红烧肉要多久"), ("question", "怎么做红烧肉")]
    [hit] = history.find("慢炖").results
    assert (hit.kind, hit.title, hit.label) == ("answer", "周末菜谱", LABEL)
    assert hit.message_id and hit.conversation_id


def test_only_what_the_ai_said_carries_its_label(history: History) -> None:
    history.asked("canary", "canary", title="canary")
    assert [(hit.kind, hit.label) for hit in history.find("canary").results] == [
        ("title", None),
        ("answer", LABEL),
        ("question", None),
    ]


@pytest.mark.parametrize("query", ["hello WORLD", "ｈｅｌｌｏ", "world hello", "ORLD"])
def test_letters_are_found_however_they_are_written(history: History, query: str) -> None:
    history.asked("Say Hello, world")
    assert len(history.find(query).results) == 1


def test_every_word_must_be_there(history: History) -> None:
    history.asked("Say Hello, world")
    assert history.found("hello moon") == []


def test_nothing_blocked_hidden_deleted_or_of_others_is_found(history: History) -> None:
    stranger = Owner("u2", Principal(openid="x", appid="a"), b"x" * 32, VAULT)
    history.asked("canary of a stranger", "canary", owner=stranger, title="canary")
    history.asked("canary blocked", "canary", reason="blocked")
    edited = history.asked("canary before the edit", "canary")
    first = history.store.conversations.messages("u1", edited, before=None, limit=9)[-1]
    history.asked("edited", "ok", conversation=edited, hide_from=first.id)
    deleted = history.asked("canary deleted", "canary", title="canary gone")
    history.store.conversations.delete("u1", deleted, at=5)
    assert history.found("canary") == []
    history.store.conversations.restore("u1", deleted, deleted_after=4)
    assert len(history.find("canary").results) == 3


def test_pages_together_hold_everything_once(history: History) -> None:
    for number in range(PAGE + 30):
        history.asked(f"needle {number}", "needle" if number % 2 else "hay")
    seen, after = [], None
    while True:
        page = history.find("needle", after, 7)
        assert len(page.results) <= 7
        seen += [hit.message_id for hit in page.results]
        after = page.next
        if after is None:
            break
    assert len(seen) == len(set(seen)) == PAGE + 30 + (PAGE + 30) // 2


def test_when_the_time_is_over_there_is_a_cursor_to_go_on_from(history: History) -> None:
    for number in range(300):
        history.asked(f"hay {number}", "hay")
    history.asked("needle")
    for number in range(300):
        history.asked(f"hay {number}", "hay")
    reading = history.clock.monotonic
    history.clock.monotonic = lambda: (history.clock.advance(0.01), reading())[1]  # type: ignore[method-assign]
    calls, found, after = 0, [], None
    while True:
        page = history.find("needle", after)
        calls += 1
        assert page.searched <= 200
        found += page.results
        after = page.next
        if after is None:
            break
    assert len(found) == 1
    assert calls > 5


def test_a_long_text_is_cut_around_the_word(history: History) -> None:
    history.asked("前" * 500 + "needle\n\n" + "后" * 500)
    [(_, excerpt)] = history.found("NEEDLE")
    assert excerpt.startswith("…前") and "needle 后" in excerpt and excerpt.endswith("后…")
    assert len(excerpt) < 140


@pytest.mark.parametrize("query", ["", "   ", "a b c d e f", "x" * 101])
def test_a_query_that_is_none_is_refused(history: History, query: str) -> None:
    with pytest.raises(InvalidRequest):
        history.find(query)


@pytest.mark.parametrize("cursor", ["x", "eDp5Og==", "bTp4Og==", "é"])
def test_a_foreign_cursor_is_refused(history: History, cursor: str) -> None:
    with pytest.raises(InvalidRequest):
        history.find("q", cursor)


def test_too_many_at_once_are_told_to_wait_and_places_come_back(history: History) -> None:
    for _ in range(4):
        history.search._places.acquire()
    with pytest.raises(QueueFull):
        history.find("q")
    history.search._places.release()
    history.find("q")
    history.find("q")
