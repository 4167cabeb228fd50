"""Every verdict that keeps a text from being shown is told to the verdict log, once, wherever it came from."""

import threading
from typing import Any

import pytest
from msgspec.structs import replace

from tests.unit.services.test_run_stop import World, run_in
from yunliao.domain.turn import Turn
from yunliao.domain.verdict import PASS, Verdict
from yunliao.errors import ModerationRevisit, ModerationUnavailable
from yunliao.services.run import Run

RISKY = Verdict(suggest="risky", layer="wechat", label=20002, trace_id="trace-1")
REVIEW = Verdict(suggest="review", layer="relay", label=21000)
LISTED = Verdict(suggest="risky", layer="words", label=21000)


class Heard:
    def __init__(self) -> None:
        self.passes: list[str] = []
        self.verdicts: list[tuple[str, Verdict]] = []
        self.without: list[str] = []
        self.told = threading.Event()

    def passed(self, place: str) -> None:
        self.passes.append(place)

    def judged(self, turn: Turn, place: str, verdict: Verdict, request_id: str) -> None:
        self.verdicts.append((place, verdict))
        self.told.set()

    def undecided(self, turn: Turn, place: str, request_id: str) -> None:
        self.without.append(place)


def ran(world: World) -> tuple[Run, Heard]:
    run, heard = run_in(world), Heard()
    run._tools = replace(run._tools, verdicts=heard)
    run.answer = run._screened("")
    run.execute()
    return run, heard


def test_a_blocked_question(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    monkeypatch.setattr(world, "check_input", lambda *_: RISKY)
    run, heard = ran(world)
    assert run.outcome is not None and run.outcome.reason == "blocked"
    assert (heard.verdicts, heard.passes, heard.without) == ([("question", RISKY)], [], [])


def test_a_blocked_answer_is_told_once_for_a_layer(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    monkeypatch.setattr(world, "check_window", lambda *_: REVIEW)
    run, heard = ran(world)
    assert run.outcome is not None and run.outcome.reason == "blocked"
    assert heard.verdicts == [("answer", REVIEW)]
    assert heard.passes == ["question"]


def test_a_listed_word_in_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    world.search = lambda text: LISTED if text else PASS
    run, heard = ran(world)
    assert run.outcome is not None and run.outcome.reason == "blocked"
    assert heard.told.wait(30)
    assert heard.verdicts == [("answer", LISTED)]


def test_what_passes_is_counted_by_place() -> None:
    run, heard = ran(World())
    assert run.outcome is not None and run.outcome.reason == "complete"
    assert heard.passes[0] == "question"
    assert set(heard.passes[1:]) == {"answer"}
    assert (heard.verdicts, heard.without) == ([], [])


@pytest.mark.parametrize("kind", [ModerationUnavailable, ModerationRevisit])
@pytest.mark.parametrize(("check", "place"), [("check_input", "question"), ("check_window", "answer")])
def test_no_decision_is_told_as_such(monkeypatch: pytest.MonkeyPatch, kind: Any, check: str, place: str) -> None:
    def undecided(*_: object) -> Verdict:
        raise kind

    world = World()
    monkeypatch.setattr(world, check, undecided)
    run, heard = ran(world)
    assert run.outcome is not None and run.outcome.reason == "failed"
    assert (heard.verdicts, heard.without) == ([], [place])
