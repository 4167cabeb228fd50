"""Limits, errors and accidents of the gateway's links (platform.md §1.3, §1.4)."""

import contextlib
import json

import pytest
import urllib3

from cloudrun.local import LocalCloudRun
from tests.cloudrun.support import STANDIN, Phone, until

KIB = 1024


def test_a_call_longer_than_the_cap_gets_102002_and_the_container_is_done_with_it_alone(cloud, phone):
    cloud.faults(cap_seconds=0.3)
    assert phone.errcode("/v1/slow?s=2") == 102002
    cloud.faults(cap_seconds=15.0)
    assert phone.call("/healthz").status == 200


def test_the_caps_are_the_platforms_unless_changed(cloud):
    values = cloud.state()["switches"]["values"]
    assert (values["cap_seconds"], values["request_seconds"]) == (15.0, 60.0)
    assert (values["request_cap_bytes"], values["response_cap_bytes"]) == (100 * KIB, 1000 * KIB)


def test_request_bodies_end_at_100_kib(phone):
    assert phone.call("/v1/x", "POST", body=b"x" * 100 * KIB).json()["length"] == 100 * KIB
    assert phone.errcode("/v1/x", "POST", body=b"x" * (100 * KIB + 1)) == -606001


def test_a_chunked_body_cannot_pass_the_cap(phone):
    assert phone.errcode("/v1/x", "POST", body=(b"x" * 10 * KIB for _ in range(11))) == -606001


def test_answers_end_at_1000_kib(phone):
    assert len(phone.call(f"/v1/big?n={1000 * KIB}").data) == 1000 * KIB
    assert phone.errcode(f"/v1/big?n={1000 * KIB + 1}") == -606002
    assert len(phone.call(f"/v1/big?n={1000 * KIB + 1}", link="function").data) == 1000 * KIB + 1


@pytest.mark.parametrize("method", ["PATCH", "HEAD", "OPTIONS", "TRACE"])
def test_other_verbs_get_102005(phone, method):
    answer = phone.call("/v1/x", method)
    assert answer.status == 599 and answer.headers["X-Local-Errcode"] == "102005"


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_the_four_verbs_arrive_as_they_are(phone, method):
    assert phone.call("/v1/x", method).json()["method"] == method


def test_a_service_that_does_not_exist(phone):
    assert phone.errcode("/v1/x", headers={"X-WX-SERVICE": "other"}) == -601031


def test_call_container_delivers_an_event_stream_whole(phone):
    answer = phone.call("/v1/stream?n=5")
    assert "Transfer-Encoding" not in answer.headers and answer.headers["Content-Length"] == str(len(answer.data))
    assert answer.data.count(b"data:") == 5


def test_an_endless_stream_never_arrives_over_call_container(cloud, phone):
    cloud.faults(cap_seconds=0.3)
    assert phone.errcode("/v1/stream?n=200&pause=0.05") == 102002


def test_the_function_link_streams_and_a_caller_that_leaves_ends_the_container_s_work(cloud, phone):
    before = cloud.log(1).count("drip ended")
    answer = phone.call(
        "/v1/stream?n=100000&pause=0.02", link="function", preload_content=False, headers={"X-Local-Instance": "1"}
    )
    assert next(answer.stream(9)).startswith(b"data: 0")
    answer.close()
    until(lambda: cloud.log(1).count("drip ended") > before, "the container noticed that the caller left")


def test_a_caller_that_leaves_a_silent_stream_is_noticed(cloud, phone):
    before = cloud.log(1).count("drip ended")
    pinned = {"X-Local-Instance": "1"}
    answer = phone.call("/v1/stream?n=40&pause=0.5", link="function", preload_content=False, headers=pinned)
    next(answer.stream(9))
    answer.close()
    until(lambda: cloud.log(1).count("drip ended") > before, "the container noticed that the caller left")


def test_headers_and_names_that_are_not_text_do_not_break_the_gateway(phone):
    assert phone.call("/v1/x", headers={"X-Odd": b"\xff\xfe"}).status == 200
    assert phone.call("/v1/x", user=b"\xff".decode("latin-1")).status == 200


def test_a_stream_longer_than_the_gateway_allows_is_cut_not_finished(cloud, phone):
    cloud.faults(request_seconds=0.4)
    answer = phone.call("/v1/stream?n=100000&pause=0.02", link="function", preload_content=False)
    with pytest.raises(urllib3.exceptions.ProtocolError):
        for _ in answer.stream(64):
            pass


def test_requests_go_round_without_affinity(phone):
    numbers = [phone.call("/v1/x").headers["X-Local-Instance"] for _ in range(6)]
    assert numbers in (["1", "2"] * 3, ["2", "1"] * 3)


def test_duplicate_delivery_reaches_two_instances_and_answers_once(cloud, phone):
    counts = {n: phone.call("/v1/x", headers={"X-Local-Instance": n}).json()["count"] for n in "12"}
    cloud.faults(duplicate_delivery=True, times=1)
    assert phone.call("/v1/x", "POST", body=b"{}").status == 200

    def after():
        return {n: phone.call("/v1/x", headers={"X-Local-Instance": n}).json()["count"] for n in "12"}

    first = after()
    assert first == {n: counts[n] + 2 for n in "12"}


def test_an_answer_can_be_lost_after_the_container_did_the_work(cloud, phone):
    pinned = {"X-Local-Instance": "1"}
    before = phone.call("/v1/x", headers=pinned).json()["count"]
    cloud.faults(lose_answer=True, times=1)
    assert phone.errcode("/v1/x", "POST", headers=pinned) == 102002
    assert phone.call("/v1/x", headers=pinned).json()["count"] == before + 2


@pytest.mark.parametrize("code", [-501000, -501003, -601034, -606003, 40097, -405005])
def test_any_platform_error_can_be_asked_for_once(cloud, phone, code):
    cloud.faults(platform_error=code, times=1)
    assert phone.errcode("/v1/x") == code
    assert phone.call("/v1/x").status == 200


def test_texts_without_a_code_of_their_own(cloud, phone):
    cloud.faults(upstream_connect_error=True, times=1)
    assert "upstream connect error" in phone.call("/v1/x").json()["errMsg"]
    cloud.faults(service_not_ready=True, times=1)
    assert "SERVICE_NOT_READY" in phone.call("/v1/x").json()["errMsg"]


def test_a_switch_can_hold_for_one_path_only(cloud, phone):
    cloud.faults(platform_error=-501001, match="/v1/tickets")
    assert phone.errcode("/v1/tickets") == -501001
    assert phone.call("/v1/x").status == 200


def test_status_outside_2xx_is_a_result_or_a_failure(cloud, phone):
    assert phone.call("/v1/x?code=409").status == 409
    cloud.faults(non_2xx="fail")
    assert phone.errcode("/v1/x?code=409") == 600000
    assert phone.call("/v1/x?code=202").status == 202


def test_offline_drops_the_connection(cloud, phone):
    cloud.faults(offline=True)
    with pytest.raises(urllib3.exceptions.ProtocolError):
        phone.call("/v1/x")
    cloud.faults(offline=False)
    assert phone.call("/v1/x").status == 200


def test_slowness_counts_against_the_cap(cloud, phone):
    cloud.faults(cap_seconds=0.3, bytes_per_second=1000)
    assert phone.errcode("/v1/big?n=10000") == 102002
    cloud.faults(bytes_per_second=0, latency_ms=1000)
    assert phone.errcode("/v1/big?n=10") == 102002
    cloud.faults(cap_seconds=15.0, latency_ms=1, bytes_per_second=1_000_000)
    assert len(phone.call("/v1/big?n=1000").data) == 1000
    assert len(phone.call("/v1/big?n=70000", link="function").data) == 70000


def test_an_instance_that_dies_in_a_request_is_an_upstream_error(pool):
    with LocalCloudRun(instances=2, folder=STANDIN) as cloud:
        phone = Phone(cloud.url, pool)
        answer = phone.call("/v1/die", headers={"X-Local-Instance": "1"})
        assert answer.status == 599 and "upstream connect error" in answer.json()["errMsg"]
        until(lambda: cloud.state()["instances"][0]["state"] == "crashed", "the crash was noticed")
        assert {phone.call("/v1/x").headers["X-Local-Instance"] for _ in range(3)} == {"2"}


@pytest.mark.parametrize("order", [{"nonsense": 1}, {"offline": "yes"}, {"cap_seconds": True}, {"non_2xx": "maybe"}])
def test_a_wrong_switch_is_refused_and_changes_nothing(cloud, order):
    before = cloud.state()["switches"]
    with pytest.raises(ValueError, match=next(iter(order))):
        cloud.faults(**order)
    assert cloud.state()["switches"] == before


def test_controls_that_do_not_exist(cloud):
    for path in ("nothing", "instances/9/kill", "instances/1/dance", "instances/x/kill"):
        with pytest.raises(ValueError, match=r"no such|can be told"):
            cloud.control(path, {})


def test_a_timer_reaches_a_platform_route_without_a_user(cloud):
    answer = cloud.control("trigger", {"path": "/jobs/recover", "headers": {"X-Secret": "s"}})
    seen = json.loads(answer["body"])
    assert seen["headers"]["x-wx-source"] == "wx_trigger" and seen["headers"]["x-secret"] == "s"
    assert "x-wx-openid" not in seen["headers"] and seen["method"] == "POST"


def test_the_front_page_says_what_to_try_and_a_preview_server_takes_its_place(phone, running, pool):
    page = pool.request("GET", phone.url + "/")
    assert "curl" in page.data.decode() and phone.url in page.data.decode()
    assert pool.request("GET", phone.url + "/nothing").status == 404
    preview = running.state()["instances"][0]["url"]
    with LocalCloudRun(attach=[preview], preview=preview) as cloud:
        seen = pool.request("GET", cloud.url + "/v2/page.js?x=1").json()
        assert (seen["path"], seen["query"]) == ("/v2/page.js", "x=1")
        assert cloud.state()["instances"][0]["url"] == preview
    with LocalCloudRun(attach=[preview], preview="http://127.0.0.1:9") as cloud:
        assert pool.request("GET", cloud.url + "/").status == 502


def test_a_client_that_breaks_off_does_not_hurt_the_gateway(phone):
    for _ in range(5):
        with contextlib.suppress(urllib3.exceptions.HTTPError):
            phone.pool.request(
                "GET", phone.url + "/v1/slow?s=1", headers={"X-WX-SERVICE": "yunliao"}, timeout=0.05, retries=False
            )
    assert phone.call("/v1/x").status == 200
