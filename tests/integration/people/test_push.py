"""WeChat says that somebody left: their data goes, once, and nobody else can say so (platform.md §6)."""

import time
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.integration.people.stack import APPID, Instance, Person, Stack

PLATFORM = {"X-WX-SOURCE": "other"}
LEAVING = ["user_authorization_cancellation", "user_authorization_revoke"]


def event(person: Person, name: str = LEAVING[0], **more: Any) -> dict[str, Any]:
    return {
        "ToUserName": "gh_0123456789ab",
        "FromUserName": "o_platform_service",
        "CreateTime": int(time.time()),
        "MsgType": "event",
        "Event": name,
        "OpenID": person.openid,
        "AppID": APPID,
        "RevokeInfo": "1",
        **more,
    }


def push(where: Instance, body: Any, path: str = "/wx/push", headers: dict[str, str] = PLATFORM) -> TestResponse:
    client = where.app.test_client()
    if isinstance(body, dict):
        return client.post(path, json=body, headers=headers)
    return client.post(path, data=body, headers={"Content-Type": "text/xml", **headers})


def held(where: Instance, person: Person) -> bool:
    return where.services.people.find(person.principal, fresh=True) is not None


def xml(body: dict[str, Any]) -> str:
    fields = "".join(
        f"<{name}>{value}</{name}>" if isinstance(value, int) else f"<{name}><![CDATA[{value}]]></{name}>"
        for name, value in body.items()
    )
    return f"<xml>{fields}</xml>"


@pytest.mark.parametrize("name", LEAVING)
@pytest.mark.parametrize("form", ["json", "xml"])
def test_who_left_is_erased_and_nobody_else(instance: Instance, name: str, form: str) -> None:
    person, neighbour = Person("leaver").agree(instance), Person("neighbour").agree(instance)
    person.chat(instance, "一个问题")
    body = event(person, name)
    for _ in range(3):  # the platform repeats itself
        answer = push(instance, body if form == "json" else xml(body))
        assert (answer.status_code, answer.data) == (200, b"success")
        assert not held(instance, person)
    assert held(instance, neighbour)


def test_a_push_that_comes_again_late_leaves_who_came_back_alone(instance: Instance) -> None:
    person = Person("boomerang").agree(instance)
    body = event(person, CreateTime=int(time.time()))
    push(instance, body)
    assert not held(instance, person)
    time.sleep(1.1)  # the platform's time has whole seconds
    person.agree(instance)
    person.chat(instance, "我回来了")
    push(instance, body)
    push(instance, event(person, CreateTime=1_600_000_000))
    assert held(instance, person)
    push(instance, event(person, CreateTime=2**39))  # a clock that is ahead: as of now
    assert not held(instance, person)


@pytest.mark.parametrize(
    "change",
    [
        {"Event": "user_info_modified"},
        {"Event": "subscribe"},
        {"Event": ""},
        {"OpenID": "oNobody0000000000000000000000"},
        {"OpenID": ""},
        {"AppID": "wxstranger"},
    ],
)
def test_other_events_do_nothing_and_are_welcome(instance: Instance, change: dict[str, str]) -> None:
    person = Person("stays").agree(instance)
    answer = push(instance, event(person) | change)
    assert (answer.status_code, answer.data) == (200, b"success")
    assert held(instance, person)


def test_an_event_without_an_appid_means_all_that_are_allowed(instance: Instance) -> None:
    person = Person("leaver").agree(instance)
    assert push(instance, event(person, AppID="")).status_code == 200
    assert not held(instance, person)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-WX-SOURCE": ""},
        {"X-WX-SOURCE": "wx_client"},
        {"X-WX-SOURCE": "wx_devtools"},
        {"X-WX-SOURCE": "scf,wx_client"},
        {"X-WX-SOURCE": "other", "X-WX-SERVICE": "yunliao"},
    ],
)
def test_a_user_of_the_mini_program_cannot_say_that_another_left(instance: Instance, headers: dict[str, str]) -> None:
    person = Person("victim").agree(instance)
    answer = push(instance, event(person), headers=headers)
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (403, "identity_untrusted")
    assert held(instance, person)


def test_with_a_secret_in_its_path_only_who_knows_it_is_believed(stacked: Stack) -> None:
    instance = stacked.start(YUNLIAO_PUSH_SECRET="0123456789abcdef")
    person = Person("leaver").agree(instance)
    for path in ("/wx/push", "/wx/push/", "/wx/push/0123456789abcdeF", "/wx/push/é"):
        assert push(instance, event(person), path).status_code in (403, 404)
    assert held(instance, person)
    assert push(instance, {"action": "CheckContainerPath"}, "/wx/push/0123456789abcdef").data == b"success"
    assert push(instance, event(person), "/wx/push/0123456789abcdef").data == b"success"
    assert not held(instance, person)


@pytest.mark.parametrize(
    "body",
    [
        "<xml><action>CheckContainerPath</action></xml>",
        "",
        "<xml></xml>",
        '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><xml><Event>&a;</Event></xml>',
        "<xml><Event><Event>subscribe</Event></Event></xml>",
    ],
)
def test_probes_and_strange_xml_are_answered_and_nothing_is_done(instance: Instance, body: str) -> None:
    answer = push(instance, body)
    assert (answer.status_code, answer.data) == (200, b"success")


@pytest.mark.parametrize("body", [b"{", b"[1]", b'{"Event": 5}', b"\xff\xfe", b"<xml><Event>\xff</Event></xml>"])
def test_a_broken_push_is_refused_in_words(instance: Instance, body: bytes) -> None:
    answer = push(instance, body)
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (400, "invalid_request")
