"""The main job: a moderated, sealed, streaming turn, asked once, told truly, the same by every way of listening."""

import json
import threading
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from cloudrun.local import LocalCloudRun
from tests.e2e.phone import Phone, Refused, end_of, text_of

ANSWER = "云聊把每一句话都先检查再显示。" * 12 + "English words follow here, and 结尾。"


def wait_for(condition: Callable[[], Any]) -> Any:
    """Poll a condition of the simulation."""
    import time

    for _ in range(600):
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError("it did not happen within 30 s")


def test_an_answer_arrives_whole_and_is_kept(cloud: LocalCloudRun, phone: Phone) -> None:
    cloud.relay(answer=ANSWER)
    events = phone.ask("你好")
    end = end_of(events)
    assert end["reason"] == "complete"
    assert text_of(events) == ANSWER
    conversation = events[0]["conversation_id"]
    question, answer = phone.messages(conversation)
    assert (question["role"], question["text"]) == ("user", "你好")
    assert (answer["role"], answer["text"], answer["id"]) == ("assistant", ANSWER, end["message_id"])
    assert answer["label"] == "AI 生成"
    wait_for(lambda: phone.call("GET", f"/v1/conversations/{conversation}")["conversation"]["title"] == "你好")


def test_the_next_question_carries_the_history(cloud: LocalCloudRun, phone: Phone) -> None:
    cloud.relay(record_bodies=True, answer="蓝色的鲸鱼。")
    first = phone.ask("记住：鲸鱼")
    conversation = first[0]["conversation_id"]
    phone.ask("我刚才说了什么？", conversation_id=conversation)
    asked = cloud.relay_requests()["requests"][-1]
    messages = asked["body"]["messages"]
    assert [message["role"] for message in messages] == ["system", "user", "assistant", "user"]
    assert [message["content"] for message in messages[1:]] == ["记住：鲸鱼", "蓝色的鲸鱼。", "我刚才说了什么？"]


def test_ten_sends_at_once_make_one_upstream_request(cloud: LocalCloudRun, phone: Phone) -> None:
    cloud.relay(tokens_per_second=40, answer=ANSWER)
    body = {"client_id": "the-same-message-1", "text": "只问一次"}
    answers: list[Any] = []

    def send() -> None:
        answers.append(phone.call("POST", "/v1/turns", body))

    threads = [threading.Thread(target=send) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(answers) == 10
    assert len({answer["turn"]["id"] for answer in answers}) == 1
    events = phone.until_end(answers[0]["turn"]["id"])
    assert text_of(events) == ANSWER
    assert cloud.relay_requests()["total"] == 1


def test_the_gateway_delivering_twice_changes_nothing(cloud: LocalCloudRun, phone: Phone) -> None:
    cloud.faults(duplicate_delivery=True)
    cloud.relay(answer=ANSWER)
    events = phone.ask("送两次")
    assert text_of(events) == ANSWER
    assert cloud.relay_requests()["total"] == 1


def test_the_same_id_with_another_text_is_a_conflict(phone: Phone) -> None:
    body = {"client_id": "an-id-used-twice", "text": "第一句"}
    phone.until_end(phone.call("POST", "/v1/turns", body)["turn"]["id"])
    with pytest.raises(Refused) as caught:
        phone.call("POST", "/v1/turns", {**body, "text": "第二句"})
    assert (caught.value.status, caught.value.code) == (409, "client_id_conflict")


def test_one_live_turn_a_user(cloud: LocalCloudRun, phone: Phone) -> None:
    cloud.relay(tokens_per_second=20, answer=ANSWER)
    turn = phone.send("第一条")["turn"]["id"]
    with pytest.raises(Refused) as caught:
        phone.send("第二条")
    assert (caught.value.code, caught.value.error["turn_id"]) == ("turn_in_progress", turn)
    phone.call("POST", f"/v1/turns/{turn}/stop", {})
    phone.until_end(turn)
    cloud.relay(tokens_per_second=0)
    assert end_of(phone.ask("第三条"))["reason"] == "complete"


def test_stop_closes_the_upstream_and_keeps_what_was_shown(cloud: LocalCloudRun, phone: Phone) -> None:
    cloud.relay(tokens_per_second=30, answer=ANSWER * 20)
    turn = phone.send("慢慢说")["turn"]["id"]
    after, shown = 0, []
    while not text_of(shown):
        piece = phone.poll(turn, after)
        shown += piece["events"]
        after = piece["cursor"]
    phone.call("POST", f"/v1/turns/{turn}/stop", {})
    phone.call("POST", f"/v1/turns/{turn}/stop", {})
    events = shown + phone.until_end(turn, after)
    assert end_of(events)["reason"] == "stopped"
    text = text_of(events)
    assert text
    assert (ANSWER * 20).startswith(text)
    wait_for(lambda: cloud.relay_requests()["live"] == 0)
    assert phone.messages(events[0]["conversation_id"])[-1]["text"] == text


@pytest.mark.parametrize("percent", range(0, 100, 10))
@pytest.mark.parametrize("how", ["reset", "close", "end"])
def test_a_cut_answer_is_never_called_complete(cloud: LocalCloudRun, phone: Phone, percent: int, how: str) -> None:
    cloud.relay(answer=ANSWER, cut_at_percent=percent, cut_how=how)
    events = phone.ask("会断开")
    end = end_of(events)
    text = text_of(events)
    assert end["reason"] == "failed"
    assert end["error"]["code"] in ("relay_interrupted", "relay_empty", "relay_unreachable")
    assert ANSWER.startswith(text)
    # A reset may destroy what the network still held; by the other two everything sent has arrived and is kept.
    if how != "reset":
        assert abs(len(text) - len(ANSWER) * percent / 100) <= 8
    assert phone.messages(events[0]["conversation_id"])[-1]["text"] == text


@pytest.mark.parametrize(
    ("fault", "reason", "code"),
    [
        ({"status": 401}, "failed", "relay_refused"),
        ({"status": 400}, "failed", "context_too_long"),
        ({"refuse": True}, "failed", "relay_unreachable"),
        ({"hang": True}, "failed", "relay_timeout"),
        ({"stall_after_chunks": 3}, "failed", "relay_interrupted"),
        ({"error_after_chunks": 3}, "failed", "relay_"),
        ({"empty": "body"}, "failed", "relay_empty"),
        ({"empty": "stream"}, "failed", "relay_empty"),
        ({"forged_done_after_chunks": 3}, "failed", "relay_interrupted"),
        ({"malformed_after_chunks": 3}, "failed", "relay_malformed"),
        ({"huge_line_bytes": 3_000_000}, "failed", "relay_malformed"),
        ({"finish_reason": "length"}, "length", ""),
        ({"finish_reason": "content_filter"}, "blocked", "blocked_output"),
        ({"no_done": True}, "complete", ""),
        ({"no_finish": True}, "failed", "relay_interrupted"),
        ({"split_bytes": 1}, "complete", ""),
        ({"crlf": True, "comments": True}, "complete", ""),
        ({"json_answer": True}, "complete", ""),
        ({"usage": "never"}, "complete", ""),
    ],
)
def test_every_ending_of_the_relay_is_told_truly(
    cloud: LocalCloudRun, phone: Phone, fault: dict[str, Any], reason: str, code: str
) -> None:
    cloud.relay(answer=ANSWER, **fault)
    events = phone.ask("会怎样结束")
    end = end_of(events)
    assert (end["reason"], end.get("error", {}).get("code", "")[: len(code)]) == (reason, code)
    if reason in ("complete", "length"):
        assert text_of(events) == ANSWER
        assert end["usage"]["output_tokens"] > 0
    if reason == "blocked":
        assert text_of(events) == ""


def test_a_relay_that_recovers_before_the_first_byte_is_asked_again(
    cloud: LocalCloudRun, new_phone: Callable[[], Phone]
) -> None:
    for instance in cloud.state()["instances"]:
        cloud.tell(instance["n"], "restart")  # fresh breakers: no earlier test is held against the relay
    cloud.relay(answer=ANSWER)
    for number, status in enumerate((429, 500, 503), 1):
        cloud.relay(status=status, retry_after=0, times=1)
        assert end_of(new_phone().ask("再试一次"))["reason"] == "complete"
        assert cloud.relay_requests()["total"] == 2 * number


def test_rate_limit_says_when(running: LocalCloudRun) -> None:
    with LocalCloudRun(instances=1, env={"YUNLIAO_RATE_LIMIT": "2/minute"}) as cloud:
        cloud.relay(first_token_ms=0, tokens_per_second=0)
        phone = Phone(cloud.url, "hasty")
        for text in ("一", "二"):
            phone.ask(text)
        with pytest.raises(Refused) as caught:
            phone.send("三")
        assert (caught.value.status, caught.value.code) == (429, "rate_limited")
        assert 1 <= caught.value.error["retry_after"] <= 60


@pytest.mark.parametrize("tokens", [1, 2, 5])
def test_text_is_shown_while_the_relay_still_talks(cloud: LocalCloudRun, phone: Phone, tokens: int) -> None:
    """However the upstream cuts its chunks: an answer that only comes at its end is no stream."""
    cloud.relay(answer=ANSWER * 2, tokens_per_second=60, chunk_tokens=tokens, first_token_ms=100)
    turn = phone.send("边说边看")["turn"]["id"]
    events: list[dict[str, Any]] = []
    while not text_of(events):
        events += phone.poll(turn, events[-1]["seq"] if events else 0)["events"]
    assert events[-1]["type"] != "end"
    assert cloud.relay_requests()["live"] == 1
    events += phone.until_end(turn, events[-1]["seq"])
    assert text_of(events) == ANSWER * 2


def test_a_trace_goes_from_the_phone_to_the_relay_and_into_the_log(cloud: LocalCloudRun, phone: Phone) -> None:
    trace = uuid.uuid4().hex
    body = {"client_id": uuid.uuid4().hex, "text": "带着追踪"}
    turn = phone.call("POST", "/v1/turns", body, {"traceparent": f"00-{trace}-{'7' * 16}-01"})["turn"]["id"]
    assert end_of(phone.until_end(turn))["reason"] == "complete"
    (asked,) = cloud.relay_requests()["requests"]
    version, found, span, flags = asked["traceparent"].split("-")
    assert (version, found, flags, asked["request_id"]) == ("00", trace, "01", turn)
    assert span != "7" * 16
    lines = wait_for(lambda: [line for n in (1, 2) for line in cloud.log(n).splitlines() if turn in line])
    assert [json.loads(line)["trace"] for line in lines if '"turn"' in line] == [trace]


def test_without_a_trace_none_is_made_up(cloud: LocalCloudRun, phone: Phone) -> None:
    phone.ask("没有追踪")
    assert [request["traceparent"] for request in cloud.relay_requests()["requests"]] == [""]
