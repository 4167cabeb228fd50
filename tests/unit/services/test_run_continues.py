"""A cut answer is gone on with, once: one turn, one text, one true ending (P3, P6)."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from tests.fakes.clock import FakeClock
from tests.fakes.scripted_relay import Gate, ScriptedRelay, Step, text_answer
from yunliao.adapters.metrics import PrometheusMetrics
from yunliao.domain.context import build, build_continuation
from yunliao.domain.events import End, Usage, decode_event
from yunliao.domain.guard import GuardPolicy
from yunliao.domain.principal import Principal
from yunliao.domain.turn import MessageBody, Turn
from yunliao.domain.verdict import PASS, Verdict
from yunliao.errors import (
    BlockedOutput,
    ContextTooLong,
    RelayEmpty,
    RelayInterrupted,
    RelayMalformed,
    RelayOverloaded,
    RelayRefused,
    RelayReported,
    RelayTimeout,
    RelayUnreachable,
    TurnFailed,
)
from yunliao.ports import RelayFinish, RelayReasoning, RelayText
from yunliao.services.admission import Slots
from yunliao.services.asking import Prompt
from yunliao.services.engine import shown_by
from yunliao.services.live_log import LiveLog
from yunliao.services.run import Run, Tools

FIRST = "春天来了，院子里的树都绿了，鸟也回来了。我们搬出桌子，泡上一壶茶，"
REST = "坐到太阳落山，谁也不想说话。后来下起雨来，就回屋里去了。"
WHOLE = FIRST + REST


class Metrics(PrometheusMetrics):
    def __init__(self) -> None:
        super().__init__()
        self.continued: list[str] = []

    def relay_continued(self, outcome: str) -> None:
        self.continued.append(outcome)


class Owner:
    user_id = "u"
    principal = Principal(openid="o", appid="wx")

    def seal(self, record: str, field: str, body: bytes) -> bytes:
        return body


class Asking:
    """Builds real prompts; `room` tokens fit."""

    def __init__(self, room: int = 10_000) -> None:
        self.room = room

    def question(self, turn: Turn, owner: Any) -> str:
        return "写春天"

    def prompt(self, turn: Turn, owner: Any, question: str, *, shown: str = "", first: bool = False) -> Prompt:
        if len(shown) > self.room:
            raise ContextTooLong
        if shown:
            return Prompt(build_continuation("s", [], question, shown, window=16_000, reserve=100), shown)
        return Prompt(build("s", [], question, window=16_000, reserve=100), "")


class Screening:
    """Blocks what holds the word."""

    def search(self, text: str) -> Verdict:
        return PASS

    def check_input(self, text: str, principal: Principal) -> Verdict:
        return PASS

    def check_window(self, text: str, principal: Principal) -> Verdict:
        return Verdict(suggest="risky", layer="wechat") if "坏词" in text else PASS

    def widen(self) -> float:
        return 1.0


def threaded(task: Callable[[], None]) -> None:
    threading.Thread(target=task, daemon=True).start()


class Stage:
    """A run over a scripted relay, and what came of it."""

    def __init__(self, *scripts: list[Step], shown: str = "", room: int = 10_000, lease_until: int = 0) -> None:
        self.relay = ScriptedRelay(*scripts)
        self.metrics = Metrics()
        self.clock = FakeClock()
        tools = Tools(
            relay=self.relay,
            screening=Screening(),  # type: ignore[arg-type]
            asking=Asking(room),  # type: ignore[arg-type]
            slots=Slots(max_live=1, max_queue=1, clock=FakeClock()),
            clock=self.clock,
            metrics=self.metrics,
            guard=GuardPolicy(),
            spawn=threaded,
            queue_seconds=1,
            answer_tokens=100,
        )
        turn = Turn(
            id="t",
            user_id="u",
            conversation_id="c",
            client_id="i",
            fingerprint=b"",
            model="m",
            created_at=1,
            lease_until=lease_until,
        )
        body = MessageBody(text=shown) if shown else None
        self.committer: Callable[[], None] = lambda: None
        """What the committer does when it is woken."""
        self.run = Run(turn, Owner(), tools, log=LiveLog([]), wake=lambda run, urgent: self.committer(), shown=body)  # type: ignore[arg-type]
        self.before = shown

    def play(self) -> "Stage":
        self.run.execute()
        self.run.collect()
        self.run.committed(lost=False)
        return self

    @property
    def end(self) -> End:
        last = decode_event(self.run.log.after(0, limit=1000)[-1].body)
        assert isinstance(last, End)
        return last

    @property
    def told(self) -> tuple[str, str]:
        """The reason and the code."""
        return self.end.reason, self.end.error.code if self.end.error else ""

    @property
    def text(self) -> str:
        return self.before + shown_by(self.run.log.after(0, limit=1000)).text

    @property
    def reasoning(self) -> str:
        return shown_by(self.run.log.after(0, limit=1000)).reasoning


def cut(*texts: Step, by: TurnFailed | None = None) -> list[Step]:
    return [*texts, by or RelayInterrupted("cut")]


@pytest.mark.parametrize(
    "again",
    [
        [REST],
        list(REST),
        [FIRST, REST],
        ["泡上一壶茶，", REST],
        ["我们搬出桌子，泡上一壶茶，" + REST],
        ["好的，我继续：\n", REST],
        ["……我们搬出桌子，泡上一壶茶，", REST],
    ],
    ids=["exactly", "by character", "anew", "repeats words", "repeats a sentence", "preamble", "dots"],
)
@pytest.mark.parametrize("pieces", [[FIRST], list(FIRST)], ids=["whole", "by character"])
def test_a_cut_answer_is_completed_without_a_repeated_or_missing_character(again: list[str], pieces: list[str]) -> None:
    stage = Stage(cut(*pieces), text_answer(*again)).play()
    assert (stage.text, stage.told) == (WHOLE, ("complete", ""))
    assert stage.metrics.continued == ["complete"]
    first, second = stage.relay.requests
    assert (second.avoid, second.request_id) == ("u1", first.request_id)
    assert second.messages[-2].content == FIRST
    assert all(stream.closed.is_set() for stream in stage.relay.streams)


@pytest.mark.parametrize("at", range(1, len(FIRST), 5))
def test_cut_at_any_place(at: int) -> None:
    stage = Stage(cut(WHOLE[:at]), text_answer(WHOLE[at:])).play()
    assert (stage.text, stage.told) == (WHOLE, ("complete", ""))


@pytest.mark.parametrize(
    ("again", "code"),
    [
        (text_answer("抱歉，我无法继续之前的回答。"), "relay_interrupted"),
        (text_answer("春天来了，院子里的树都绿了，鸟也飞来了，这是另一个开头。"), "relay_interrupted"),
        (cut(by=RelayUnreachable()), "relay_interrupted"),
        (cut(by=RelayTimeout()), "relay_interrupted"),
        (cut(by=RelayEmpty()), "relay_interrupted"),
        (cut("泡上一壶茶，"), "relay_interrupted"),
        (cut("泡上"), "relay_interrupted"),
        (cut("院子里的树都绿了，鸟也回来了。我们搬出"), "relay_interrupted"),
        (cut(FIRST[:3]), "relay_interrupted"),
    ],
    ids=[
        "refuses",
        "anew in other words",
        "unreachable",
        "silent",
        "empty",
        "only repeats",
        "begins to repeat",
        "repeats and stops in the middle of it",
        "begins anew",
    ],
)
def test_a_continuation_that_fails_leaves_the_text_and_the_true_ending(again: list[Step], code: str) -> None:
    stage = Stage(cut(FIRST), again).play()
    assert (stage.text, stage.told) == (FIRST, ("failed", code))
    assert len(stage.relay.requests) == 2


def test_a_taken_over_answer_that_begins_to_repeat_and_is_cut_goes_on_without_the_repetition() -> None:
    stage = Stage(cut(FIRST[:7]), text_answer(REST), shown=FIRST).play()
    assert (stage.text, stage.told) == (WHOLE, ("complete", ""))
    assert stage.relay.requests[1].messages[-2].content == FIRST


def test_it_is_gone_on_with_once() -> None:
    stage = Stage(cut(FIRST), cut(REST[:9], by=RelayReported())).play()
    assert (stage.text, stage.told) == (FIRST + REST[:9], ("failed", "relay_reported"))
    assert stage.metrics.continued == ["failed"]


@pytest.mark.parametrize("failure", [RelayInterrupted(), RelayMalformed(), RelayReported(), RelayOverloaded()])
def test_failures_of_the_upstream_are_mended(failure: TurnFailed) -> None:
    assert Stage(cut(FIRST, by=failure), text_answer(REST)).play().text == WHOLE


@pytest.mark.parametrize("failure", [RelayTimeout("total"), RelayRefused(), ContextTooLong(), BlockedOutput()])
def test_others_are_not(failure: TurnFailed) -> None:
    stage = Stage(cut(FIRST, by=failure)).play()
    assert len(stage.relay.requests) == 1
    assert stage.told[1] == failure.code


def test_an_upstream_that_never_spoke_is_the_pools_business() -> None:
    assert Stage(cut(by=RelayInterrupted())).play().told == ("failed", "relay_interrupted")


def test_usage_adds_up_and_is_marked_estimated() -> None:
    stage = Stage(cut(FIRST), text_answer(REST, usage=Usage(input_tokens=1000, output_tokens=50))).play()
    usage = stage.end.usage
    assert usage is not None and usage.estimated
    assert usage.input_tokens > 1000 and usage.output_tokens >= 50 + len(FIRST)


def test_reasoning_is_not_told_twice() -> None:
    thought: Step = [RelayReasoning("想了一想")]
    stage = Stage(cut(thought, FIRST), [thought, *text_answer(REST)]).play()
    assert (stage.text, stage.reasoning) == (WHOLE, "想了一想")


def test_cut_while_reasoning_it_is_asked_anew() -> None:
    thought: Step = [RelayReasoning("想了一想")]
    stage = Stage(cut(thought), [[RelayReasoning("再想")], *text_answer(WHOLE)]).play()
    assert (stage.text, stage.reasoning, stage.told[0]) == (WHOLE, "想了一想", "complete")
    assert stage.relay.requests[1].messages == stage.relay.requests[0].messages


def test_a_block_in_the_continuation_takes_everything_back() -> None:
    stage = Stage(cut(FIRST), text_answer("然后说了一个坏词，", REST)).play()
    assert (stage.text, stage.told) == ("", ("blocked", "blocked_output"))


def test_a_phrase_across_the_seam_is_seen_whole() -> None:
    stage = Stage(cut(FIRST + "坏"), text_answer("词" + REST)).play()
    assert stage.told == ("blocked", "blocked_output")


def test_a_blocked_first_part_is_not_gone_on_with() -> None:
    stage = Stage(
        [RelayText("坏词。") and "坏词，这里是很长的一段话，一直说到够一个窗口为止，所以还要再说几句。" * 3, Gate()]
    ).play()
    assert stage.told == ("blocked", "blocked_output") and len(stage.relay.requests) == 1


def test_what_no_longer_fits_the_window_is_kept_as_it_is() -> None:
    stage = Stage(cut(FIRST), room=10).play()
    assert (stage.text, stage.told) == (FIRST, ("failed", "relay_interrupted"))
    assert len(stage.relay.requests) == 1


def test_a_stop_during_the_continuation_closes_it() -> None:
    gate = Gate()
    stage = Stage(cut(FIRST), [gate, REST])
    playing = threading.Thread(target=stage.play)
    playing.start()
    assert gate.reached.wait(30)
    stage.run.stop()
    playing.join(30)
    assert not playing.is_alive()
    assert stage.told == ("stopped", "") and stage.relay.streams[1].closed.is_set()


def test_length_in_the_continuation_is_told() -> None:
    assert Stage(cut(FIRST), [REST, [RelayFinish("length")]]).play().told == ("length", "")


# --- takeover: the same joining -----------------------------------------------------------------------------------


def test_a_taken_over_answer_that_is_cut_again_is_still_mended() -> None:
    stage = Stage(cut(REST[:10]), text_answer(REST[10:]), shown=FIRST).play()
    assert (stage.text, stage.told) == (WHOLE, ("complete", ""))
    assert stage.relay.requests[1].messages[-2].content == FIRST + REST[:10]


def test_a_takeover_that_is_refused_keeps_the_text_and_says_so() -> None:
    stage = Stage(text_answer("抱歉，我无法继续之前的回答。"), shown=FIRST).play()
    assert (stage.text, stage.told) == (FIRST, ("failed", "instance_lost"))


# --- the lease ------------------------------------------------------------------------------------------------------


def test_nothing_is_asked_on_a_lease_that_ran_out_before_it_is_renewed() -> None:
    stage = Stage(text_answer(WHOLE), lease_until=1)
    beats: list[int] = []

    def committer() -> None:
        beats.append(len(stage.relay.requests))
        if len(beats) == 5:
            stage.run.committed(lost=False, lease_until=stage.clock.now_ms() + 6_000)

    stage.committer = committer
    assert stage.play().told == ("complete", "")
    assert beats[:5] == [0] * 5


def test_an_owner_that_stood_still_and_lost_the_turn_asks_for_nothing() -> None:
    stage = Stage(lease_until=1)
    stage.committer = lambda: stage.run.committed(lost=True)
    stage.run.execute()
    assert stage.relay.requests == [] and stage.run.lost


def test_a_cut_answer_of_an_owner_that_stood_still_is_not_gone_on_with() -> None:
    gate = Gate()
    stage = Stage([FIRST, gate, RelayInterrupted("cut")], lease_until=FakeClock().now_ms() + 6_000)
    playing = threading.Thread(target=stage.run.execute)
    playing.start()
    assert gate.reached.wait(30)
    stage.clock.advance(10)
    stage.committer = lambda: stage.run.committed(lost=True)
    gate.open()
    playing.join(30)
    assert not playing.is_alive()
    assert len(stage.relay.requests) == 1 and stage.run.outcome is None


def test_a_lease_that_is_never_renewed_ends_the_wait() -> None:
    stage = Stage(lease_until=1).play()
    assert stage.told == ("failed", "store_unavailable") and stage.relay.requests == []
