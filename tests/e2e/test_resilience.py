"""What must survive: connections that blink, instances that die, servers that are told to leave."""

import contextlib
import itertools
import random
import time
from collections.abc import Callable
from typing import Any

import pytest

from cloudrun.local import LocalCloudRun
from tests.e2e.phone import Phone, Refused, end_of, text_of
from tests.e2e.test_main_job import ANSWER, wait_for

LONG = ANSWER * 4


def by_poll(phone: Phone, turn: str, after: int) -> list[dict[str, Any]]:
    return phone.poll(turn, after)["events"][:1]  # type: ignore[no-any-return]


def by_sse(phone: Phone, turn: str, after: int) -> list[dict[str, Any]]:
    with contextlib.closing(phone.sse(turn, after)) as events:  # type: ignore[type-var]
        return list(itertools.islice(events, 1))


def by_socket(phone: Phone, turn: str, after: int) -> list[dict[str, Any]]:
    socket = phone.socket()
    try:
        return list(itertools.islice(socket.events(turn, after), 1))
    finally:
        socket.close()


def test_switching_transport_after_every_event_gives_the_same_text(cloud: LocalCloudRun, phone: Phone) -> None:
    cloud.relay(answer=LONG, tokens_per_second=120)
    turn = phone.send("换着听")["turn"]["id"]
    events: list[dict[str, Any]] = []
    ways = itertools.cycle([by_poll, by_sse, by_socket])
    deadline = time.monotonic() + 60
    while not events or events[-1]["type"] != "end":
        assert time.monotonic() < deadline
        events += next(ways)(phone, turn, events[-1]["seq"] if events else 0)
    assert end_of(events)["reason"] == "complete"
    assert text_of(events) == LONG
    for way in (phone.until_end(turn), list(phone.sse(turn))):
        assert way == events


def test_a_socket_closed_in_mid_answer_and_a_poll_from_its_cursor(cloud: LocalCloudRun, phone: Phone) -> None:
    cloud.relay(answer=LONG, tokens_per_second=120)
    turn = phone.send("听一半")["turn"]["id"]
    socket = phone.socket()
    heard = list(itertools.islice(socket.events(turn, 0), 3))
    socket.raw.shutdown()  # no goodbye, as when a train enters a tunnel
    events = heard + phone.until_end(turn, heard[-1]["seq"])
    assert end_of(events)["reason"] == "complete"
    assert text_of(events) == LONG


@pytest.mark.parametrize("seed", [7, 77, 777])
def test_random_mixtures_of_listeners_see_one_text(
    cloud: LocalCloudRun, new_phone: Callable[[], Phone], seed: int
) -> None:
    chance = random.Random(seed)  # the seed is in the test's name
    phone = new_phone()
    cloud.relay(answer=LONG, tokens_per_second=200)
    turn = phone.send("很多耳朵")["turn"]["id"]
    views: list[list[dict[str, Any]]] = [[], [], []]
    while any(not view or view[-1]["type"] != "end" for view in views):
        view = chance.choice([view for view in views if not view or view[-1]["type"] != "end"])
        way = chance.choice([by_poll, by_sse, by_socket])
        view += way(phone, turn, view[-1]["seq"] if view else 0)
    assert views[0] == views[1] == views[2]
    assert text_of(views[0]) == LONG


def test_kill_9_in_mid_answer_another_instance_finishes_it(cloud: LocalCloudRun, phone: Phone) -> None:
    cloud.relay(answer=LONG, tokens_per_second=60)
    cloud.wechat(record_content=True)
    sent = phone.call(
        "POST", "/v1/turns", {"client_id": "will-be-killed-1", "text": "会被打断"}, {"X-Local-Instance": "1"}
    )
    turn = sent["turn"]["id"]
    events: list[dict[str, Any]] = []
    while not text_of(events):
        events += phone.poll(turn, events[-1]["seq"] if events else 0)["events"]
    cloud.kill(1)
    cloud.relay(tokens_per_second=0)  # who goes on is quick
    events += phone.until_end(turn, events[-1]["seq"])
    assert end_of(events)["reason"] == "complete"
    assert text_of(events) == LONG  # nothing missing, nothing twice
    question, answer = phone.messages(sent["turn"]["conversation_id"])
    assert question["text"] == "会被打断"
    assert answer["text"] == LONG
    assert cloud.relay_requests()["total"] == 2  # the killed generation and the one that went on
    checked = [call["content"] for call in cloud.wechat_calls()["calls"]]
    assert checked.count("会被打断") == 1  # the question had passed already


def test_kill_9_of_the_only_instance_and_a_restart() -> None:
    with LocalCloudRun(instances=1, env={"YUNLIAO_LEASE_SECONDS": "1"}) as cloud:
        cloud.relay(answer=LONG, tokens_per_second=60, first_token_ms=0)
        phone = Phone(cloud.url, "alone")
        sent = phone.send("会重启")
        turn = sent["turn"]["id"]
        events: list[dict[str, Any]] = []
        while not text_of(events):
            events += phone.poll(turn, events[-1]["seq"] if events else 0)["events"]
        cloud.kill(1)
        cloud.relay(tokens_per_second=0)
        cloud.start(1)
        events += phone.until_end(turn, events[-1]["seq"])
        assert end_of(events)["reason"] == "complete"
        assert text_of(events) == LONG
        assert phone.messages(sent["turn"]["conversation_id"])[0]["text"] == "会重启"


def test_a_dead_turn_does_not_lock_its_user_out(cloud: LocalCloudRun, phone: Phone) -> None:
    cloud.relay(answer=LONG, tokens_per_second=30)
    sent = phone.call("POST", "/v1/turns", {"client_id": "left-alone-1", "text": "没人听"}, {"X-Local-Instance": "1"})
    cloud.kill(1)
    cloud.relay(answer="好。", tokens_per_second=0)

    def again() -> Any:
        try:
            return phone.send("还能说话吗")
        except Refused as refused:
            assert refused.code == "turn_in_progress"
            return None

    answer = wait_for(again)
    assert end_of(phone.until_end(answer["turn"]["id"]))["reason"] == "complete"
    assert end_of(phone.until_end(sent["turn"]["id"]))["reason"] == "complete"


def test_the_timer_recovers_a_turn_nobody_listens_to(cloud: LocalCloudRun, phone: Phone) -> None:
    cloud.relay(answer=LONG, tokens_per_second=30)
    sent = phone.call("POST", "/v1/turns", {"client_id": "timer-0001", "text": "等定时器"}, {"X-Local-Instance": "1"})
    cloud.kill(1)
    cloud.relay(answer="好。", tokens_per_second=0)
    secret = {"X-Yunliao-Secret": "secret-canaryword7731-jobs"}
    wait_for(lambda: phone.call("POST", "/jobs/recover", {}, secret)["taken_over"] == 1)
    assert end_of(phone.until_end(sent["turn"]["id"]))["reason"] == "complete"


def test_sigterm_finishes_live_answers_and_sends_sockets_elsewhere(cloud: LocalCloudRun, phone: Phone) -> None:
    cloud.relay(answer=ANSWER, tokens_per_second=60)
    turn = phone.send("正要更新")["turn"]["id"]
    sockets = [phone.socket() for _ in range(2)]  # one on each instance
    for number in (1, 2):
        cloud.tell(number, "term")
    codes = set()
    for socket in sockets:
        opcode, data = socket.raw.recv_data()
        codes.add((opcode, int.from_bytes(data[:2], "big")))
        socket.raw.shutdown()
    assert codes == {(8, 1012)}
    for number in (1, 2):
        wait_for(lambda number=number: cloud.state()["instances"][number - 1]["state"] != "ready")
        cloud.start(number)
    events = phone.until_end(turn)
    assert end_of(events)["reason"] == "complete"
    assert text_of(events) == ANSWER


def test_a_drain_hands_over_at_once_what_does_not_finish_in_time() -> None:
    # A lease this long would be felt: it is given back, not waited for.
    env = {"YUNLIAO_GRACE_SECONDS": "1", "YUNLIAO_LEASE_SECONDS": "60", "YUNLIAO_RATE_LIMIT": "1000/minute"}
    with LocalCloudRun(instances=2, env=env) as cloud:
        cloud.relay(answer=ANSWER * 4, first_token_ms=0, tokens_per_second=40)
        phone = Phone(cloud.url, "handed-over")
        body = {"client_id": "to-be-handed-over", "text": "说到一半换人"}
        turn = phone.call("POST", "/v1/turns", body, headers={"X-Local-Instance": "1"})["turn"]["id"]
        wait_for(lambda: any(event["type"] == "text" for event in phone.poll(turn)["events"]))
        cloud.relay(tokens_per_second=0)  # whoever goes on is quick
        cloud.tell(1, "term")
        events = phone.until_end(turn)
        assert (end_of(events)["reason"], text_of(events)) == ("complete", ANSWER * 4)
        assert cloud.relay_requests()["total"] == 2


def test_a_client_that_never_reads_is_cut_and_another_is_not_disturbed(
    cloud: LocalCloudRun, new_phone: Callable[[], Phone]
) -> None:
    cloud.relay(answer=LONG * 5, tokens_per_second=0)
    deaf, well = new_phone(), new_phone()
    turn = deaf.send("不读")["turn"]["id"]
    socket = deaf.socket()
    for _ in range(300):  # each resume sends the whole log again, which nobody reads
        try:
            socket.put({"op": "resume", "turn": turn, "after": 0})
        except (OSError, ValueError):
            break
    cloud.relay(answer="好。", tokens_per_second=0)
    assert end_of(well.ask("你还好吗"))["reason"] == "complete"
    socket.close()
