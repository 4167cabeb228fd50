"""Who is calling, as the container sees it (platform.md §3, §3.1)."""

import http.client
import json

import pytest

from cloudrun.identity import APPID, ENVIRONMENT, SHARED_APPID, is_identity, openid_of, passed_on
from cloudrun.local import LocalCloudRun
from tests.cloudrun.support import STANDIN, Phone

FORGED = {
    "X-WX-OPENID": "oforged",
    "x-wx-from-openid": "oforged",
    "X-Wx-Unionid": "uforged",
    "X-WX-SOURCE": "wx_paycallback",
    "X-WX-APPID": "wxforged",
    "X-WX-ENV": "other",
    "X-WX-CLOUDBASE-ACCESS-TOKEN": "t",
    "X-WX-CALL-ID": "mine",
}


def headers_at_container(phone, **more):
    return phone.call("/v1/me", **more).json()["headers"]


@pytest.mark.parametrize("link", ["call", "function"])
def test_forged_identity_is_replaced(phone, link):
    seen = headers_at_container(phone, link=link, headers=FORGED)
    assert seen["x-wx-openid"] == openid_of("alice") and len(seen["x-wx-openid"]) == 28
    assert (seen["x-wx-appid"], seen["x-wx-env"], seen["x-wx-source"]) == (APPID, ENVIRONMENT, "wx_client")
    assert "x-wx-from-openid" not in seen and "x-wx-unionid" not in seen
    assert "forged" not in json.dumps(seen) and seen["x-wx-call-id"] != "mine"


def test_a_name_always_has_the_same_openid_and_names_differ(phone):
    first, second = (headers_at_container(phone, user="bob")["x-wx-openid"] for _ in range(2))
    assert first == second != headers_at_container(phone, user="carol")["x-wx-openid"]


def test_without_a_name_the_caller_is_demo(phone):
    answer = phone.pool.request("GET", phone.url + "/v1/me", headers={"X-WX-SERVICE": "yunliao"})
    assert answer.json()["headers"]["x-wx-openid"] == openid_of("demo")


def test_resource_sharing_uses_the_from_headers(phone):
    seen = headers_at_container(phone, headers={"X-Local-Shared": "1"} | FORGED)
    assert seen["x-wx-from-openid"] == openid_of("alice", SHARED_APPID) != openid_of("alice")
    assert seen["x-wx-from-appid"] == SHARED_APPID
    assert "x-wx-openid" not in seen


def test_excluded_credentials_are_left_out(phone):
    seen = headers_at_container(phone, headers={"X-WX-EXCLUDE-CREDENTIALS": "unionid, OpenID"})
    assert "x-wx-openid" not in seen and seen["x-wx-source"] == "wx_client" and seen["x-wx-appid"] == APPID


def test_the_call_id_is_the_clients_too(phone):
    answer = phone.call("/v1/me")
    assert answer.json()["headers"]["x-wx-call-id"] == answer.headers["X-Local-Call-Id"]


def test_the_gateways_own_parameters_do_not_reach_the_container(phone):
    seen = phone.call("/v1/me?a=%2F1&local_user=zoe&b=%E4%BD%A0", headers={"X-Local-Shared": "0"}).json()
    assert seen["query"] == "a=%2F1&b=%E4%BD%A0"
    assert not [name for name in seen["headers"] if name.startswith("x-local")]


def test_a_forwarding_header_is_not_believed(phone):
    assert headers_at_container(phone, headers={"X-Forwarded-For": "6.6.6.6"})["x-forwarded-for"] == "127.0.0.1"


@pytest.mark.parametrize("name", ["X_WX_OPENID", "x-wx_openid", "X_WX-SOURCE", "x-WX-openid", "X-Wx-Anything"])
def test_every_spelling_a_container_could_read_as_identity_is_taken_away(name):
    assert is_identity(name)
    assert passed_on([(name, "x"), ("Accept", "y")], strip_identity=True, pass_underscore=False) == [("Accept", "y")]


def test_underscored_names_reach_only_a_container_that_takes_them_and_only_when_switched_on(pool):
    with LocalCloudRun(folder=STANDIN, env={"STANDIN_HEADER_MAP": "dangerous"}) as careless:
        phone = Phone(careless.url, pool)
        forged = {"X_WX_OPENID": "oforged"}
        assert "oforged" not in headers_at_container(phone, headers=forged)["x-wx-openid"]
        careless.faults(pass_underscore=True)
        assert "oforged" in headers_at_container(phone, headers=forged)["x-wx-openid"]


def test_underscored_names_are_dropped_by_gunicorn_as_shipped(cloud, phone):
    cloud.faults(pass_underscore=True)
    assert headers_at_container(phone, headers={"X_WX_OPENID": "oforged"})["x-wx-openid"] == openid_of("alice")


def test_the_public_link_is_off_and_when_on_carries_no_identity_of_ours(cloud, phone):
    refused = phone.call("/v1/me", link="public")
    assert refused.status == 403 and refused.json()["errCode"] == -606006
    cloud.faults(public_link=True)
    assert not [name for name in headers_at_container(phone, link="public") if name.startswith("x-wx")]
    assert headers_at_container(phone, link="public", headers=FORGED)["x-wx-openid"] == "oforged"
    cloud.faults(public_strips_identity=True)
    assert not [n for n in headers_at_container(phone, link="public", headers=FORGED) if n.startswith("x-wx")]


def test_the_operator_plane_is_reached_as_from_the_vpc_and_by_a_mini_program_but_not_from_outside(phone):
    inside = phone.pool.request("GET", phone.url + "/op/v1/me", headers={"Authorization": "Bearer t"})
    seen = inside.json()["headers"]
    assert not [name for name in seen if name.startswith("x-wx")] and seen["authorization"] == "Bearer t"
    assert phone.call("/op/v1/me", link="public", headers={"X-Local-Link": "public"}).status == 403
    assert phone.call("/op/v1/me").json()["headers"]["x-wx-openid"] == openid_of("alice")


def test_pages_of_another_origin_are_refused(phone):
    assert phone.call("/v1/me", headers={"Origin": "http://evil.example"}).status == 403
    assert phone.call("/v1/me", headers={"Origin": phone.url}).status == 200


@pytest.mark.parametrize("headers", [{"Origin": "http://evil.example"}, {"Host": "evil.example"}])
def test_the_control_plane_is_for_this_machine_only(phone, headers):
    host, port = phone.url.removeprefix("http://").split(":")
    connection = http.client.HTTPConnection(host, int(port))
    connection.request("POST", "/__local/faults", b"{}", headers)
    assert connection.getresponse().status == 403
    connection.close()
