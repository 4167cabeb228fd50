"""Every dialect's fixture gives what it must, in one piece and however the bytes are cut."""

import random

import pytest

from tests.fakes.dialect_cases import CASES, Case
from yunliao.adapters.relay.dialects import DIALECTS, guess
from yunliao.adapters.relay.reading import Reading
from yunliao.adapters.relay.refusals import refusal
from yunliao.errors import TurnFailed
from yunliao.ports import RelayFinish, RelayReasoning, RelayText

STREAMS = [case for case in CASES if case.status == 200]


class Read:
    """What a reading of these pieces gives."""

    def __init__(self, case: Case, pieces: list[bytes]) -> None:
        self.text = self.reasoning = self.end = ""
        self.usage: tuple[int, int, int, int] | None = None
        reading = Reading(done_is_enough=case.done_is_enough)
        try:
            for piece in pieces:
                self._hear(reading.feed(piece))
                if reading.ended or reading.failure:
                    break
            else:
                reading.evidence.cut = case.cut
            for batch in reading.finish():
                self._hear(batch)
        except TurnFailed as failed:
            self.end = failed.code
            assert "canary" not in f"{failed!r} {failed.detail}"

    def _hear(self, batch: list[object]) -> None:
        for event in batch:
            if isinstance(event, RelayText):
                self.text += event.delta
            elif isinstance(event, RelayReasoning):
                self.reasoning += event.delta
            elif isinstance(event, RelayFinish):
                self.end = event.reason
                if event.usage:
                    usage = event.usage
                    self.usage = (usage.input_tokens, usage.output_tokens, usage.reasoning_tokens, usage.cached_tokens)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Read) and vars(self) == vars(other)


@pytest.mark.parametrize("case", STREAMS, ids=str)
def test_what_comes_of_it(case: Case) -> None:
    read = Read(case, [case.body])
    assert (read.text, read.reasoning, read.end) == (case.text, case.reasoning, case.end)
    if case.usage:
        assert read.usage == case.usage


@pytest.mark.parametrize("case", STREAMS, ids=str)
def test_cut_at_every_byte_it_is_the_same(case: Case) -> None:
    whole = Read(case, [case.body])
    for at in range(len(case.body) + 1):
        assert Read(case, [case.body[:at], case.body[at:]]) == whole, at


@pytest.mark.parametrize("case", STREAMS, ids=str)
def test_in_random_pieces_it_is_the_same(case: Case) -> None:
    chance = random.Random(f"seed of {case}")  # the seed is in the test's name
    whole = Read(case, [case.body])
    for _ in range(20):
        cuts = sorted(chance.sample(range(len(case.body) + 1), min(9, len(case.body))))
        pieces = [case.body[a:b] for a, b in zip([0, *cuts], [*cuts, len(case.body)], strict=True)]
        assert Read(case, pieces) == whole, cuts
    assert Read(case, [case.body[i : i + 1] for i in range(len(case.body))]) == whole


@pytest.mark.parametrize("case", STREAMS, ids=str)
def test_cut_off_at_any_byte_it_is_never_called_what_it_is_not(case: Case) -> None:
    """The connection breaks after these bytes: complete only when the reason had come, and never more text."""
    for at in range(0, len(case.body), 7):
        broken = Read(Case(case="", end="", cut=True, done_is_enough=case.done_is_enough), [case.body[:at]])
        assert case.text.startswith(broken.text)
        if broken.end in ("complete", "length", "blocked"):
            assert (broken.end, broken.text) == (case.end, case.text)


@pytest.mark.parametrize("case", [case for case in CASES if case.status != 200], ids=str)
def test_error_answers(case: Case) -> None:
    found = refusal(case.status, {}, case.body)
    assert found.failure.code == case.end
    assert "canary" not in f"{found.failure!r} {found.failure.detail}"
    assert found.ours == (case.status == 400)
    assert found.retryable == (case.end == "relay_overloaded")


def test_every_dialect_has_its_fixture_and_the_usual_endings() -> None:
    assert {case.dialect for case in CASES} == set(DIALECTS)
    for name in DIALECTS:
        ends = {case.end for case in CASES if case.dialect == name}
        assert {"complete", "length"} <= ends or name == "oneapi"
        assert ends & {"relay_reported", "relay_interrupted"}


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://x.openai.azure.com/openai/deployments/d?api-version=2024-10-21", "azure"),
        ("https://gate.example/openai/d?api-version=1", "azure"),
        ("https://api.deepseek.com", "deepseek"),
        ("https://dashscope.aliyuncs.com/compatible-mode/v1", "qwen"),
        ("https://dashscope-intl.aliyuncs.com/compatible-mode/v1", "qwen"),
        ("http://127.0.0.1:8000/v1", "openai"),
    ],
)
def test_addresses_that_tell_their_dialect(url: str, name: str) -> None:
    assert guess(url).name == name
