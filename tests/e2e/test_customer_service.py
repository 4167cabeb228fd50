"""Messages to customer service through the real container: answered once, labelled, moderated, and by a human on demand."""

import itertools
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from cloudrun.identity import APPID, openid_of
from cloudrun.local import LocalCloudRun
from tests.e2e.phone import Phone

SECRET = "a-path-of-sixteen"
_ids = itertools.count(7_000_000_000)


@pytest.fixture(scope="module")
def cloud() -> Iterator[LocalCloudRun]:
    env = {
        "YUNLIAO_CUSTOMER_SERVICE": "on",
        "YUNLIAO_PUSH_SECRET": SECRET,
        "YUNLIAO_RATE_LIMIT": "1000/minute",
        "YUNLIAO_LEASE_SECONDS": "2",
        "YUNLIAO_JOBS_SECRET": "a-secret-of-sixteen",
    }
    with LocalCloudRun(instances=2, env=env) as running:
        running.relay(first_token_ms=0, tokens_per_second=0)
        yield running


class Writer:
    """Somebody who writes to customer service."""

    def __init__(self, cloud: LocalCloudRun, name: str, *, agreed: bool = True) -> None:
        self.cloud, self.openid, self.phone = cloud, openid_of(name, APPID), Phone(cloud.url, name, agree=agreed)
        self.wrote()

    def wrote(self) -> None:
        """The platform heard of a message, so that five answers are allowed."""
        self.cloud.control("wechat/wrote", {"openid": self.openid})

    def push(self, text: str = "", *, n: int | None = None, key: int = 0, **more: Any) -> Any:
        """One delivery of a message by the platform."""
        body = {
            "ToUserName": "gh_0123456789ab", "FromUserName": self.openid, "CreateTime": int(time.time()),
            "MsgType": "text", "Content": text, "MsgId": key or next(_ids), **more,
        }  # fmt: skip
        return self.cloud.control("trigger", {"path": f"/wx/push/{SECRET}", "body": body, "n": n})

    def letters(self, kind: str = "message") -> list[dict[str, Any]]:
        """What was sent to this person."""
        every = self.cloud.control("wechat/letters")["letters"]
        return [one for one in every if one["openid"] == self.openid and one["kind"] == kind]

    def until(self, check: Callable[[], bool]) -> None:
        limit = time.monotonic() + 90
        while not check():
            assert time.monotonic() < limit, self.letters()
            time.sleep(0.05)

    def answered(self, count: int = 1) -> str:
        """The text of the answers, when so many have come."""
        self.until(lambda: len(self.letters()) >= count)
        return "".join(one["text"] for one in self.letters())


@pytest.fixture
def writer(cloud: LocalCloudRun) -> Writer:
    return Writer(cloud, f"writer-{next(_ids)}")


def test_a_message_is_answered_with_the_label_and_stands_in_the_history(writer: Writer) -> None:
    answer = writer.push("用三句话介绍你自己")
    assert (answer["status"], answer["body"]) == (200, "success")
    text = writer.answered()
    assert text.startswith("【AI 生成】\n") and len(text) > 20
    assert [one["errcode"] for one in writer.letters()] == [0]
    assert writer.letters("typing")
    (conversation,) = writer.phone.call("GET", "/v1/conversations")["conversations"]
    messages = writer.phone.call("GET", f"/v1/conversations/{conversation['id']}/messages")["messages"]
    assert [one["role"] for one in messages] == ["user", "assistant"]
    writer.push("再说一遍")
    writer.answered(2)
    assert len(writer.phone.call("GET", "/v1/conversations")["conversations"]) == 1


def test_the_same_message_pushed_to_both_instances_is_answered_once(cloud: LocalCloudRun, writer: Writer) -> None:
    before = cloud.relay_requests()["total"]
    key = next(_ids)
    for n in (1, 2, 1, 2):
        assert writer.push("只答一次", n=n, key=key)["status"] == 200
    writer.answered()
    for n in (1, 2):
        writer.push("只答一次", n=n, key=key)  # late
    writer.push("最后一句")  # comes after whatever the others would still have sent
    writer.until(lambda: len(writer.letters()) >= 2)
    assert len(writer.letters()) == 2
    assert cloud.relay_requests()["total"] == before + 2


def test_a_message_without_an_id_is_told_by_writer_and_time(cloud: LocalCloudRun, writer: Writer) -> None:
    at = int(time.time())
    before = cloud.relay_requests()["total"]
    for n in (1, 2):
        writer.push("没有编号", n=n, MsgId="", CreateTime=at)
    writer.answered()
    writer.push("不同的话")
    writer.answered(2)
    assert cloud.relay_requests()["total"] == before + 2


def test_xml(writer: Writer, cloud: LocalCloudRun) -> None:
    raw = (
        f"<xml><ToUserName><![CDATA[gh_0]]></ToUserName><FromUserName><![CDATA[{writer.openid}]]></FromUserName>"
        f"<CreateTime>{int(time.time())}</CreateTime><MsgType><![CDATA[text]]></MsgType>"
        f"<Content><![CDATA[<b>介绍</b> & 你自己]]></Content><MsgId>{next(_ids)}</MsgId></xml>"
    )
    answer = cloud.control("trigger", {"path": f"/wx/push/{SECRET}", "raw": raw})
    assert (answer["status"], answer["body"]) == (200, "success")
    writer.answered()
    (conversation,) = writer.phone.call("GET", "/v1/conversations")["conversations"]
    messages = writer.phone.call("GET", f"/v1/conversations/{conversation['id']}/messages")["messages"]
    assert messages[0]["text"] == "<b>介绍</b> & 你自己"
    human = raw.replace("<b>介绍</b> & 你自己", "转人工").replace("<MsgId>", "<MsgId>9")
    answer = cloud.control("trigger", {"path": f"/wx/push/{SECRET}", "raw": human})
    assert "<MsgType>transfer_customer_service</MsgType>" in answer["body"]


def test_moderation_holds_here_too(writer: Writer) -> None:
    writer.push("违禁演示词")
    assert "没有通过内容安全检查" in writer.answered()


def test_a_long_answer_comes_in_parts_that_the_platform_takes(cloud: LocalCloudRun, writer: Writer) -> None:
    long = "".join(f"第{number}句话说的是同一件事，只是为了把回答写得足够长。" for number in range(60))
    cloud.relay(answer=long)
    try:
        writer.push("写得长一点")
        writer.until(lambda: sum(len(one["text"]) for one in writer.letters()) >= len(long))
    finally:
        cloud.relay(answer="")
    sent = writer.letters()
    assert 2 <= len(sent) <= 5
    assert all(one["errcode"] == 0 and one["text"].startswith("【AI 生成】\n") for one in sent)
    assert "".join(one["text"].removeprefix("【AI 生成】\n") for one in sent) == long


def test_who_never_agreed_is_asked_to_and_nothing_is_stored(cloud: LocalCloudRun) -> None:
    stranger = Writer(cloud, f"stranger-{next(_ids)}", agreed=False)
    before = cloud.relay_requests()["total"]
    key = next(_ids)
    for n in (1, 2):
        assert stranger.push("你好", n=n, key=key)["status"] == 200
    assert "同意用户协议" in stranger.answered()
    stranger.push("图", MsgType="image", Content="", PicUrl="http://x")
    stranger.until(lambda: len(stranger.letters()) == 2)
    assert "文字" in stranger.letters()[1]["text"]
    assert cloud.relay_requests()["total"] == before


def test_a_human_on_demand_and_back(cloud: LocalCloudRun, writer: Writer) -> None:
    before = cloud.relay_requests()["total"]
    answer = writer.push("转人工")
    assert '"MsgType":"transfer_customer_service"' in answer["body"] and writer.openid in answer["body"]
    assert "人工客服" in writer.answered()
    for n in (1, 2):
        assert "transfer_customer_service" in writer.push("我的订单呢", n=n)["body"]
    assert cloud.relay_requests()["total"] == before
    assert writer.push("机器人")["body"] == "success"
    assert "已恢复" in writer.answered(2)
    writer.push("你好")
    writer.answered(3)
    assert cloud.relay_requests()["total"] == before + 1


def test_an_instance_that_dies_in_mid_answer_does_not_answer_twice(cloud: LocalCloudRun, writer: Writer) -> None:
    cloud.relay(tokens_per_second=20, answer="慢慢说来，" * 30)
    key = next(_ids)
    try:
        for n in (1, 2):
            writer.push("慢慢说", n=n, key=key)
        cloud.kill(1)
        text = writer.answered()
    finally:
        cloud.relay(tokens_per_second=0, answer="")
        cloud.start(1)
    assert "慢慢说来" in text
    assert len(writer.letters()) == 1


def test_the_timer_brings_the_reply_of_an_instance_that_died(cloud: LocalCloudRun, writer: Writer) -> None:
    cloud.relay(tokens_per_second=20, answer="慢慢说来，" * 30)
    try:
        writer.push("慢慢说", n=1)
        cloud.kill(1)
        limit = time.monotonic() + 90
        while not writer.letters():
            assert time.monotonic() < limit
            job = {"path": "/jobs/recover", "n": 2, "headers": {"X-Yunliao-Secret": "a-secret-of-sixteen"}}
            assert cloud.control("trigger", job)["status"] == 200
            time.sleep(0.5)
    finally:
        cloud.relay(tokens_per_second=0, answer="")
        cloud.start(1)
    (only,) = writer.letters()
    assert "慢慢说来" in only["text"] and only["errcode"] == 0


def test_what_the_platform_refuses_is_logged_without_words(cloud: LocalCloudRun, writer: Writer) -> None:
    cloud.wechat(custom_errcode=48001)
    try:
        writer.push("canaryword7731 你好")
        writer.until(lambda: len(writer.letters()) == 1)
        limit = time.monotonic() + 60
        while not any("letter_not_sent" in cloud.log(n) for n in (1, 2)):
            assert time.monotonic() < limit
            time.sleep(0.05)
    finally:
        cloud.wechat(custom_errcode=0)
    logs = cloud.log(1) + cloud.log(2)
    assert "48001" in logs
    assert "canaryword7731" not in logs and writer.openid not in logs


def test_nobody_can_write_in_anothers_name(cloud: LocalCloudRun, writer: Writer) -> None:
    """A user of the mini-program can make WeChat's link call any path."""
    before = cloud.relay_requests()["total"]
    stranger = Phone(cloud.url, "stranger")
    body = {"FromUserName": writer.openid, "MsgType": "text", "Content": "冒名", "MsgId": next(_ids), "CreateTime": 1}
    for path in ("/wx/push", f"/wx/push/{SECRET}", "/wx/push/wrong"):
        with pytest.raises(Exception, match="identity_untrusted"):
            stranger.call("POST", path, body)
    for path in ("/wx/push", "/wx/push/wrong-secret"):
        assert cloud.control("trigger", {"path": path, "body": body})["status"] == 403
    assert cloud.relay_requests()["total"] == before
