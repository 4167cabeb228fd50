"""A push over a public domain: signed and encrypted, opened as another implementation made it; anything else is refused."""

import base64
import hashlib
import time
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from tests.web.fake_app import fake_app
from yunliao.adapters.clock import SystemClock
from yunliao.adapters.wechat.push_codec import PushCodec
from yunliao.errors import IdentityUntrusted

TOKEN = "push-token-0123456789"
AES_KEY = "AwoRGB8mLTQ7QklQV15lbHN6gYiPlp2kq7K5wMfO1dw"
APPID = "wx0000000000local"
RECORDED = (
    "2xRdvA7l/sKCEjtUZNsUzGKmHv2YVBb6rlFpdTGUTu9MbmGb2c1Tranf94YgbD7AsOAOSr4G14WCgXXDDFiHU8Tj16vwNrbCOaQvHZbes0MQuJV3VIPB"
    "xCa2DbQU+V5BespRYTMKPH8udDDfyQ5Qv7CV+cNC5WydPzStEB+CAvr+/3r661/rsk3yu85auRWlFVlmskTXQRrTWmBX0u7w2hlbpGK8e8+ICM7I2say"
    "0rGPgoliRzD2mycyyIRXrhCHMXcBKvER6b09QwJLPoX5X6/GOy3Haivjj+KhPJkajgeFIOKqvlejGdlBE7e0DpGCmYRYqkqyjgFdB6Qok2Q5N1YRhuBg"
    "wc5c5WSDS/waLUzjSZv4dQLKslJmS0lCDjCK"
)
"""Made by wechatpy 1.8.18 for this token, key and appid, nonce 1234567890, time 1700000000."""
SIGNATURE = "0586fb41066eccd7fb18abd3e114b10e80d42f79"


class Then(SystemClock):
    def now_ms(self) -> int:
        return 1_700_000_100_000


def signed(*parts: str) -> str:
    return hashlib.sha1("".join(sorted((TOKEN, *parts))).encode()).hexdigest()


def sealed(message: str, appid: str = "wxallowed1", key: str = AES_KEY) -> str:
    raw = base64.b64decode(key + "=")
    plain = bytes(range(16)) + len(message.encode()).to_bytes(4, "big") + message.encode() + appid.encode()
    padding = 32 - len(plain) % 32
    writer = Cipher(algorithms.AES256(raw), modes.CBC(raw[:16])).encryptor()
    return base64.b64encode(writer.update(plain + bytes([padding]) * padding) + writer.finalize()).decode()


def pushed(box: str, *, at: int | None = None, **changes: str) -> tuple[dict[str, str], dict[str, str]]:
    """Query and body of a push."""
    moment = str(at or int(time.time()))
    query = {"timestamp": moment, "nonce": "n1", "msg_signature": signed(moment, "n1", box), "encrypt_type": "aes"}
    return {**query, **changes}, {"ToUserName": "gh_0", "Encrypt": box}


def app(**more: str) -> tuple[Any, list[Any]]:
    made, services = fake_app(YUNLIAO_PUSH_TOKEN=TOKEN, YUNLIAO_PUSH_AES_KEY=AES_KEY, YUNLIAO_PUBLIC="on", **more)
    taken: list[Any] = []
    services.pushes.take = taken.append
    return made.test_client(), taken


@pytest.mark.parametrize(
    "form", ["<xml><ToUserName>gh</ToUserName><Encrypt><![CDATA[{}]]></Encrypt></xml>", '{{"Encrypt": "{}"}}']
)
def test_another_implementations_message_opens(form: str) -> None:
    codec = PushCodec(TOKEN, AES_KEY, frozenset({APPID}), Then())
    query = {"timestamp": "1700000000", "nonce": "1234567890", "msg_signature": SIGNATURE}
    message, appid = codec.open(query, form.format(RECORDED).encode())
    assert appid == APPID
    assert "你好😀" in message.decode() and message.endswith(b"</xml>")


def test_it_is_believed_also_where_the_platforms_headers_are_not() -> None:
    client, taken = app()
    event = '{"MsgType":"event","Event":"user_authorization_revoke","OpenID":"oPerson","CreateTime":1}'
    query, body = pushed(sealed(event))
    answer = client.post("/wx/push", query_string=query, json=body)
    assert (answer.status_code, answer.data) == (200, b"success")
    assert (taken[0].event, taken[0].openid) == ("user_authorization_revoke", "oPerson")


def test_everything_else_is_refused() -> None:
    client, taken = app()
    box = sealed("{}")
    cases = [
        pushed(box, msg_signature="0" * 40),
        pushed(box, nonce="n2"),
        pushed(box, at=int(time.time()) - 3_600),
        pushed(box, at=int(time.time()) + 3_600),
        pushed(sealed("{}", appid="wxstranger")),
        pushed(sealed("{}", key="B" * 43)),
        pushed("AAAA"),
        pushed("AAA"),
        (pushed(box)[0], {"FromUserName": "oPerson", "Event": "user_authorization_revoke"}),
        (pushed(box)[0], {"Encrypt": sealed("{} ")}),
    ]
    for query, body in cases:
        answer = client.post("/wx/push", query_string=query, json=body, headers={"X-WX-SOURCE": "wx_unknown"})
        assert (answer.status_code, answer.get_json()["error"]["code"]) == (403, "identity_untrusted"), query
    # The plain mode's signature says nothing of the body.
    moment = str(int(time.time()))
    plain = {"timestamp": moment, "nonce": "n", "signature": signed(moment, "n")}
    assert client.post("/wx/push", query_string=plain, json={"Event": "x"}).status_code == 403
    assert taken == []


def test_the_address_is_confirmed_to_who_knows_the_token() -> None:
    client, _ = app()
    moment = str(int(time.time()))
    query = {"timestamp": moment, "nonce": "n", "echostr": "12345", "signature": signed(moment, "n")}
    assert client.get("/wx/push", query_string=query).data == b"12345"
    assert client.get("/wx/push", query_string={**query, "nonce": "m"}).status_code == 403
    assert client.get("/wx/push").status_code == 403
    closed, _ = fake_app()
    assert closed.test_client().get("/wx/push", query_string=query).status_code == 403


def test_nothing_opens_without_a_key() -> None:
    codec = PushCodec("", "", frozenset({APPID}), Then())
    with pytest.raises(IdentityUntrusted):
        codec.open({"timestamp": "1700000000", "nonce": "1234567890", "msg_signature": SIGNATURE}, RECORDED.encode())
