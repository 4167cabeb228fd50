"""What an ending leaves in the list of conversations: nothing of a text that was taken back (P4)."""

import threading
from typing import Any

import pytest

from tests.unit.services.test_run_stop import ANSWER, World, run_in
from yunliao.domain.turn import Ending, MessageBody
from yunliao.domain.verdict import Verdict
from yunliao.ports import RelayFinish, RelayText
from yunliao.services.asking import Words
from yunliao.services.run import Outcome, Run

RISKY = Verdict(suggest="risky", layer="wechat")


def ended(run: Run) -> tuple[Ending, bytes]:
    """The ending, and everything that is written with it."""
    write = run.collect()
    assert write is not None and write.ending is not None
    ending = write.ending
    left = [row.body for row in write.rows] + [ending.title or b"", ending.snippet or b"", ending.answer or b""]
    return ending, b"".join(left)


def test_a_whole_answer_names_the_conversation() -> None:
    run = run_in(World())
    run._words = Words("你好吗？再问一句", True)
    run.execute()
    ending, _ = ended(run)
    assert ending.title == "你好吗？".encode()
    assert ending.snippet is not None and ANSWER.startswith(ending.snippet.decode().rstrip("…"))


@pytest.mark.parametrize("by", ["guard", "upstream"])
def test_an_answer_that_is_blocked_after_some_was_shown_leaves_no_word_of_it(by: str) -> None:
    world = World()
    run = run_in(world)
    run._words = Words("问", True)
    shown = threading.Event()

    def commit(run: Run, urgent: bool = False) -> None:
        if run.outcome is None and run.collect() is not None:
            run.committed(lost=False)
            shown.set()

    run._wake = commit

    class Stream:
        upstream = "only"

        def __iter__(self) -> Any:
            yield [RelayText(ANSWER)]
            assert shown.wait(60)
            if by == "guard":
                world.check_window = lambda *args: RISKY  # type: ignore[method-assign]
            yield [RelayText("后来的话。" * 20)]
            yield [RelayFinish("complete" if by == "guard" else "blocked")]

        def close(self) -> None:
            pass

    world.stream = lambda request: Stream()  # type: ignore[method-assign,assignment,return-value]
    run.execute()
    ending, left = ended(run)
    assert (ending.reason, ending.title, ending.snippet) == ("blocked", None, None)
    assert run.shown == MessageBody()
    assert ANSWER[:4].encode() not in left.split(b'"type":"retract"')[-1]
    assert b'"type":"retract"' in left and b'"type":"text"' not in left


def test_a_turn_that_is_only_ended_after_its_owners_died_keeps_what_was_shown_and_names_nothing() -> None:
    run = run_in(World())
    run.shown = MessageBody(text=ANSWER)
    run.outcome = Outcome(reason="stopped")
    ending, _ = ended(run)
    assert ending.title is None and ending.snippet is not None


def test_a_turn_that_was_stopped_before_its_first_word_names_nothing() -> None:
    world = World()
    run = run_in(world)
    run._words = Words("问", True)
    run.stop()
    run.execute()
    ending, _ = ended(run)
    assert (ending.reason, ending.title, ending.snippet) == ("stopped", None, None)
