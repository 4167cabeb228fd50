"""A cloud function's signed claim: good for one call, once, soon; anything else is nobody."""

import base64
import json
import time
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.fakes.memory_store import MemoryStore
from tests.web.conftest import CALLER
from tests.web.fake_app import fake_app
from yunliao.adapters.clock import SystemClock
from yunliao.errors import StoreUnavailable
from yunliao.services.signed_calls import FRESH_MS, Claim, SignedCalls, sign

SECRET = "a-secret-of-functions"
BODY = b'{"client_id":"message-1","text":"\xe4\xbd\xa0\xe5\xa5\xbd"}'


def claim(**changes: Any) -> Claim:
    values = {"openid": "oCaller_000000001", "appid": "wxallowed1", "time": time.time_ns() // 1_000_000}
    return Claim(
        **{**values, "nonce": base64.urlsafe_b64encode(time.time_ns().to_bytes(12, "big")).decode(), **changes}
    )


def header(
    secret: str = SECRET, *, method: str = "POST", target: str = "/v1/turns", body: bytes = BODY, **changes: Any
) -> str:
    return sign(secret, claim(**changes), method=method, target=target, body=body)


def send(client: FlaskClient, signed: str, body: bytes = BODY, path: str = "/v1/turns", **headers: str) -> Any:
    given = {"X-Yunliao-Caller": signed, "Content-Type": "application/json", **headers}
    return client.post(path, data=body, headers=given)


@pytest.fixture
def client() -> FlaskClient:
    app, _ = fake_app(YUNLIAO_FUNCTION_SECRET=SECRET)
    return app.test_client()


def test_a_signed_call_is_heard(client: FlaskClient) -> None:
    answer = send(client, header())
    assert answer.status_code == 202, answer.get_json()
    assert send(client, header(target="/v1/turns?wait=0"), path="/v1/turns?wait=0").status_code == 200  # the same turn
    read = header(method="GET", target="/v1/models", body=b"")
    assert client.get("/v1/nothing", headers={"X-Yunliao-Caller": read}).status_code == 404
    # An identity of the gateway that names nobody (a function that came through WeChat's link) does not contradict.
    assert send(client, header(), **{"X-WX-SOURCE": "wx_http"}).status_code == 200


def without(part: int) -> str:
    parts = header().split(".")
    parts[part] = ""
    return ".".join(parts)


def tampered() -> str:
    version, encoded, signature = header().split(".")
    raw = json.loads(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)))
    raw["openid"] = "oSomebodyElse_001"
    return f"{version}.{base64.urlsafe_b64encode(json.dumps(raw).encode()).decode().rstrip('=')}.{signature}"


@pytest.mark.parametrize(
    "forged",
    [
        lambda: "",
        lambda: "v1",
        lambda: "v1..",
        lambda: "v2." + header().partition(".")[2],
        lambda: without(1),
        lambda: without(2),
        lambda: header("another-secret-of-functions"),
        lambda: header(""),
        lambda: header(method="PUT"),
        lambda: header(target="/v1/tickets"),
        lambda: header(target="/v1/turns?wait=1"),
        lambda: header(body=BODY + b" "),
        lambda: header(time=time.time_ns() // 1_000_000 - FRESH_MS - 5_000),
        lambda: header(time=time.time_ns() // 1_000_000 + FRESH_MS + 60_000),
        lambda: header(time=-(2**60)),
        lambda: header(nonce="short"),
        lambda: header(nonce="x" * 65),
        lambda: header(nonce="has a blank in it!!"),
        lambda: header(appid="wxstranger"),
        lambda: header(appid=""),
        lambda: header(openid="../../etc/passwd"),
        lambda: header() + "é",
        lambda: header()[:-1],
        lambda: "v1." + "A" * 5_000 + ".0",
        tampered,
    ],
)
def test_everything_else_is_refused_and_echoes_nothing(client: FlaskClient, forged: Any) -> None:
    given = forged()
    answer = send(client, given)
    error = answer.get_json()["error"]
    assert (answer.status_code, error["code"]) == (403, "identity_untrusted"), error
    for part in given.split("."):
        assert len(part) < 9 or part not in answer.get_data(as_text=True)


def test_no_openid_is_nobody(client: FlaskClient) -> None:
    assert send(client, header(openid="")).get_json()["error"]["code"] == "identity_missing"


def test_a_replay_is_refused_also_by_another_instance() -> None:
    shared = MemoryStore()
    clients = []
    for _ in range(2):
        app, services = fake_app(YUNLIAO_FUNCTION_SECRET=SECRET)
        services.signed_calls = SignedCalls(SECRET, shared.once, SystemClock())
        clients.append(app.test_client())
    signed = header()
    assert send(clients[0], signed).status_code == 202
    for client in clients:
        answer = send(client, signed)
        assert (answer.status_code, answer.get_json()["error"]["code"]) == (403, "identity_untrusted")


def test_it_stays_refused_until_it_is_too_old_anyway() -> None:
    class Clock(SystemClock):
        now = 1_700_000_000_000

        def now_ms(self) -> int:
            return self.now

    clock, store = Clock(), MemoryStore()
    calls = SignedCalls(SECRET, store.once, clock)
    signed = header(time=clock.now + FRESH_MS)  # from a clock that is ahead: it is fresh for twice as long
    calls.verify(signed, method="POST", target="/v1/turns", body=BODY)
    for _ in range(2 * FRESH_MS // 1_000 + 10):
        clock.now += 1_000
        with pytest.raises(Exception, match=r"heard before|too long ago"):
            calls.verify(signed, method="POST", target="/v1/turns", body=BODY)


def test_without_the_secret_no_signature_is_heard() -> None:
    app, _ = fake_app()
    for secret in ("", SECRET):
        answer = send(app.test_client(), header(secret))
        assert answer.status_code == 403
        assert "YUNLIAO_FUNCTION_SECRET" in answer.get_json()["error"]["detail"]


def test_it_contradicts_an_identity_of_the_platform(client: FlaskClient) -> None:
    for headers in (CALLER, {"X-WX-SOURCE": "wx_client", "X-WX-FROM-OPENID": "oShared_000000001"}):
        assert send(client, header(), **headers).status_code == 403


def test_when_nobody_knows_whether_it_was_heard_it_is_refused() -> None:
    app, services = fake_app(YUNLIAO_FUNCTION_SECRET=SECRET)

    class Away:
        def claim(self, *_: Any, **__: Any) -> bool:
            raise StoreUnavailable

    services.signed_calls = SignedCalls(SECRET, Away(), SystemClock())
    assert send(app.test_client(), header()).get_json()["error"]["code"] == "store_unavailable"


def test_a_public_service_believes_signatures_only() -> None:
    app, _ = fake_app(YUNLIAO_FUNCTION_SECRET=SECRET, YUNLIAO_PUBLIC="on")
    client = app.test_client()
    answer = client.post("/v1/turns", data=BODY, headers={**CALLER, "Content-Type": "application/json"})
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (403, "identity_untrusted")
    assert "YUNLIAO_PUBLIC" in answer.get_json()["error"]["detail"]
    assert send(client, header()).status_code == 202


def test_the_names_of_the_jobs_want_the_secret_too() -> None:
    app, _ = fake_app()
    client = app.test_client()
    assert client.get("/jobs").status_code == 403
    answer = client.get("/jobs", headers={"X-Yunliao-Secret": "a-secret-of-sixteen"})
    assert "recover" in answer.get_json()["jobs"]
