"""Consent, erase and their traces over the real gateway, gunicorn and two instances."""

import http.client
import json
import time
from pathlib import Path

import pytest
import websocket

from cloudrun.identity import APPID, openid_of
from cloudrun.local import LocalCloudRun
from tests.e2e.phone import LIMIT, Phone, Refused, Socket, end_of, text_of

WORDS = ["canaryquestion", "金丝雀问题甲乙", "canaryanswer", "金丝雀回答丙丁", "canarytitle"]


def refusal(phone: Phone, method: str, path: str, body: object = None) -> str:
    with pytest.raises(Refused) as refused:
        phone.call(method, path, body)
    return refused.value.code


def test_a_socket_asks_for_consent_at_its_hello_and_at_every_send(cloud: LocalCloudRun) -> None:
    phone = Phone(cloud.url, "socket-newcomer", agree=False)
    assert refusal(phone, "POST", "/v1/tickets", {}) == "consent_required"
    phone.agree()
    ticket = phone.call("POST", "/v1/tickets", {})["ticket"]
    socket = phone.socket()
    assert socket.welcome["label"] == "AI 生成"
    phone.call("DELETE", "/v1/me/consent")
    socket.put({"op": "send", "client_id": "message-1", "text": "还能发吗"})
    told = socket.take()
    assert (told["op"], told["client_id"], told["error"]["code"]) == ("error", "message-1", "consent_required")
    late = Socket(cloud.url.removeprefix("http://"), phone.user, ticket)
    assert late.welcome["error"]["code"] == "consent_required"
    opcode, closing = late.raw.recv_data_frame(True)
    assert opcode == websocket.ABNF.OPCODE_CLOSE
    assert closing.data[:2] == (4403).to_bytes(2, "big")
    late.raw.shutdown()
    phone.agree()
    socket.put({"op": "send", "client_id": "message-2", "text": "现在可以了"})
    turn = socket.take()["turn"]["id"]
    events = []
    while not events or events[-1]["type"] != "end":
        events.append(socket.take()["event"])
    assert end_of(events)["reason"] == "complete"
    phone.call("DELETE", "/v1/me")
    socket.put({"op": "send", "client_id": "message-3", "text": "账号没了"})
    told = socket.take()
    assert (told["op"], told["error"]["code"]) == ("error", "consent_required")
    assert turn
    socket.close()


def test_an_erase_reaches_the_instance_that_is_answering(cloud: LocalCloudRun) -> None:
    phone = Phone(cloud.url, "erased-live")
    cloud.relay(answer="说来话长，要从头讲起。" * 200, tokens_per_second=20, first_token_ms=0)
    answer = phone.call(
        "POST", "/v1/turns?wait=0", {"client_id": "message-1", "text": "讲一讲"}, {"X-Local-Instance": "1"}
    )
    turn = answer["turn"]["id"]
    assert phone.poll(turn, 1, 10)["events"]
    receipt = phone.call("DELETE", "/v1/me", headers={"X-Local-Instance": "2"})
    assert (receipt["held"], receipt["records"]["turns"]) == (True, 1)
    until = time.monotonic() + LIMIT
    with pytest.raises(Refused) as refused:  # an instance that had just met the person may believe for ten seconds more
        while time.monotonic() < until:
            phone.call("GET", f"/v1/turns/{turn}/events")
            time.sleep(0.2)
    assert refused.value.code == "consent_required"
    phone.agree()
    cloud.relay(answer="你好。", tokens_per_second=0)
    assert text_of(phone.ask("又来了")) == "你好。"
    assert [one["title"] for one in phone.call("GET", "/v1/conversations")["conversations"]] == ["又来了"]


def test_nothing_of_an_erased_person_is_in_store_keys_or_logs(tmp_path: Path) -> None:
    with LocalCloudRun(instances=2, data=tmp_path, env={"YUNLIAO_RATE_LIMIT": "1000/minute"}) as cloud:
        cloud.relay(answer=f"{WORDS[2]} {WORDS[3]}，说完了。", first_token_ms=0, tokens_per_second=0)
        gone, stays = Phone(cloud.url, "gone"), Phone(cloud.url, "stays")
        ids: dict[str, list[str]] = {}
        for phone in (gone, stays):
            first = phone.ask(f"{WORDS[0]} {WORDS[1]}")[0]
            phone.call("PUT", f"/v1/conversations/{first['conversation_id']}", {"title": WORDS[4]})
            ids[phone.user] = [first["conversation_id"], first["user_message_id"], first["turn_id"]]
            ids[phone.user].append(phone.call("GET", "/v1/me")["user"]["id"])
        kept = phone_export(stays)
        event = {"Event": "user_authorization_cancellation", "OpenID": openid_of("gone"), "AppID": APPID}
        assert refusal(gone, "POST", "/wx/push", event | {"OpenID": openid_of("stays")}) == "identity_untrusted"
        assert gone.call("DELETE", "/v1/me")["held"]
        assert phone_export(stays)["messages"] == kept["messages"]
        assert text_of(stays.ask("还在吗"))
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {"yunliao.db", "yunliao.db.keys", "instance-1.log", "instance-2.log"} <= {path.name for path in files}
    databases = b"".join(path.read_bytes() for path in files if path.name.startswith("yunliao.db"))
    logs = b"".join(path.read_bytes() for path in files if path.suffix == ".log")
    assert b"erase_" in logs
    for trace in (*WORDS, openid_of("gone")):
        assert trace.encode() not in databases + logs
    for trace in ids["gone"]:
        assert trace.encode() not in databases
    for trace in ids["stays"][:3]:
        assert trace.encode() in databases
    assert ids["gone"][3].encode() not in logs


def phone_export(phone: Phone) -> dict[str, list[object]]:
    found: dict[str, list[object]] = json.loads(phone.call("GET", "/v1/me/export")["content"])
    return found


def test_the_function_link_streams_the_whole_file(cloud: LocalCloudRun) -> None:
    phone = Phone(cloud.url, "streamer")
    phone.ask("一个问题")
    connection = http.client.HTTPConnection(phone.host, timeout=LIMIT)
    try:
        headers = {"X-Local-Link": "function", "X-Local-User": phone.user}
        connection.request("GET", "/v1/me/export/file?format=markdown", headers=headers)
        response = connection.getresponse()
        assert response.status == 200
        assert "attachment" in response.headers["Content-Disposition"]
        assert "一个问题" in response.read().decode()
    finally:
        connection.close()
