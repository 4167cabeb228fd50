"""Several upstreams as one relay: choice, failover before the first text, limits, hedge."""

import collections
import random
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.fakes.scripted_upstream import DONE, END, Peer, Script, answer, chunk, frame, framed, head, refuse, say
from tests.integration.relay.conftest import PATIENT, REQUEST, Heard
from yunliao.adapters.clock import SystemClock
from yunliao.adapters.metrics import PrometheusMetrics
from yunliao.adapters.relay.breaker import IN_A_ROW
from yunliao.adapters.relay.client import HttpRelay
from yunliao.adapters.relay.pool import PoolPolicy, RelayPool
from yunliao.adapters.relay.upstream import Upstream
from yunliao.domain.turn import ChatMessage
from yunliao.ports import RelayRequest

NOBODY = "http://127.0.0.1:1/v1"
"""Nothing listens there."""


class RecordedMetrics(PrometheusMetrics):
    """Keeps what the pool told."""

    def __init__(self) -> None:
        super().__init__()
        self.attempts: list[tuple[str, str]] = []
        self.hedges: list[str] = []
        self.states: list[tuple[str, str]] = []
        self.changed = threading.Condition()

    def relay_attempt(self, upstream: str, outcome: str) -> None:
        with self.changed:
            self.attempts.append((upstream, outcome))
            self.changed.notify_all()

    def relay_hedge(self, outcome: str) -> None:
        self.hedges.append(outcome)

    def relay_state(self, upstream: str, state: str) -> None:
        self.states.append((upstream, state))

    def wait_for(self, *attempts: tuple[str, str]) -> None:
        """Until these and no others were told, in any order."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.attempts) >= len(attempts), 30), self.attempts
            assert sorted(self.attempts) == sorted(attempts)


@pytest.fixture
def metrics() -> RecordedMetrics:
    return RecordedMetrics()


@pytest.fixture
def pool(upstream: Callable[..., Any], metrics: RecordedMetrics) -> Iterator[Callable[..., RelayPool]]:
    """A pool of upstreams `a`, `b`, …; each given as its address, or as a dict with more."""
    made: list[RelayPool] = []

    def make(
        *given: Any, first_byte: float = 30, hedge_after: float = 0, seed: int = 7, off: set[str] | None = None
    ) -> RelayPool:
        clock = SystemClock()
        upstreams = []
        for name, one in zip("abcdef", given, strict=False):
            more = dict(one) if isinstance(one, dict) else {"at": one}
            at = more.pop("at")
            relay = HttpRelay(
                at if isinstance(at, str) else at.url,
                "sk-secret",
                limits=PATIENT,
                clock=clock,
                name=name,
                models=more.pop("names", {}),
                pace=0.0,
            )
            more.setdefault("models", frozenset({"m-1"}))
            upstreams.append(Upstream(relay, clock, changed=metrics.relay_state, **more))
        made.append(
            RelayPool(
                upstreams,
                policy=PoolPolicy(first_byte=first_byte, hedge_after=hedge_after),
                clock=clock,
                metrics=metrics,
                chance=random.Random(seed).random,
                off=lambda: off or set(),
            )
        )
        return made[-1]

    yield make
    for one in made:
        one.close()


def well(text: str) -> Script:
    return say(framed("length", answer(text)))


def first(at: Any) -> dict[str, Any]:
    return {"at": at, "priority": 1}


def second(at: Any) -> dict[str, Any]:
    return {"at": at, "priority": 2}


def held(released: threading.Event, *rest: bytes) -> Script:
    """Says nothing until released or left."""

    def script(peer: Peer) -> None:
        peer.read_request()
        while not released.wait(0.02):
            pass
        peer.send(*rest)

    return script


def silent(peer: Peer) -> None:
    peer.read_request()
    peer.wait_gone()


# --- switched off by an operator -----------------------------------------------------------------------------------


def test_one_that_is_switched_off_is_not_asked_and_of_none_the_turn_is_told(upstream: Any, pool: Any) -> None:
    a, b = upstream(well("a"), well("a")), upstream(well("b"))
    off = {"a"}
    made = pool(first(a), second(b), off=off)
    assert Heard(made.stream(REQUEST)).text == "b"
    assert made.summary() == "1 of 2 upstreams in order"
    off.add("b")
    heard = Heard(made.stream(REQUEST))
    assert heard.end == "relay_overloaded" and heard.failure is not None and heard.failure.retry_after == 60
    off.clear()
    assert Heard(made.stream(REQUEST)).text == "a"
    assert Heard(made.attempt("a", REQUEST, 30)).text == "a"


def test_failures_of_an_upstream_are_kept_for_operators_to_see(upstream: Any, pool: Any) -> None:
    a, b = upstream(refuse("401 Who?"), refuse("422 No")), upstream(well("b"))
    made = pool(first(a), second(b))
    assert Heard(made.stream(REQUEST)).text == "b"
    assert Heard(made.stream(REQUEST)).end == "relay_refused"  # the request's own fault says nothing of the upstream
    [seen, other] = made.listed()
    assert ([one.code for one in seen.recent], other.recent) == (["relay_refused"], [])
    assert seen.host == a.url.split("/")[2] and seen.models == ["m-1"]


# --- failover -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "script",
    [
        refuse("500 Oops"),
        refuse("503 Busy", Retry_After="3600"),
        refuse("429 Slow down", Retry_After="3600"),
        refuse("401 Who?"),
        refuse("404 No such model"),
        refuse("402 Pay"),
        say(b""),
        say(b"SSH-2.0-x\r\n"),
        say(head()[:20]),
        say(framed("length", b"")),
        say(framed("length", DONE)),
        say(framed("length", chunk(finish="stop") + DONE)),
        say(framed("length", b'data: {"error":{"code":"server_error"}}\n\n')),
        say(framed("length", b"data: {broken\n\n")),
        say(framed("length", b'{"error":{"message":"overloaded"}}')),
        say(head(framing="9", kind="text/html") + b"<!doctype"),
        say(head() + frame(chunk(role="assistant"))),
    ],
)
def test_a_first_upstream_that_gives_nothing_costs_no_answer(upstream, pool, metrics, script: Script) -> None:
    one, other = upstream(script), upstream(well("好"))
    heard = Heard(stream := pool(first(one), second(other)).stream(REQUEST))
    assert (heard.text, heard.end, stream.upstream) == ("好", "complete", "b")
    metrics.wait_for(("a", "failure"), ("b", "success"))
    assert (len(one.requests), len(other.requests)) == (1, 1)


def test_an_upstream_nobody_can_reach(upstream, pool) -> None:
    heard = Heard(pool(first(NOBODY), second(upstream(well("好")))).stream(REQUEST))
    assert (heard.text, heard.end) == ("好", "complete")


def test_silence_leaves_the_other_one_its_share_of_the_limit(upstream, pool, metrics) -> None:
    one = upstream(silent)
    heard = Heard(pool(first(one), second(upstream(well("好"))), first_byte=2).stream(REQUEST))
    assert (heard.text, heard.end) == ("好", "complete")
    assert one.peers[0].gone.wait(30)
    metrics.wait_for(("a", "failure"), ("b", "success"))


@pytest.mark.parametrize(
    ("status", "body", "end"),
    [
        ("400 No", b'{"error":{"message":"canary"}}', "relay_refused"),
        ("422 No", b"{}", "relay_refused"),
        ("400 No", b'{"error":{"code":"context_length_exceeded"}}', "context_too_long"),
        ("413 Big", b"", "context_too_long"),
        ("400 No", b'{"error":{"code":"content_filter"}}', "blocked_output"),
        ("400 No", b'{"error":{"code":"data_inspection_failed","message":"canary"}}', "blocked_output"),
    ],
)
def test_what_the_request_is_to_blame_for_is_asked_once_and_blames_nobody(
    upstream, pool, metrics, status: str, body: bytes, end: str
) -> None:
    other = upstream(well("好"))
    relays = pool(first(upstream(refuse(status, body))), second(other))
    heard = Heard(relays.stream(REQUEST))
    assert heard.end == end and not other.requests
    assert "canary" not in repr(heard.failure)
    metrics.wait_for(("a", "neutral"))


def test_after_the_first_text_nothing_is_asked_again(upstream, pool, metrics) -> None:
    other = upstream(well("好"))
    heard = Heard(stream := pool(first(upstream(say(head() + frame(chunk("一"))))), second(other)).stream(REQUEST))
    assert (heard.text, heard.end, stream.upstream) == ("一", "relay_interrupted", "a")
    assert not other.requests
    metrics.wait_for(("a", "failure"))


def test_one_alone_is_asked_again_after_a_refusal(upstream, pool, metrics) -> None:
    one = upstream(refuse("503 Busy"), refuse("429 Slow", Retry_After="0.3"), well("好"))
    heard = Heard(pool(one).stream(REQUEST))
    assert (heard.text, heard.end, len(one.requests)) == ("好", "complete", 3)


def test_no_more_than_three_times(upstream, pool) -> None:
    one = upstream(*[refuse("503 Busy")] * 5)
    assert Heard(pool(one).stream(REQUEST)).end == "relay_overloaded"
    assert len(one.requests) == 3


def test_a_generation_that_may_have_been_paid_for_is_not_asked_again(upstream, pool) -> None:
    one = upstream(say(framed("length", DONE)), well("好"))
    assert Heard(pool(one).stream(REQUEST)).end == "relay_empty"
    assert len(one.requests) == 1


def test_when_all_fail_the_one_that_answered_is_told(upstream, pool) -> None:
    heard = Heard(pool(first(upstream(*[refuse("401 Who?")])), second(NOBODY), first_byte=3).stream(REQUEST))
    assert heard.end == "relay_refused"


def test_a_retry_after_is_respected_by_other_answers_too(upstream, pool, metrics) -> None:
    one, other = upstream(refuse("429 Slow", Retry_After="3600"), well("a")), upstream(well("1"), well("2"), well("3"))
    relays = pool(first(one), second(other))
    assert [Heard(relays.stream(REQUEST)).text for _ in range(3)] == ["1", "2", "3"]
    assert len(one.requests) == 1
    assert relays.standings()[0].waits > 60


# --- choice -------------------------------------------------------------------------------------------------------


def request(model: str, **more: Any) -> RelayRequest:
    return RelayRequest(model=model, messages=(ChatMessage("user", "你好"),), **more)


def test_only_upstreams_that_have_the_model_are_asked_by_their_own_names(upstream, pool) -> None:
    one, other = upstream(well("a")), upstream(well("b"))
    relays = pool(
        {"at": one, "models": frozenset({"fast"}), "names": {"fast": "vendor/fast-1"}},
        {"at": other, "models": frozenset({"deep"}), "names": {"deep": "deep-2"}},
    )
    assert Heard(relays.stream(request("deep"))).text == "b"
    assert Heard(relays.stream(request("fast"))).text == "a"
    assert Heard(relays.stream(request("gone"))).end == "relay_refused"
    assert (one.requests[0].body["model"], other.requests[0].body["model"]) == ("vendor/fast-1", "deep-2")


def test_one_to_avoid_is_asked_only_if_there_is_no_other(upstream, pool) -> None:
    relays = pool(first(upstream(well("a"))), second(upstream(well("b"))))
    assert Heard(relays.stream(request("m-1", avoid="a"))).text == "b"
    assert Heard(pool(upstream(well("a"))).stream(request("m-1", avoid="a"))).text == "a"


def test_before_every_attempt_it_is_asked_whether_somebody_still_wants_it(upstream, pool) -> None:
    one, said = upstream(refuse("503 Busy"), well("a")), iter([True, False])
    heard = Heard(pool(one).stream(request("m-1", still=lambda: next(said))))
    assert (heard.end, len(one.requests)) == ("nothing", 1)


def test_equal_priorities_share_by_weight(pool) -> None:
    relays = pool({"at": NOBODY, "weight": 3.0}, {"at": NOBODY, "weight": 1.0}, {"at": NOBODY, "priority": 2})
    counts = collections.Counter("".join(one.name for one in relays.order(relays.upstreams)) for _ in range(4000))
    assert set(counts) == {"abc", "bac"}
    assert 2700 < counts["abc"] < 3300  # three quarters; the seed is fixed


def test_a_full_upstream_is_passed_over_and_waited_for_when_it_is_the_only_one(upstream, pool) -> None:
    release, spoke = threading.Event(), threading.Event()

    def busy(peer: Peer) -> None:
        peer.read_request()
        peer.send(head() + frame(chunk("慢")))
        spoke.wait(30)
        while not release.wait(0.02):
            pass
        peer.send(frame(chunk(finish="stop") + DONE) + END)

    one, other = upstream(busy, well("后来")), upstream(well("b"))
    relays = pool({"at": one, "priority": 1, "max_live": 1}, second(other))
    held_stream = iter(relays.stream(REQUEST))
    next(held_stream)
    spoke.set()
    assert Heard(relays.stream(REQUEST)).text == "b"
    alone = RelayPool(
        relays.upstreams[:1], policy=relays.policy, clock=relays.clock, metrics=relays.metrics, chance=lambda: 0.5
    )
    heard: list[str] = []
    waiting = threading.Thread(target=lambda: heard.append(Heard(alone.stream(REQUEST)).text))
    waiting.start()
    release.set()
    for _ in held_stream:
        pass
    waiting.join(30)
    assert heard == ["后来"]
    assert [standing.live for standing in relays.standings()] == [0, 0]


# --- breaker ------------------------------------------------------------------------------------------------------


def test_a_failing_upstream_is_left_out_until_its_breaker_lets_a_trial_through(upstream, pool, metrics) -> None:
    one = upstream(*[refuse("500 Oops")] * IN_A_ROW)
    other = upstream(*[well("b")] * (IN_A_ROW + 3))
    relays = pool(first(one), second(other))
    for _ in range(IN_A_ROW + 3):
        assert Heard(relays.stream(REQUEST)).text == "b"
    assert len(one.requests) == IN_A_ROW
    assert metrics.states == [("a", "open")]
    assert relays.standings()[0].state == "open"
    assert relays.summary() == "1 of 2 upstreams in order"


def test_when_every_breaker_is_open_one_is_still_asked_once(upstream, pool) -> None:
    one = upstream(*[refuse("500 Oops")] * IN_A_ROW, well("wieder da"))
    relays = pool(one)
    while relays.standings()[0].state == "closed":
        assert Heard(relays.stream(REQUEST)).end == "relay_overloaded"
    assert Heard(relays.stream(REQUEST)).text == "wieder da"
    assert relays.standings()[0].state == "closed"


def test_a_stop_by_the_user_is_no_failure(upstream, pool, metrics) -> None:
    one = upstream(*[silent] * (IN_A_ROW + 1))
    relays = pool(one)
    for _ in range(IN_A_ROW + 1):
        stream = relays.stream(REQUEST)
        ended = threading.Thread(target=lambda stream=stream: list(stream))
        asked = len(one.peers)
        ended.start()
        while len(one.peers) == asked or not one.peers[-1].asked.wait(1):
            pass
        stream.close()
        ended.join(30)
        assert not ended.is_alive() and one.peers[-1].gone.wait(30)
    assert relays.standings()[0].state == "closed"
    metrics.wait_for(*[("a", "stopped")] * (IN_A_ROW + 1))


def test_leaving_in_the_middle_closes_the_upstream_and_is_no_failure(upstream, pool, metrics) -> None:
    def talks(peer: Peer) -> None:
        peer.read_request()
        peer.send(head() + frame(chunk("一")))
        peer.wait_gone()

    one = upstream(talks)
    for _ in pool(one).stream(REQUEST):
        break
    assert one.peers[0].gone.wait(30)
    metrics.wait_for(("a", "stopped"))


# --- hedge --------------------------------------------------------------------------------------------------------


def test_a_late_first_byte_asks_a_second_one_and_closes_the_first(upstream, pool, metrics) -> None:
    one = upstream(silent)
    heard = Heard(stream := pool(first(one), second(upstream(well("b"))), hedge_after=0.2).stream(REQUEST))
    assert (heard.text, heard.end, stream.upstream) == ("b", "complete", "b")
    assert one.peers[0].gone.wait(30)
    metrics.wait_for(("a", "stopped"), ("b", "success"))
    assert metrics.hedges == ["won"]


def test_the_first_one_may_still_win(upstream, pool, metrics) -> None:
    release = threading.Event()

    def loser(peer: Peer) -> None:
        peer.read_request()
        release.set()
        peer.wait_gone()

    other = upstream(loser)
    one = upstream(held(release, framed("length", answer("a"))))
    heard = Heard(pool(first(one), second(other), hedge_after=0.2).stream(REQUEST))
    assert (heard.text, heard.end) == ("a", "complete")
    assert other.peers[0].gone.wait(30)
    metrics.wait_for(("a", "success"), ("b", "stopped"))
    assert metrics.hedges == ["lost"]


def test_a_prompt_answer_asks_nobody_else(upstream, pool, metrics) -> None:
    other = upstream(well("b"))
    heard = Heard(pool(first(upstream(well("a"))), second(other), hedge_after=20).stream(REQUEST))
    assert (heard.text, other.requests, metrics.hedges) == ("a", [], [])


def test_slow_words_after_the_first_ask_nobody_else(upstream, pool, metrics) -> None:
    def slow(peer: Peer) -> None:
        peer.read_request()
        peer.send(head() + frame(chunk("一")))
        peer.gone.wait(0.6)
        peer.send(frame(chunk("二") + chunk(finish="stop") + DONE) + END)

    other = upstream(well("b"))
    heard = Heard(pool(first(upstream(slow)), second(other), hedge_after=0.3).stream(REQUEST))
    assert heard.text in ("一二", "b")  # "b" only where the first word took longer than that to cross this machine
    assert heard.text == "b" or (other.requests, metrics.hedges) == ([], [])


def test_both_fail(upstream, pool, metrics) -> None:
    release = threading.Event()

    def fails_then(peer: Peer) -> None:
        peer.read_request()
        peer.send(head("401 Who?", framing="2", kind="application/json") + b"{}")
        release.set()

    one = upstream(held(release, head("403 No", framing="2", kind="application/json") + b"{}"))
    heard = Heard(pool(first(one), second(upstream(fails_then)), hedge_after=0.2).stream(REQUEST))
    assert heard.end == "relay_refused"
    metrics.wait_for(("a", "failure"), ("b", "failure"))
    assert metrics.hedges == ["failed"]


def test_a_hedge_has_nobody_to_ask(upstream, pool, metrics) -> None:
    release = threading.Event()
    one = upstream(held(release, framed("length", answer("a"))))
    threading.Timer(0.6, release.set).start()
    assert Heard(pool(one, hedge_after=0.2).stream(REQUEST)).text == "a"
    assert metrics.hedges == [] and len(one.requests) == 1


def test_a_stop_closes_both(upstream, pool, metrics) -> None:
    one, other = upstream(silent), upstream(silent)
    stream = pool(first(one), second(other), hedge_after=0.1).stream(REQUEST)
    ended = threading.Thread(target=lambda: list(stream))
    ended.start()
    while not (one.peers and other.peers and other.peers[0].asked.wait(1)):
        pass
    stream.close()
    ended.join(30)
    assert not ended.is_alive()
    assert one.peers[0].gone.wait(30) and other.peers[0].gone.wait(30)
    metrics.wait_for(("a", "stopped"), ("b", "stopped"))


def test_the_keys_are_in_no_repr(pool) -> None:
    relays = pool(NOBODY, NOBODY)
    shown = f"{relays!r} {relays.upstreams!r} {relays.stream(REQUEST)!r} {relays.standings()!r}"
    assert "sk-secret" not in shown
