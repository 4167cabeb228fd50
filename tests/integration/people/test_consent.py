"""Nothing is stored and nothing is served before the consent to the current texts; leaving is always possible."""

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pymongo
import pytest

from tests.integration.people.stack import Instance, Person, Stack
from yunliao.errors import Misconfigured
from yunliao.web.user import WITHOUT_CONSENT


def routes(instance: Instance) -> list[tuple[str, str, str]]:
    """Endpoint, method and an address of every user route."""
    return [
        (rule.endpoint, method, re.sub(r"<[^>]+>", "some_id", rule.rule))
        for rule in instance.app.url_map.iter_rules()
        if rule.endpoint.startswith("user.")
        for method in sorted((rule.methods or set()) - {"HEAD"})
    ]


def gated(instance: Instance, person: Person) -> set[str]:
    """The endpoints that ask for consent."""
    return {
        endpoint
        for endpoint, method, path in routes(instance)
        if method != "DELETE" or endpoint not in ("user.erase", "user.withdraw")
        if person.code(instance, method, path, {} if method in ("POST", "PUT") else None) == (403, "consent_required")
    }


def test_without_consent_only_reading_answering_and_leaving_is_served(instance: Instance) -> None:
    newcomer = Person("newcomer")
    everything = {endpoint for endpoint, _, _ in routes(instance)}
    assert everything > WITHOUT_CONSENT
    assert gated(instance, newcomer) == everything - WITHOUT_CONSENT
    assert instance.services.store.users.get(instance.services.people.user_id_of(newcomer.principal)) is None
    me = newcomer.call(instance, "GET", "/v1/me")
    assert (me["consent"]["version"], me["consent"]["overseas"]) == ("", False)
    assert newcomer.code(instance, "GET", "/v1/me/export") == (404, "not_found")
    receipt = newcomer.call(instance, "DELETE", "/v1/me")
    assert (receipt["held"], receipt["records"], receipt["remains"]) == (False, {}, [])
    newcomer.agree(instance)
    assert gated(instance, newcomer) == set()
    assert newcomer.call(instance, "GET", "/v1/me")["user"] == me["user"]


def test_a_consent_is_to_words_other_words_are_asked_about_again(
    stacked: Stack, instance: Instance, tmp_path: Path
) -> None:
    person = Person("reader").agree(instance, overseas=True)
    turn = person.chat(instance, "第一个问题")
    texts = tmp_path / "texts"
    texts.mkdir()
    (texts / "privacy.en.md").write_text("# Our privacy\n\nother words", encoding="utf-8")
    newer = stacked.start(YUNLIAO_TEXTS_DIR=str(texts))
    before, after = person.call(instance, "GET", "/v1/config"), person.call(newer, "GET", "/v1/config")
    assert before["consent_version"] != after["consent_version"]
    assert before["agreement"] == after["agreement"]
    assert (after["privacy_en"]["title"], after["privacy_en"]["markdown"]) == (
        "Our privacy",
        "# Our privacy\n\nother words",
    )
    assert before["privacy_en"]["version"] != after["privacy_en"]["version"]
    consent = person.call(newer, "GET", "/v1/me")["consent"]
    assert (consent["version"], consent["current"]) == (before["consent_version"], after["consent_version"])
    everything = {endpoint for endpoint, _, _ in routes(newer)}
    assert gated(newer, person) == everything - WITHOUT_CONSENT
    assert turn["id"] in person.export(newer)
    assert person.code(newer, "PUT", "/v1/me/consent", {"version": before["consent_version"]}) == (
        400,
        "invalid_request",
    )
    person.call(newer, "PUT", "/v1/me/consent", {"version": after["consent_version"], "overseas": False})
    assert gated(newer, person) == set()
    assert person.call(newer, "DELETE", "/v1/me")["held"]


def test_both_languages_are_served_and_the_packaged_ones_say_what_they_must(instance: Instance) -> None:
    config = Person("reader").call(instance, "GET", "/v1/config")
    assert [config[name]["title"] for name in ("agreement", "agreement_en", "privacy", "privacy_en")] == [
        "用户协议",
        "User agreement",
        "隐私说明",
        "Privacy notice",
    ]
    for name in ("agreement", "privacy"):
        assert re.search("[\u4e00-\u9fff]{12}", config[name]["markdown"])
        assert len(re.findall(r"\b[a-z]+\b", config[f"{name}_en"]["markdown"])) > 100
    assert "标识" in config["agreement"]["markdown"]  # platform.md §12, Art. 8: the agreement describes the labels
    assert "label" in config["agreement_en"]["markdown"]


def test_an_instance_agrees_at_once_with_what_another_one_was_told(stacked: Stack, instance: Instance) -> None:
    other = stacked.start()
    person = Person("mover")
    assert person.code(other, "GET", "/v1/conversations")[1] == "consent_required"
    person.agree(instance)
    assert person.call(other, "GET", "/v1/conversations")["conversations"] == []
    person.call(instance, "DELETE", "/v1/me/consent")
    # What begins something asks anew; what only reads may be some seconds late.
    refused = person.code(other, "POST", "/v1/turns", {"client_id": "message-1", "text": "还能发吗"})
    assert refused == (403, "consent_required")
    assert person.code(other, "POST", "/v1/tickets", {}) == (403, "consent_required")
    assert person.code(instance, "GET", "/v1/conversations") == (403, "consent_required")
    person.agree(instance)
    person.chat(other, "又可以了")


def test_a_send_asks_for_the_account_in_the_moment_it_is_stored(
    stacked: Stack, instance: Instance, store_url: str
) -> None:
    """Another instance knows the account as it was seconds ago: no send is accepted, and none refused, by that."""
    other = stacked.start()
    person = Person("mover").agree(instance)
    asked = {"client_id": "message-1", "text": "还能发吗"}

    def known() -> None:
        assert person.call(other, "GET", "/v1/conversations") is not None

    known()
    standing, user_id = instance.services.store.standing, instance.services.people.user_id_of(person.principal)
    standing.suspend(user_id, until=2**50)
    assert person.code(other, "POST", "/v1/turns", asked) == (403, "suspended")
    standing.suspend(user_id, until=0)
    person.chat(other, "放出来了")
    known()
    standing.cool(user_id, until=2**50)
    assert person.code(other, "POST", "/v1/turns", asked) == (429, "cooling_down")
    assert person.call(instance, "DELETE", "/v1/me")["held"]
    assert person.code(other, "POST", "/v1/turns", asked) == (403, "consent_required")
    assert instance.services.store.turns.by_client_id(user_id, "message-1") is None


def test_who_left_and_came_back_is_answered_by_who_still_knows_the_old_account(
    stacked: Stack, instance: Instance
) -> None:
    other = stacked.start()
    person = Person("returner").agree(instance)
    person.chat(other, "第一次")
    person.call(instance, "DELETE", "/v1/me")
    person.agree(instance)
    turn = person.chat(other, "又来了")
    told = person.call(instance, "GET", f"/v1/conversations/{turn['conversation_id']}/messages")["messages"]
    assert "又来了" in {one.get("text") for one in told}


def test_a_withdrawal_ends_a_live_answer_and_is_in_the_history(stacked: Stack, instance: Instance) -> None:
    stacked.relay.holding = True
    person = Person("leaver").agree(instance)
    turn = person.send(instance, "说来话长")
    view = person.call(instance, "DELETE", "/v1/me/consent")
    assert (view["version"], view["overseas"]) == ("", False)
    stacked.relay.release.set()
    person.agree(instance, overseas=False)
    assert person.end(instance, turn["id"])["reason"] == "stopped"
    again = [one["version"] != "" for one in json.loads(person.export(instance))["consents"]]
    assert again == [True, False, True]


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"  \n", b"x" * 60_000])
def test_texts_that_are_none_are_told_at_the_start(stacked: Stack, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "agreement.md").write_bytes(content)
    with pytest.raises(Misconfigured, match=r"agreement\.md"):
        stacked.start(YUNLIAO_TEXTS_DIR=str(tmp_path))


def test_who_is_suspended_can_still_take_their_data_and_leave(instance: Instance, store_url: str) -> None:
    person = Person("suspended").agree(instance)
    turn = person.chat(instance, "一个问题")
    suspend(store_url, instance.services.people.user_id_of(person.principal))
    instance.services.people.forget(instance.services.people.user_id_of(person.principal))
    assert person.code(instance, "GET", "/v1/conversations") == (403, "suspended")
    assert person.code(instance, "PUT", "/v1/me/consent", {"version": "latest"}) == (403, "suspended")
    assert turn["id"] in person.export(instance)
    assert person.call(instance, "DELETE", "/v1/me")["held"]


def suspend(url: str, user_id: str) -> None:
    if url.startswith("sqlite:"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
            connection.execute("UPDATE users SET suspended_until = ? WHERE id = ?", (2**50, user_id))
            connection.commit()
        return
    with pymongo.MongoClient[dict[str, Any]](url) as client:
        change = {"$set": {"suspended_until": 2**50}}
        client.get_default_database()["users"].update_one({"_id": user_id}, change)
