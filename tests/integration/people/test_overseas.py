"""Words of who did not allow it never leave the country: not by choice, failover, hedge, takeover, nor moderation."""

import json
from collections.abc import Iterator

import pytest

from tests.integration.people.stack import Instance, Person, Stack, upstream, wait_until

MODELS = ["both", "abroad", "home"]


@pytest.fixture
def stacked(stacked: Stack) -> Iterator[Stack]:
    """`both` is served here and abroad (preferred), `abroad` only there, `home` only here; the default is `abroad`."""
    stacked.env["YUNLIAO_RELAYS"] = json.dumps(
        [
            upstream("abroad", stacked.abroad, ["abroad", "both"], priority=1),
            upstream("home", stacked.relay, ["both", "home"], priority=2, domestic=True),
        ]
    )
    stacked.env["YUNLIAO_MODEL"] = "abroad"
    yield stacked


def code(person: Person, where: Instance, **more: str) -> tuple[int, str]:
    return person.code(where, "POST", "/v1/turns", {"client_id": "message-1", "text": "你好", **more})


def test_a_model_abroad_needs_its_own_consent(stacked: Stack, instance: Instance) -> None:
    person = Person("athome").agree(instance, overseas=False)
    assert code(person, instance, model="abroad") == (403, "overseas_consent_required")
    models = person.call(instance, "GET", "/v1/models")["models"]
    assert {one["id"]: (one["domestic"], one["overseas"], one["default"]) for one in models} == {
        "abroad": (False, True, False),
        "both": (False, False, True),
        "home": (True, False, False),
    }
    turn = person.chat(instance, "用默认的")
    assert instance.services.store.turns.get(turn["id"]).model == "both"  # type: ignore[union-attr]
    for model in ("both", "home"):
        person.chat(instance, "在境内回答", model=model)
    assert stacked.abroad.asked == []
    assert len(stacked.relay.asked) == 3
    person.agree(instance, overseas=True)
    assert [one["id"] for one in person.call(instance, "GET", "/v1/models")["models"] if one["default"]] == ["abroad"]
    person.chat(instance, "用默认的")
    person.chat(instance, "都可以", model="both")
    assert len(stacked.abroad.asked) == 2


def test_who_is_not_known_is_shown_what_needs_no_leave(stacked: Stack, instance: Instance) -> None:
    shown = Person("newcomer").call(instance, "GET", "/v1/models")["models"]
    assert [one["id"] for one in shown if one["default"]] == ["both"]


def test_no_failover_and_no_hedge_leaves_the_country(stacked: Stack) -> None:
    instance = stacked.start(YUNLIAO_RELAY_HEDGE_SECONDS="0.05", YUNLIAO_RELAY_FIRST_BYTE_SECONDS="3")
    person = Person("athome").agree(instance, overseas=False)
    stacked.relay.refuse = 503
    failed = person.end(instance, person.send(instance, "境内都坏了", model="both")["id"])
    assert failed["reason"] == "failed"
    assert failed["error"]["code"].startswith("relay_")
    assert stacked.abroad.asked == []
    stacked.relay.refuse = 0
    stacked.relay.holding = True  # silent after the first word: a hedge would ask another one meanwhile
    turn = person.send(instance, "很慢", model="both")
    wait_until(lambda: stacked.relay.asked[-1]["messages"][-1]["content"] == "很慢", "not asked")
    stacked.relay.release.set()
    assert person.end(instance, turn["id"])["reason"] == "complete"
    assert stacked.abroad.asked == []


def test_a_withdrawal_counts_from_the_next_message_on_everywhere(stacked: Stack, instance: Instance) -> None:
    other = stacked.start()
    person = Person("mover").agree(instance, overseas=True)
    asked = person.chat(other, "在境外", model="abroad")
    assert len(stacked.abroad.asked) == 1
    person.agree(instance, overseas=False)
    assert code(person, other, model="abroad") == (403, "overseas_consent_required")
    path = f"/v1/turns/{asked['id']}/regenerate"
    assert person.code(other, "POST", path, {"client_id": "message-2"}) == (403, "overseas_consent_required")
    person.chat(other, "留在境内", model="both")
    again = person.call(other, "POST", path, {"client_id": "message-3", "model": "home"})["turn"]
    assert person.end(other, again["id"])["reason"] == "complete"
    assert len(stacked.abroad.asked) == 1


@pytest.mark.parametrize(("began", "now", "allowed"), [(True, True, True), (True, False, False), (False, True, False)])
def test_a_takeover_carries_the_leave_and_asks_whether_it_still_holds(
    stacked: Stack, instance: Instance, began: bool, now: bool, allowed: bool
) -> None:
    """The owner of a turn dies, and somebody else takes it over: abroad only if it was allowed then and is now."""
    person = Person("travelling").agree(instance, overseas=began)
    first = stacked.abroad if began else stacked.relay
    first.holding = True
    turn = person.send(instance, "说来话长", model="both")
    wait_until(lambda: first.asked, "not asked")
    instance.services.engine.close()  # its leases are renewed no more
    for run in list(instance.services.engine._runs.values()):
        run.abandon()
    instance.services.engine._runs.clear()
    other = stacked.start()
    person.agree(other, overseas=now)
    before = len(stacked.abroad.asked)
    first.release.set()
    first.holding = False
    assert person.end(other, turn["id"])["reason"] == "complete"
    assert other.services.store.turns.get(turn["id"]).takeovers == 1  # type: ignore[union-attr]
    assert (len(stacked.abroad.asked) > before) == allowed
    assert (len(stacked.relay.asked) > (0 if began else 1)) != allowed


def test_a_turn_that_only_a_server_abroad_could_go_on_with_ends_and_says_why(
    stacked: Stack, instance: Instance
) -> None:
    person = Person("travelling").agree(instance, overseas=True)
    stacked.abroad.holding = True
    turn = person.send(instance, "说来话长", model="abroad")
    wait_until(lambda: stacked.abroad.asked, "not asked")
    instance.services.engine.close()
    for run in list(instance.services.engine._runs.values()):
        run.abandon()
    instance.services.engine._runs.clear()
    other = stacked.start()
    person.agree(other, overseas=False)
    end = person.end(other, turn["id"])
    assert (end["reason"], end["error"]["code"]) == ("failed", "overseas_consent_required")
    assert len(stacked.abroad.asked) == 1


def test_moderation_abroad_is_asked_only_about_who_allowed_it(stacked: Stack) -> None:
    stacked.env["YUNLIAO_RELAYS"] = json.dumps(
        [
            upstream("abroad", stacked.abroad, ["both"], moderation=True),
            upstream("home", stacked.relay, ["both"], domestic=True),
        ]
    )
    instance = stacked.start(YUNLIAO_MODEL="both")
    Person("athome").agree(instance, overseas=False).chat(instance, "不出境")
    assert stacked.abroad.moderated == []
    Person("abroad").agree(instance, overseas=True).chat(instance, "可以出境")
    assert len(stacked.abroad.moderated) >= 2  # the question and the answer
    assert "不出境" not in json.dumps(stacked.abroad.moderated, ensure_ascii=False)
