"""A stop that comes while the end is on its way: the answer is stopped, or whole, never a cut one called complete."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

from tests.fakes.clock import FakeClock
from yunliao.domain.guard import GuardPolicy
from yunliao.domain.principal import Principal
from yunliao.domain.turn import Turn
from yunliao.domain.verdict import PASS
from yunliao.ports import RelayEvent, RelayFinish, RelayText
from yunliao.services.admission import Slots
from yunliao.services.asking import Prompt
from yunliao.services.live_log import LiveLog
from yunliao.services.people import Owner
from yunliao.services.run import Run, Tools

ANSWER = "云聊把每一句话都先检查再显示，这是一个比较长的回答，长到第一个窗口装不下它的全部。" * 3


class Anything:
    """Takes every call and does nothing."""

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *args, **kwargs: None


class Plain:
    """A vault that seals nothing."""

    def seal(self, key: bytes, plaintext: bytes, *, context: str) -> bytes:
        return plaintext


class Stream:
    """The whole answer, then `before_end`, then its proper end."""

    upstream = "only"

    def __init__(self, before_end: Callable[[], None]) -> None:
        self.before_end = before_end

    def __iter__(self) -> Iterator[list[RelayEvent]]:
        yield [RelayText(ANSWER)]
        self.before_end()
        yield [RelayFinish("complete")]

    def close(self) -> None:
        pass


class World:
    """Asks, screens and relays without a world; `judged` is called in the moment the outcome is judged."""

    def __init__(self) -> None:
        self.before_end: Callable[[], None] = lambda: None
        self.search = lambda text: PASS
        self.widen = lambda: 1.0

    def question(self, *args: Any) -> str:
        return "问"

    def prompt(self, *args: Any, **kwargs: Any) -> Prompt:
        return Prompt((), "")

    def check_input(self, *args: Any) -> Any:
        return PASS

    def check_window(self, *args: Any) -> Any:
        return PASS

    def stream(self, request: Any) -> Stream:
        return Stream(self.before_end)


def run_in(world: World) -> Run:
    tools = Tools(
        relay=world, screening=world, asking=world, slots=Slots(max_live=1, max_queue=1, clock=FakeClock()),  # type: ignore[arg-type]
        clock=FakeClock(), metrics=Anything(), guard=GuardPolicy(), queue_seconds=1, answer_tokens=100,  # type: ignore[arg-type]
        spawn=lambda task: threading.Thread(target=task).start(),
    )  # fmt: skip
    turn = Turn(
        id="turn_1", user_id="user", conversation_id="c", client_id="client01", fingerprint=b"", last_seq=1,
        answer_message_id="msg_1",
    )  # fmt: skip
    owner = Owner("user", Principal(openid="", appid=""), b"", Plain())  # type: ignore[arg-type]
    return Run(turn, owner, tools, log=LiveLog(), wake=lambda run, urgent=False: None)


def written(run: Run) -> tuple[str, str]:
    """The reason and the text that the committer would write."""
    write = run.collect()
    assert write is not None and write.ending is not None
    return write.ending.reason, run.shown.text


def test_a_stop_after_the_whole_answer_came_does_not_cut_it() -> None:
    run = run_in(World())
    run.execute()
    run.stop()
    assert written(run) == ("complete", ANSWER)


def test_a_stop_before_the_end_stops() -> None:
    world = World()
    run = run_in(world)
    world.before_end = run.stop
    run.execute()
    reason, text = written(run)
    assert reason == "stopped" and ANSWER.startswith(text)


def test_a_stop_in_the_moment_of_the_judgement_is_a_stop() -> None:
    run = run_in(World())
    judge = run._judge

    def stopped_meanwhile(*args: Any) -> Any:
        outcome = judge(*args)
        run.stop()
        return outcome

    run._judge = stopped_meanwhile  # type: ignore[method-assign]
    run.execute()
    reason, text = written(run)
    assert reason == "stopped" and ANSWER.startswith(text)
