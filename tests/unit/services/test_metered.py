"""What a turn is charged for: the question once, whatever had to be asked twice."""

import pytest

from tests.fakes.scripted_relay import Gate, text_answer
from tests.unit.services.test_run_continues import FIRST, REST, WHOLE, Stage, cut
from yunliao.domain.context import build
from yunliao.domain.events import Usage
from yunliao.domain.ledger.endings import Metered
from yunliao.domain.tokens import MESSAGE_TOKENS, estimate
from yunliao.domain.turn import ChatMessage, MessageBody
from yunliao.errors import RelayUnreachable
from yunliao.ports import RelayRequest
from yunliao.services.generation import Generation, metered

ASKED = sum(estimate(one.content) for one in build("s", [], "写春天", window=16_000, reserve=100))


def of(stage: Stage) -> Metered:
    return stage.play().run.metered


def test_usage_that_was_reported_is_what_counts() -> None:
    usage = Usage(input_tokens=70, output_tokens=30, cached_tokens=9, reasoning_tokens=2)
    assert of(Stage(text_answer(WHOLE, usage=usage))) == Metered(usage=usage, shown=estimate(WHOLE), upstream=usage)


def test_usage_that_was_not_is_counted() -> None:
    counted = Usage(input_tokens=ASKED, output_tokens=len(WHOLE), estimated=True)
    assert of(Stage(text_answer(WHOLE))).usage == counted


def test_an_upstream_that_never_spoke_costs_nothing() -> None:
    assert of(Stage(cut(by=RelayUnreachable()))).shown == 0
    silent = Generation(request=RelayRequest(model="m", messages=(ChatMessage("user", "问"),)))
    assert metered([silent], before=MessageBody(), shown=MessageBody()) == Metered()


def test_a_cut_answer_that_is_gone_on_with_pays_its_question_once() -> None:
    again = Usage(input_tokens=1_000, output_tokens=50)
    found = of(Stage(cut(FIRST), text_answer(REST, usage=again)))
    assert found.usage is not None and found.upstream is not None
    assert found.usage.input_tokens == ASKED
    assert found.usage.output_tokens == len(FIRST) + 50
    assert found.upstream.input_tokens == ASKED + 1_000


def test_a_taken_over_answer_pays_what_was_shown_as_output_and_no_repetition() -> None:
    found = of(Stage(text_answer(REST), shown=FIRST))
    assert found.usage is not None
    assert abs(found.usage.input_tokens - ASKED) <= 2 * MESSAGE_TOKENS
    assert found.usage.output_tokens == estimate(FIRST) + len(REST)
    assert found.shown == estimate(WHOLE)


def test_a_taken_over_answer_with_nothing_shown_pays_as_if_nothing_had_been() -> None:
    assert of(Stage(text_answer(WHOLE))) == of(Stage(text_answer(WHOLE), shown=""))


def test_a_stop_pays_what_came_until_then() -> None:
    gate = Gate()
    stage = Stage([FIRST, gate, REST])
    import threading

    player = threading.Thread(target=stage.run.execute)
    player.start()
    assert gate.reached.wait(30)
    stage.run.stop()
    player.join(30)
    stage.run.collect()
    assert stage.run.metered.usage == Usage(input_tokens=ASKED, output_tokens=len(FIRST), estimated=True)


def test_a_stop_before_the_model_was_asked_pays_nothing() -> None:
    stage = Stage(text_answer(WHOLE))
    stage.run.stop()
    assert of(stage) == Metered()
    assert stage.relay.requests == []


def test_a_blocked_answer_shows_nothing_and_still_costs_the_operator() -> None:
    found = of(Stage(text_answer("开头很好。" * 20 + "坏词", REST)))
    assert found.shown == 0 and found.upstream is not None and found.upstream.output_tokens > 0


@pytest.mark.parametrize("room", [7, 100])
def test_the_answers_room_goes_to_the_model_of_a_priced_turn_only(room: int) -> None:
    from msgspec.structs import replace

    for version, expected in (("v1", room), ("", 100)):
        stage = Stage(text_answer(WHOLE))
        stage.run._tools = replace(stage.run._tools, room=lambda model, messages: room)
        stage.run.turn = replace(stage.run.turn, price_version=version)
        stage.play()
        assert stage.relay.requests[0].max_tokens == expected
