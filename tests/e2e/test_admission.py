"""Bounded concurrency, other relays, the third layer, forged headers: each with an installation of its own."""

import http.client
import json
import socket
from urllib.parse import urlsplit

import pytest

from cloudrun.identity import openid_of
from cloudrun.local import LocalCloudRun
from tests.e2e.phone import Phone, Refused, Socket, end_of, text_of


def test_the_queue_is_bounded_fair_and_tells_the_place() -> None:
    bounds = {"YUNLIAO_MAX_LIVE": "1", "YUNLIAO_MAX_QUEUE": "2"}
    with LocalCloudRun(instances=1, env=bounds) as cloud:
        cloud.relay(first_token_ms=0, tokens_per_second=15, answer="慢慢地一个字一个字地说出来，大家都等着。")
        phones = [Phone(cloud.url, f"queued-{number}") for number in range(4)]
        turns = [phone.send("轮到我了吗")["turn"]["id"] for phone in phones[:3]]
        with pytest.raises(Refused) as caught:
            phones[3].send("还有位置吗")
        assert (caught.value.status, caught.value.code) == (503, "queue_full")
        assert caught.value.error["retry_after"] > 0
        cloud.relay(tokens_per_second=0)
        events = [phone.until_end(turn) for phone, turn in zip(phones[:3], turns, strict=True)]
        assert [end_of(seen)["reason"] for seen in events] == ["complete"] * 3
        first = [[event["position"] for event in seen if event["type"] == "queued"][:1] for seen in events]
        assert first == [[], [1], [2]]


def test_a_connection_is_as_good_after_a_refusal_as_before() -> None:
    """The body of a refused message is never read by the application: what follows it must not be taken for it."""
    with LocalCloudRun(instances=1, env={"YUNLIAO_MAX_LIVE": "1", "YUNLIAO_MAX_QUEUE": "0"}) as cloud:
        cloud.relay(first_token_ms=0, tokens_per_second=15, answer="慢慢地一个字一个字地说出来，大家都等着。")
        holder = Phone(cloud.url, "holder")
        turn = holder.send("我先来")["turn"]["id"]
        address = urlsplit(cloud.state()["instances"][0]["url"])
        connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=60)
        identity = {"X-WX-SOURCE": "wx_client", "X-WX-OPENID": openid_of("late"), "X-WX-APPID": "wx0000000000local"}
        body = json.dumps({"client_id": "a-late-one", "text": "POST /v1/turns HTTP/1.1\r\n\r\n" * 1000}).encode()
        connection.connect()
        kept = connection.sock
        for method, path, sent, status in (
            ("POST", "/v1/turns", body, 503),
            ("POST", "/v1/turns?wait=5", body, 503),
            ("GET", "/healthz", None, 200),
            ("POST", "/v1/turns", body, 503),
        ):
            connection.request(method, path, sent, {**identity, "Content-Type": "application/json"})
            answer = connection.getresponse()
            told = json.loads(answer.read())
            assert answer.status == status, told
            assert connection.sock is kept
            if status == 503:
                assert told["error"]["code"] == "queue_full"
                assert int(answer.headers["Retry-After"]) == told["error"]["retry_after"] > 0
                assert answer.headers["X-Request-Id"] == told["error"]["request_id"]
        connection.close()
        cloud.relay(tokens_per_second=0)
        assert end_of(holder.until_end(turn))["reason"] == "complete"


def test_another_openai_compatible_server_with_its_own_key_and_model() -> None:
    with LocalCloudRun(attach=["http://127.0.0.1:9"]) as other:
        other.relay(api_key="sk-other", answer="我是另一个模型。", record_bodies=True)
        with LocalCloudRun(
            instances=1, relay_url=f"{other.relay_url}/v1", relay_key="sk-other", model="demo-chat"
        ) as cloud:
            events = Phone(cloud.url, "chooser").ask("你是谁")
        assert text_of(events) == "我是另一个模型。"
        assert other.relay_requests()["requests"][-1]["body"]["model"] == "demo-chat"


def test_the_relays_own_moderation_is_a_third_layer() -> None:
    with LocalCloudRun(instances=1, env={"YUNLIAO_RELAY_MODERATION": "on"}) as cloud:
        cloud.relay(flagged_phrases=["只有中转知道的词"], first_token_ms=0, tokens_per_second=0)
        phone = Phone(cloud.url, "third")
        assert end_of(phone.ask("说说只有中转知道的词"))["error"]["code"] == "blocked_input"
        assert end_of(phone.ask("说点别的"))["reason"] == "complete"


FORGED = {
    "X-WX-OPENID": openid_of("victim"),
    "x-wx-openid": openid_of("victim"),
    "X_WX_OPENID": openid_of("victim"),
    "X-WX-FROM-OPENID": openid_of("victim"),
    "X-WX-APPID": "wxforged",
}


@pytest.mark.parametrize("name", sorted(FORGED))
@pytest.mark.parametrize("pass_underscore", [False, True])
def test_a_forged_header_changes_nothing(cloud: LocalCloudRun, phone: Phone, name: str, pass_underscore: bool) -> None:
    cloud.faults(pass_underscore=pass_underscore)
    honest = phone.call("GET", "/v1/me")["user"]["id"]
    assert phone.call("GET", "/v1/me", headers={name: FORGED[name]})["user"]["id"] == honest


def test_underscores_never_reach_the_application(cloud: LocalCloudRun) -> None:
    address = urlsplit(cloud.state()["instances"][0]["url"])
    lines = ["GET /v1/me HTTP/1.1", "Host: x", "X_WX_SOURCE: wx_client", f"X_WX_OPENID: {openid_of('victim')}"]
    lines += ["X_WX_APPID: wx0000000000local", "Connection: close", "", ""]
    with socket.create_connection((address.hostname, address.port), 30) as raw:
        raw.sendall("\r\n".join(lines).encode())
        answer = b""
        while piece := raw.recv(65536):
            answer += piece
    assert b" 403 " in answer.split(b"\r\n", 1)[0]
    assert b"identity_untrusted" in answer


def test_sockets_want_a_ticket_that_is_good_once(cloud: LocalCloudRun, phone: Phone) -> None:
    for ios in (False, True):
        cloud.faults(ios_high_performance=ios)
        ticket = phone.call("POST", "/v1/tickets", {})["ticket"]

        first = Socket(phone.host, phone.user, ticket)
        assert first.welcome["op"] == "welcome"
        first.close()
        second = Socket(phone.host, phone.user, ticket)
        assert second.welcome["error"]["code"] == "ticket_invalid"
        opcode, data = second.raw.recv_data()
        assert (opcode, int.from_bytes(data[:2], "big")) == (8, 4401)
        second.raw.shutdown()
    cloud.faults(ios_high_performance=False)
    ticket = phone.call("POST", "/v1/tickets", {})["ticket"]
    thief = Socket(phone.host, "another-user", ticket)
    assert thief.welcome["error"]["code"] == "ticket_invalid"
    thief.raw.shutdown()


def test_an_answer_over_the_public_link_needs_an_identity_nobody_gives(cloud: LocalCloudRun) -> None:
    cloud.faults(public_link=True)
    connection = http.client.HTTPConnection(urlsplit(cloud.url).netloc, timeout=30)
    connection.request("GET", "/v1/me", headers={"X-Local-User": "somebody"})
    answer = connection.getresponse()
    body = json.loads(answer.read())
    connection.close()
    assert (answer.status, body["error"]["code"]) == (403, "identity_untrusted")
