"""msg_sec_check v2 over a real connection: every code, every kind of trouble, and never a pass without a decision."""

import logging
import threading
from collections.abc import Iterator

import pytest

from tests.fakes.clock import FakeClock
from tests.fakes.memory_store import MemoryStore
from tests.fakes.wechat_server import FakeApi, Reply, running, verdict
from yunliao.adapters.wechat.api import WechatApi
from yunliao.adapters.wechat.errcodes import TABLE, Handling
from yunliao.adapters.wechat.moderation import OUTCOMES, PAUSES, WechatModerator
from yunliao.domain.principal import Principal
from yunliao.domain.quota import next_midnight
from yunliao.errors import ModerationRevisit, ModerationUnavailable
from yunliao.services.governor import SharedGovernor

TEXT = "要检查的话 canary-words"
OPENID = "o-canary-openid-000000000001"
CALLER = Principal(openid=OPENID, appid="wx1")
SHARED = Principal(openid=OPENID, appid="wx&2", shared=True)


@pytest.fixture
def server() -> Iterator[FakeApi]:
    with running() as api:
        yield api


class Bench:
    def __init__(self, url: str, **limits: float) -> None:
        self.clock = FakeClock()
        self.seen: list[tuple[str, str]] = []
        self.governor = SharedGovernor(MemoryStore().registers, self.clock)
        self.api = WechatApi(url, **limits)
        self.moderator = WechatModerator(self.api, self.governor, self.clock, self._observe)

    def _observe(self, layer: str, outcome: str, seconds: float) -> None:
        assert outcome in OUTCOMES and seconds >= 0
        self.seen.append((layer, outcome))


@pytest.fixture
def bench(server: FakeApi) -> Iterator[Bench]:
    bench = Bench(server.url)
    yield bench
    bench.api.close()


def test_the_question_is_asked_as_documented(server: FakeApi, bench: Bench) -> None:
    server.replies = [Reply(verdict())]
    answer = bench.moderator.check(TEXT, CALLER)
    assert not answer.blocks and (answer.layer, answer.label, answer.trace_id) == ("wechat", 100, "trace-1")
    (asked,) = server.asked
    assert asked.path == "/wxa/msg_sec_check"
    assert asked.json == {"content": TEXT, "version": 2, "scene": 2, "openid": OPENID}
    assert "要检查的话".encode() in asked.body and b"\\u" not in asked.body
    assert asked.headers["content-type"].startswith("application/json")
    assert bench.seen == [("wechat", "pass")]


def test_a_shared_caller_is_asked_about_in_its_own_name(server: FakeApi, bench: Bench) -> None:
    server.replies = [Reply(verdict())]
    bench.moderator.check(TEXT, SHARED)
    assert server.asked[0].path == "/wxa/msg_sec_check?from_appid=wx%262"


def test_connections_are_kept(server: FakeApi, bench: Bench) -> None:
    server.replies = [Reply(verdict())]
    for _ in range(5):
        bench.moderator.check(TEXT, CALLER)
    assert len({asked.connection for asked in server.asked}) == 1


@pytest.mark.parametrize(("suggest", "label"), [("risky", 20006), ("review", 20002)])
def test_the_result_decides(server: FakeApi, bench: Bench, suggest: str, label: int) -> None:
    server.replies = [Reply(verdict(suggest, label))]
    answer = bench.moderator.check(TEXT, CALLER)
    assert answer.blocks and (answer.suggest, answer.label) == (suggest, label)
    assert bench.seen == [("wechat", suggest)]


def test_details_decide_nothing_and_lend_their_label_only_with_errcode_0(server: FakeApi, bench: Bench) -> None:
    risky = {"strategy": "keyword", "suggest": "risky", "label": 20006}
    server.replies = [
        Reply(verdict(detail=[risky | {"errcode": 0}])),
        Reply(verdict("risky", 100, detail=[risky | {"errcode": -1, "label": 20001}, risky | {"errcode": 0}])),
        Reply(verdict("risky", 100, detail="nonsense")),
    ]
    answers = [bench.moderator.check(TEXT, CALLER) for _ in range(3)]
    assert [(answer.suggest, answer.label) for answer in answers] == [("pass", 100), ("risky", 20006), ("risky", 21000)]


EXPECTED = {
    Handling.RETRY: "busy",
    Handling.BACKOFF: "too_fast",
    Handling.STOP: "day_spent",
    Handling.REFUSED: "refused",
    Handling.OPERATOR: "operator",
    Handling.BUG: "fault",
}


@pytest.mark.parametrize("code", [row.code for row in TABLE if row.handling in EXPECTED] + [99999])
def test_every_code_without_a_decision_fails_closed(
    server: FakeApi, bench: Bench, code: int, caplog: pytest.LogCaptureFixture
) -> None:
    server.replies = [Reply({"errcode": code, "errmsg": f"{OPENID} {TEXT}", "trace_id": "t"})]
    with pytest.raises(ModerationUnavailable) as failed:
        bench.moderator.check(TEXT, CALLER)
    handling = next((row.handling for row in TABLE if row.code == code), Handling.OPERATOR)
    assert str(code) in failed.value.detail
    assert bench.seen == [("wechat", EXPECTED[handling])]
    calls = {Handling.RETRY: 2, Handling.BACKOFF: 1 + len(PAUSES)}.get(handling, 1)
    assert len(server.asked) == calls
    assert str(code) in caplog.text and OPENID not in caplog.text and "canary" not in caplog.text
    assert "canary" not in failed.value.detail and OPENID not in failed.value.detail


def test_busy_is_tried_again_once(server: FakeApi, bench: Bench) -> None:
    server.replies = [Reply({"errcode": -1, "errmsg": "system error"}), Reply(verdict("risky", 20001))]
    assert bench.moderator.check(TEXT, CALLER).blocks
    assert len(server.asked) == 2


def test_not_seen_for_two_hours_asks_the_user_to_re_enter(server: FakeApi, bench: Bench) -> None:
    server.replies = [Reply({"errcode": 61010, "errmsg": "user has not visited"})]
    with pytest.raises(ModerationRevisit):
        bench.moderator.check(TEXT, CALLER)
    assert bench.seen == [("wechat", "revisit")] and len(server.asked) == 1


def test_the_old_code_for_risky_content_blocks(server: FakeApi, bench: Bench) -> None:
    server.replies = [Reply({"errcode": 87014, "errmsg": "risky content"})]
    assert bench.moderator.check(TEXT, CALLER).suggest == "risky"


def test_a_full_minute_is_waited_for_and_widens_windows(server: FakeApi, bench: Bench) -> None:
    assert bench.moderator.pressure == 0.0
    server.replies = [Reply({"errcode": 44991, "errmsg": "minute"})] * 2 + [Reply(verdict())]
    assert not bench.moderator.check(TEXT, CALLER).blocks
    assert bench.clock.slept == list(PAUSES[:2]) and bench.moderator.pressure == 1.0
    bench.clock.advance(61)
    assert bench.moderator.pressure == 0.0


def test_a_spent_day_stops_all_calls_until_midnight_in_china(
    server: FakeApi, bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    server.replies = [Reply({"errcode": 45009, "errmsg": "day"}), Reply(verdict())]
    for _ in range(3):
        with pytest.raises(ModerationUnavailable):
            bench.moderator.check(TEXT, CALLER)
    assert len(server.asked) == 1
    alarms = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert len(alarms) == 1 and "45009" in alarms[0].getMessage()
    bench.clock.advance((next_midnight(bench.clock.now_ms()) - bench.clock.now_ms()) / 1000)
    assert not bench.moderator.check(TEXT, CALLER).blocks


def test_without_the_sidecar_there_is_no_verdict(server: FakeApi, bench: Bench) -> None:
    server.replies = [Reply(verdict(), sidecar=False)]
    with pytest.raises(ModerationUnavailable, match="open interface service"):
        bench.moderator.check(TEXT, CALLER)
    assert bench.seen == [("wechat", "no_sidecar")] and len(server.asked) == 1


def test_502_names_the_permission_list(server: FakeApi, bench: Bench) -> None:
    server.replies = [Reply({}, status=502, sidecar=False)]
    with pytest.raises(ModerationUnavailable, match="permission list"):
        bench.moderator.check(TEXT, CALLER)
    assert bench.seen == [("wechat", "operator")]


@pytest.mark.parametrize(
    "reply",
    [
        Reply(raw=b""),
        Reply(raw=b"<html>"),
        Reply(raw=b"\xff\xfe"),
        Reply(raw=b"[" * 100_000),
        Reply([]),
        Reply({}),
        Reply({"errcode": "0", "result": {"suggest": "pass", "label": 100}}),
        Reply({"errcode": False, "result": {"suggest": "pass", "label": 100}}),
        Reply({"errcode": 0}),
        Reply({"errcode": 0, "result": None}),
        Reply({"errcode": 0, "result": {"label": 100}}),
        Reply({"errcode": 0, "result": {"suggest": "PASS", "label": 100}}),
        Reply({"errcode": 0, "result": {"suggest": ["pass"], "label": 100}}),
        Reply({"errcode": 0, "errmsg": "x" * 300_000, "result": {"suggest": "pass", "label": 100}}),
        Reply(verdict(), status=500),
        Reply(verdict(), status=404),
        Reply(cut=True),
    ],
)
def test_a_garbled_answer_is_no_pass(server: FakeApi, bench: Bench, reply: Reply) -> None:
    server.replies = [reply]
    with pytest.raises(ModerationUnavailable):
        bench.moderator.check(TEXT, CALLER)
    assert bench.seen[0][1] in ("garbled", "http", "unreachable") and len(server.asked) <= 2


def test_a_broken_connection_is_tried_again_once(server: FakeApi, bench: Bench) -> None:
    server.replies = [Reply(cut=True), Reply(verdict())]
    assert not bench.moderator.check(TEXT, CALLER).blocks


def test_silence_ends_in_a_refusal(server: FakeApi) -> None:
    bench, enough = Bench(server.url, read_seconds=0.2), threading.Event()
    server.replies = [Reply(silent=enough)]
    try:
        with pytest.raises(ModerationUnavailable):
            bench.moderator.check(TEXT, CALLER)
    finally:
        enough.set()
        bench.api.close()
    assert bench.seen == [("wechat", "timeout")]


def test_nobody_listening_ends_in_a_refusal() -> None:
    with running() as gone:
        url = gone.url
    bench = Bench(url)
    with pytest.raises(ModerationUnavailable, match="YUNLIAO_WECHAT_API_URL"):
        bench.moderator.check(TEXT, CALLER)
    assert bench.seen == [("wechat", "unreachable")]


def test_a_text_that_cannot_be_sent_is_no_pass(server: FakeApi, bench: Bench) -> None:
    for text in ("", "坏\ud800字"):
        with pytest.raises(ModerationUnavailable):
            bench.moderator.check(text, CALLER)
    assert server.asked == []
