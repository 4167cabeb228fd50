"""The WeChat server API simulation: msg_sec_check v2 field by field and fault by fault (platform.md §5.1)."""

import json

import pytest
import urllib3

from cloudrun.identity import SHARED_APPID, openid_of
from tests.cloudrun.support import until

GOOD = {"content": "你好", "version": 2, "scene": 2, "openid": openid_of("alice")}
PATH = "/wxa/msg_sec_check"


@pytest.fixture
def check(cloud, pool, phone):
    """Call msg_sec_check as user alice, who has just visited."""
    phone.call("/v1/x")

    def call(method="POST", raw=None, query="", **fields):
        body = raw if raw is not None else json.dumps(GOOD | fields, ensure_ascii=False).encode()
        return pool.request(method, cloud.wechat_url + PATH + query, body=body, retries=False, timeout=30)

    return call


def test_a_harmless_text_passes_with_everything_the_page_promises(check):
    answer = check()
    body = answer.json()
    assert body["errcode"] == 0 and body["result"] == {"suggest": "pass", "label": 100}
    assert body["trace_id"] and answer.headers["x-openapi-seqid"]
    assert body["detail"][0]["errcode"] == 0 and body["detail"][0]["strategy"] == "content_model"


@pytest.mark.parametrize(
    ("content", "suggest"),
    [
        ("前面违禁演示词后面", "risky"),
        ("a forbidden-demo b", "risky"),
        ("待审演示词", "review"),
        ("review-demo", "review"),
        ("违禁演示", "pass"),
        ("违禁\u200b演示词", "pass"),
        ("违禁演示词 待审演示词", "risky"),
        ("字" * 2490 + "违禁演示词", "risky"),
    ],
)
def test_demo_phrases_decide_the_verdict(check, content, suggest):
    body = check(content=content).json()
    assert body["result"]["suggest"] == suggest
    assert [d for d in body["detail"] if d["suggest"] == suggest]


def test_title_and_nickname_are_checked_too(check):
    assert check(title="forbidden-demo").json()["result"]["suggest"] == "risky"
    assert check(nickname="review-demo").json()["result"]["suggest"] == "review"


@pytest.mark.parametrize(
    ("fields", "errcode"),
    [
        ({"version": "2"}, 47001),
        ({"version": 1}, 47001),
        ({"version": True}, 47001),
        ({"content": 5}, 47001),
        ({"content": None}, 47001),
        ({"content": ""}, 44002),
        ({"access_token": "t"}, 47001),
        ({"scene": 0}, 40129),
        ({"scene": 5}, 40129),
        ({"scene": "1"}, 40129),
        ({"scene": None}, 40129),
        ({"openid": ""}, 40003),
        ({"openid": "short"}, 40003),
        ({"openid": 7}, 40003),
        ({"openid": openid_of("stranger")}, 61010),
        ({"content": "字" * 2501}, 47001),
    ],
)
def test_wrong_fields(check, fields, errcode):
    body = check(**fields).json()
    assert body["errcode"] == errcode and body["errmsg"] and "result" not in body


@pytest.mark.parametrize(
    ("method", "raw", "errcode"),
    [
        ("GET", b"", 43002),
        ("POST", b"", 44002),
        ("POST", b"{", 47001),
        ("POST", b"[1]", 47001),
        ("POST", b"\xff", 47001),
    ],
)
def test_wrong_requests(check, method, raw, errcode):
    assert check(method, raw).json()["errcode"] == errcode


def test_exactly_2500_characters_are_allowed_and_the_code_beyond_is_a_switch(cloud, check):
    assert check(content="😀" * 2500).json()["errcode"] == 0
    cloud.wechat(oversize_errcode=45002)
    assert check(content="字" * 2501).json()["errcode"] == 45002


def test_version_1_has_no_result(check):
    assert check(raw=b'{"content": "hello"}').json()["errcode"] == 0
    body = check(raw=b'{"content": "forbidden-demo"}').json()
    assert body["errcode"] == 87014 and "result" not in body


def test_the_two_hour_rule_follows_the_gateway(cloud, check, phone):
    stranger = openid_of("dora")
    assert check(openid=stranger).json()["errcode"] == 61010
    phone.call("/healthz", user="dora")
    assert check(openid=stranger).json()["errcode"] == 0
    cloud.wechat(visit_seconds=0.0)
    assert check(openid=stranger).json()["errcode"] == 61010
    cloud.wechat(two_hour_rule=False)
    assert check(openid=openid_of("nobody")).json()["errcode"] == 0


def test_a_shared_user_needs_from_appid(check, phone):
    phone.call("/v1/x", headers={"X-Local-Shared": "1"})
    shared = openid_of("alice", SHARED_APPID)
    assert check(openid=shared).json()["errcode"] == 43104
    assert check(openid=shared, query=f"?from_appid={SHARED_APPID}").json()["errcode"] == 0
    assert check(query=f"?from_appid={SHARED_APPID}").json()["errcode"] == 43104


def test_limits_are_counted(cloud, check):
    cloud.wechat(minute_limit=3)
    assert [check().json()["errcode"] for _ in range(5)] == [0, 0, 0, 44991, 44991]
    cloud.wechat(minute_limit=100, day_limit=6)
    assert [check().json()["errcode"] for _ in range(2)] == [0, 45009]


def test_4000_calls_a_minute_and_2_million_a_day_are_the_limits_at_rest(cloud):
    values = cloud.control("wechat")["values"]
    assert (values["minute_limit"], values["day_limit"]) == (4000, 2_000_000)


@pytest.mark.parametrize("code", [-1, 40001, 43104, 44991, 45009, 48001, 61010, 85107, 85113, 87014, 99999])
def test_any_errcode_for_the_next_calls(cloud, check, code):
    cloud.wechat(errcode=code, times=2)
    assert [check().json()["errcode"] for _ in range(3)] == [code, code, 0]


def test_a_fault_can_wait_for_a_content(cloud, check):
    cloud.wechat(errcode=-1, match="第二窗")
    assert check(content="第一窗").json()["errcode"] == 0
    assert check(content="这是第二窗").json()["errcode"] == -1


def test_verdicts_can_be_forced(cloud, check):
    cloud.wechat(suggest="review", label=20012)
    assert check().json()["result"] == {"suggest": "review", "label": 20012}
    cloud.wechat(reset=True, failed_strategy=True)
    body = check().json()
    assert body["result"]["suggest"] == "pass"
    assert [d["suggest"] for d in body["detail"] if d["errcode"] != 0] == ["risky"]


def test_broken_answers(cloud, check):
    cloud.wechat(http_status=502, times=1)
    assert check().status == 502
    cloud.wechat(garbage=True, times=1)
    with pytest.raises(ValueError, match=r"Expecting|property"):
        check().json()
    cloud.wechat(no_result=True, times=1)
    assert "result" not in check().json()
    cloud.wechat(sidecar_missing=True, times=1)
    assert "x-openapi-seqid" not in check().headers
    cloud.wechat(drop=True, times=1)
    with pytest.raises(urllib3.exceptions.ProtocolError):
        check()
    assert check().json()["errcode"] == 0


def test_a_hanging_call_is_seen_and_ends_with_its_caller(cloud, pool, check):
    cloud.wechat(hang=True, times=1)
    with pytest.raises(urllib3.exceptions.ReadTimeoutError):
        pool.request("POST", cloud.wechat_url + PATH, json=GOOD, timeout=0.3, retries=False)
    until(lambda: cloud.wechat_calls()["in_flight"] == 0, "the call ended")
    assert cloud.wechat_calls()["calls"][-1]["errcode"] == "unanswered"


def test_latency_delays_but_answers(cloud, check):
    cloud.wechat(latency_ms=20, jitter_ms=20)
    assert check().json()["errcode"] == 0


def test_calls_are_recorded_without_what_people_wrote_unless_asked(cloud, check):
    check(content="我的秘密")
    seen = cloud.wechat_calls()
    call = seen["calls"][-1]
    assert (call["characters"], call["version"], call["scene"], call["errcode"]) == (4, 2, 2, 0)
    assert "我的秘密" not in json.dumps(seen, ensure_ascii=False) and openid_of("alice") not in json.dumps(seen)
    cloud.wechat(record_content=True)
    check(content="这个可以记")
    assert cloud.wechat_calls()["calls"][-1]["content"] == "这个可以记"
    assert cloud.wechat_calls()["total"] == 2 == cloud.wechat_calls()["by_errcode"]["0"]


def test_paths_that_are_not_in_the_permission_list(cloud, pool):
    assert pool.request("POST", cloud.wechat_url + "/wxa/other", json={}).json()["errcode"] == 85107


def test_alone_it_is_driven_through_its_own_sim_routes(cloud, pool):
    pool.request("POST", cloud.wechat_url + "/__sim/visit", json={"openid": openid_of("fred")})
    pool.request("POST", cloud.wechat_url + "/__sim/faults", json={"suggest": "risky"})
    body = pool.request("POST", cloud.wechat_url + PATH, json=GOOD | {"openid": openid_of("fred")}).json()
    assert body["result"]["suggest"] == "risky"
    assert pool.request("GET", cloud.wechat_url + "/__sim/calls").json()["total"] == 1
    assert pool.request("POST", cloud.wechat_url + "/__sim/faults", json={"hangs": True}).status == 400
