"""Credits with the real containers: parallel sends, stop, block, cut, kill and takeover; then the books are proved."""

import io
import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from cloudrun.identity import APPID, openid_of
from cloudrun.local import LocalCloudRun
from mongod import ReplicaSet
from tests.e2e.conftest import SETTINGS
from tests.e2e.phone import LIMIT, Phone, Refused, end_of, text_of
from tests.e2e.test_main_job import ANSWER
from yunliao import cli

LONG = ANSWER * 4
PRICES = {
    "version": "e2e-1",
    "models": {"demo": {"input": 2_000_000, "output": 8_000_000}},
    "plans": {"free": {"daily": 300_000}},
    "limits": {"service_day": 50_000_000},
}


@pytest.fixture(scope="module", params=["sqlite", "mongodb"])
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloudRun]:
    folder = tmp_path_factory.mktemp("credits")
    file = folder / "prices.json"
    file.write_text(json.dumps(PRICES))
    if request.param == "mongodb":
        with (
            ReplicaSet(folder / "mongod") as replica_set,
            LocalCloudRun(
                instances=2,
                data=folder,
                model="demo",
                env={**SETTINGS, "YUNLIAO_PRICES": str(file)},
                store_url=replica_set.url(),
            ) as cloud,
        ):
            yield cloud
        return
    with LocalCloudRun(instances=2, data=folder, model="demo", env={**SETTINGS, "YUNLIAO_PRICES": str(file)}) as cloud:
        yield cloud


@pytest.fixture
def book(cloud: LocalCloudRun) -> Callable[..., tuple[int, str]]:
    """The command line of the same service: exit code and what it said."""

    def ledger(*words: str) -> tuple[int, str]:
        out = io.StringIO()
        code = cli.main(["ledger", *words], cloud.world.environment(), out)
        return code, out.getvalue()

    return ledger


@pytest.fixture(autouse=True)
def proved(book: Callable[..., tuple[int, str]]) -> Iterator[None]:
    """After every test here the books prove themselves."""
    yield
    code, told = book("verify")
    assert code == 0, told


def receipt(phone: Phone, turn: str) -> Any:
    return phone.call("GET", f"/v1/turns/{turn}/receipt")


def balance(phone: Phone) -> tuple[int, int]:
    seen = phone.call("GET", "/v1/me/credits")
    return seen["balance"], seen["reserved"]


def test_a_complete_answer_is_paid_as_the_relay_counted(cloud: LocalCloudRun, phone: Phone) -> None:
    cloud.relay(answer=ANSWER)
    before, _ = balance(phone)
    events = phone.ask("你好")
    usage, paid = end_of(events)["usage"], receipt(phone, events[0]["turn_id"])
    assert not usage["estimated"] and paid["usage"] == usage
    assert paid["charged"] == 2 * usage["input_tokens"] + 8 * usage["output_tokens"]
    assert paid["charged"] == sum(line["amount"] for line in paid["lines"]) and paid["saved_by_stop"] is None
    assert balance(phone) == (before - paid["charged"], 0)
    moved = phone.call("GET", "/v1/me/credits/entries")["entries"]
    assert [(one["kind"], one["change"]) for one in moved] == [("settle", -paid["charged"]), ("allowance", before)]


def test_a_stop_pays_until_the_stop_and_says_what_it_saved(cloud: LocalCloudRun, phone: Phone) -> None:
    cloud.relay(answer=LONG, tokens_per_second=60)
    turn = phone.send("长一点")["turn"]["id"]
    events: list[dict[str, Any]] = []
    while not text_of(events):
        events += phone.poll(turn, events[-1]["seq"] if events else 0)["events"]
    assert balance(phone)[1] > 0
    phone.call("POST", f"/v1/turns/{turn}/stop", {})
    events += phone.until_end(turn, events[-1]["seq"])
    paid = receipt(phone, turn)
    assert (end_of(events)["reason"], paid["rule"]) == ("stopped", "stopped")
    assert 0 < paid["charged"] < 8 * len(LONG)
    assert paid["saved_by_stop"] == paid["reserved"] - paid["charged"] > 0
    assert balance(phone) == (300_000 - paid["charged"], 0)


@pytest.mark.parametrize("text", ["请说违禁演示词吧", "好好说话"])
def test_what_is_blocked_is_free(cloud: LocalCloudRun, phone: Phone, text: str) -> None:
    cloud.relay(answer="正常的开头，慢慢讲来。" * 20 + "违禁演示词")
    events = phone.ask(text)
    paid = receipt(phone, events[0]["turn_id"])
    assert end_of(events)["reason"] == "blocked"
    assert paid["rule"] == end_of(events)["error"]["code"] and paid["charged"] == 0
    assert balance(phone) == (300_000, 0)


def test_an_upstream_that_fails_before_a_word_costs_nothing(cloud: LocalCloudRun, phone: Phone) -> None:
    cloud.relay(status=500)
    events = phone.ask("你好")
    assert receipt(phone, events[0]["turn_id"])["rule"] == "failed_early"
    assert balance(phone) == (300_000, 0)


def test_many_sends_at_once_set_aside_once(
    cloud: LocalCloudRun, phone: Phone, book: Callable[..., tuple[int, str]]
) -> None:
    cloud.relay(answer=LONG, tokens_per_second=120)
    results: list[Any] = []

    def go(number: int) -> None:
        body = {"client_id": f"parallel-{number:04d}", "text": f"同时{number}"}
        try:
            results.append(phone.call("POST", "/v1/turns", body)["turn"]["id"])
        except Refused as refused:
            results.append(refused.code)

    threads = [threading.Thread(target=go, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LIMIT)
    accepted = [one for one in results if one.startswith("turn_0")]
    assert len(accepted) == 1 and len(results) == 12
    paid = receipt(phone, accepted[0])
    assert (paid["state"], paid["charged"]) == ("reserved", 0)
    assert balance(phone) == (300_000 - paid["reserved"], paid["reserved"])
    assert book("verify")[0] == 0  # while it is live
    phone.until_end(accepted[0])
    assert balance(phone) == (300_000 - receipt(phone, accepted[0])["charged"], 0)


def test_a_killed_instances_answer_is_paid_once_and_repeats_nothing(cloud: LocalCloudRun, phone: Phone) -> None:
    cloud.relay(answer=LONG, tokens_per_second=60)
    first = {"X-Local-Instance": "1"}
    turn = phone.call("POST", "/v1/turns", {"client_id": "killed-0001", "text": "会被打断"}, first)["turn"]["id"]
    events: list[dict[str, Any]] = []
    while not text_of(events):
        events += phone.poll(turn, events[-1]["seq"] if events else 0)["events"]
    cloud.kill(1)
    events += phone.until_end(turn, events[-1]["seq"])
    assert (end_of(events)["reason"], text_of(events)) == ("complete", LONG)
    paid = receipt(phone, turn)
    cloud.start(1)
    cloud.relay(tokens_per_second=0)
    whole = receipt(phone, phone.ask("会被打断", conversation_id=None)[0]["turn_id"])
    # As much as an answer that nobody interrupted, within what counting differs from the relay's own count.
    assert paid["rule"] == "complete" and abs(paid["charged"] - whole["charged"]) < whole["charged"] * 0.35
    kinds = [one["kind"] for one in phone.call("GET", "/v1/me/credits/entries?all=true")["entries"]]
    assert kinds.count("settle") == 2 and kinds.count("reserve") == 2


def test_regenerated_and_continued_answers_are_turns_of_their_own(cloud: LocalCloudRun, phone: Phone) -> None:
    cloud.relay(answer=LONG, tokens_per_second=80)
    turn = phone.send("长一点")["turn"]["id"]
    events: list[dict[str, Any]] = []
    while not text_of(events):
        events += phone.poll(turn, events[-1]["seq"] if events else 0)["events"]
    phone.call("POST", f"/v1/turns/{turn}/stop", {})
    phone.until_end(turn, events[-1]["seq"])
    cloud.relay(tokens_per_second=0)
    paid = receipt(phone, turn)["charged"]
    for number, way in enumerate(("continue", "regenerate")):
        again = phone.call("POST", f"/v1/turns/{turn}/{way}", {"client_id": f"again-000{number}"})["turn"]["id"]
        phone.until_end(again)
        assert receipt(phone, again)["rule"] == "complete"
        paid += receipt(phone, again)["charged"]
        turn = again
    assert balance(phone) == (300_000 - paid, 0)


def test_codes_grants_and_want_of_credits(
    cloud: LocalCloudRun, phone: Phone, book: Callable[..., tuple[int, str]]
) -> None:
    cloud.relay(answer=ANSWER)
    user = phone.call("GET", "/v1/me")["user"]["id"]
    code, made = book("codes", "make", "--count", "2", "--amount", "1.5c")
    assert code == 0
    first = made.split()[0]
    assert phone.call("POST", "/v1/me/credits/redeem", {"code": first})["amount"] == 1_500_000
    assert book("grant", "--user", user, "--amount", "250", "--reason", "谢谢", "--reference", "x")[0] == 0
    assert "before" in book("grant", "--user", user, "--amount", "250", "--reason", "谢谢", "--reference", "x")[1]
    assert balance(phone)[0] == 300_000 + 1_500_000 + 250
    paid = receipt(phone, phone.ask("你好")[0]["turn_id"])
    assert book("refund", "--turn", paid["turn_id"], "--reason", "抱歉")[0] == 0
    assert receipt(phone, paid["turn_id"])["refunded"] == paid["charged"]
    left, _ = balance(phone)
    assert left == 300_000 + 1_500_000 + 250
    assert book("withdraw", "--user", user, "--amount", str(left + 1), "--reason", "x")[0] == 1
    assert book("withdraw", "--user", user, "--amount", str(left - 5), "--reason", "x")[0] == 0
    with pytest.raises(Refused) as refused:
        phone.send("还有吗")
    assert (refused.value.code, refused.value.error["available"]) == ("insufficient_credits", 5)
    assert "available 5" in book("show", "--user", user)[1]


def test_the_command_line_finds_people_by_openid(
    cloud: LocalCloudRun, phone: Phone, book: Callable[..., tuple[int, str]], capsys: pytest.CaptureFixture[str]
) -> None:
    user = phone.call("GET", "/v1/me")["user"]["id"]
    openid = openid_of(phone.user)
    assert book("grant", "--openid", openid, "--appid", APPID, "--amount", "77", "--reason", "x")[0] == 0
    assert "available 300077" in book("show", "--user", user)[1]
    for words, told in (
        (("--openid", "oNobody_0000000001", "--appid", APPID), "no such user"),
        (("--openid", openid), "--appid"),
        (("--user", "ffffffffffff"), "no such user"),
        (("--user", "short"), "at least 8"),
        ((), "--user or by --openid"),
    ):
        assert book("show", *words)[0] == 1
        assert told in capsys.readouterr().err
