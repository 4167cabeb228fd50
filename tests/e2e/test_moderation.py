"""Moderation through the real chain: refused on input, never a character on output, closed when in doubt."""

from typing import Any

import pytest

from cloudrun.local import LocalCloudRun
from tests.e2e.phone import Phone, end_of, text_of

PHRASE = "违禁演示词"
REMOTE = "只有平台知道的词"
"""Risky by the WeChat simulation alone: in no word list."""


def test_a_risky_question_is_refused(cloud: LocalCloudRun, phone: Phone) -> None:
    for text in (f"请说{PHRASE}吧", "请 说 词\u200b表 演示　词"):
        events = phone.ask(text)
        end = end_of(events)
        assert (end["reason"], end["error"]["code"]) == ("blocked", "blocked_input")
    assert cloud.relay_requests()["total"] == 0


def test_review_blocks_as_well(cloud: LocalCloudRun, phone: Phone) -> None:
    assert end_of(phone.ask("待审演示词"))["error"]["code"] == "blocked_input"


def stream_with(phrase: str, cut: int, before: str, after: str) -> list[dict[str, Any]]:
    """A scripted stream that says the phrase in two chunks, cut at that place."""
    import json

    pieces = [before, phrase[:cut], phrase[cut:], after]
    steps: list[dict[str, Any]] = []
    for piece in pieces:
        chunk = {"choices": [{"index": 0, "delta": {"content": piece}}]}
        steps += [{"text": f"data: {json.dumps(chunk, ensure_ascii=False)}\n\n"}, {"pause_ms": 30}]
    end = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    return [*steps, {"text": f"data: {json.dumps(end)}\n\ndata: [DONE]\n\n"}]


@pytest.mark.parametrize("phrase", [PHRASE, REMOTE])
@pytest.mark.parametrize("lead", [0, 3, 35, 60])
def test_a_risky_phrase_in_the_answer_never_shows_a_character(
    cloud: LocalCloudRun, phone: Phone, phrase: str, lead: int
) -> None:
    cloud.wechat(risky_phrases=[PHRASE, REMOTE])
    before = ("平安无事的开头，慢慢讲来。" * 10)[:lead]
    for cut in range(len(phrase) + 1):
        steps = stream_with(phrase, cut, before, "后面还有很多很多的话。" * 20)
        cloud.control("relay/script", {"steps": steps})
        events = phone.ask(f"第{cut}次")
        end = end_of(events)
        assert (end["reason"], end["error"]["code"]) == ("blocked", "blocked_output")
        shown = "".join(event["delta"] for event in events if event["type"] == "text")
        assert before.startswith(shown)
        assert text_of(events) == ""
        assert [message["text"] for message in phone.messages(events[0]["conversation_id"])][-1] == ""


def test_a_late_block_takes_back_what_was_shown(cloud: LocalCloudRun, phone: Phone) -> None:
    cloud.relay(answer="很正常的一段话，没有任何问题。" * 30 + PHRASE, tokens_per_second=150)
    events = phone.ask("先好后坏")
    assert any(event["type"] == "text" for event in events)
    assert [event["keep"] for event in events if event["type"] == "retract"] == [0]
    assert end_of(events)["reason"] == "blocked"
    conversation = events[0]["conversation_id"]
    assert phone.messages(conversation)[-1]["state"] == "blocked"
    cloud.relay(answer="好的。", record_bodies=True)
    phone.ask("接着聊", conversation_id=conversation)
    asked = cloud.relay_requests()["requests"][-1]["body"]["messages"]
    assert [message["role"] for message in asked] == ["system", "user"]  # the blocked exchange is in no context


@pytest.mark.parametrize(
    ("trouble", "code"),
    [
        ({"errcode": 61010}, "moderation_revisit"),
        ({"errcode": 40001}, "moderation_unavailable"),
        ({"errcode": 43104}, "moderation_unavailable"),
        ({"errcode": 45009}, "moderation_unavailable"),
        ({"errcode": 85107}, "moderation_unavailable"),
        ({"errcode": 87014}, "blocked_input"),
        ({"http_status": 502}, "moderation_unavailable"),
        ({"garbage": True}, "moderation_unavailable"),
        ({"no_result": True}, "moderation_unavailable"),
        ({"sidecar_missing": True}, "moderation_unavailable"),
        ({"drop": True}, "moderation_unavailable"),
    ],
)
def test_without_a_verdict_nothing_goes_on(
    cloud: LocalCloudRun, phone: Phone, trouble: dict[str, Any], code: str
) -> None:
    if trouble.get("errcode") == 45009:  # closes the layer until midnight: an installation of its own
        with LocalCloudRun(instances=1) as own:
            own.wechat(**trouble)
            assert end_of(Phone(own.url, "spent").ask("今天的额度"))["error"]["code"] == code
        return
    cloud.wechat(**trouble)
    end = end_of(phone.ask("这次没有结论"))
    assert end["error"]["code"] == code
    assert cloud.relay_requests()["total"] == 0


def test_a_check_that_fails_in_mid_answer_keeps_the_rest_hidden(cloud: LocalCloudRun, phone: Phone) -> None:
    answer = "第一部分说得很清楚，没有问题。" * 8 + "第二部分永远不会被看到。" * 8
    cloud.relay(answer=answer, tokens_per_second=100)
    cloud.wechat(http_status=502, match="第二部分")
    events = phone.ask("说两部分")
    end = end_of(events)
    assert (end["reason"], end["error"]["code"]) == ("failed", "moderation_unavailable")
    assert "第二部分永远" not in text_of(events)
