"""A relay client against scripted upstreams; what it keeps open is closed after each test."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.fakes.scripted_upstream import Script, Upstream
from yunliao.adapters.clock import SystemClock
from yunliao.adapters.relay.client import HttpRelay, Limits
from yunliao.domain.turn import ChatMessage
from yunliao.errors import TurnFailed
from yunliao.ports import RelayEvent, RelayFinish, RelayReasoning, RelayRequest, RelayStream, RelayText

REQUEST = RelayRequest(
    model="m-1", messages=(ChatMessage("user", "你好"),), max_tokens=50, request_id="turn_1", trace="ab" * 16 + "-00"
)
PATIENT = Limits(connect=30, first_byte=30, silence=30, total=60)


class Heard:
    """Everything one stream gave."""

    def __init__(self, stream: RelayStream) -> None:
        self.batches: list[list[RelayEvent]] = []
        self.failure: TurnFailed | None = None
        try:
            for batch in stream:
                assert batch, "a batch is never empty"
                self.batches.append(batch)
        except TurnFailed as failure:
            self.failure = failure

    @property
    def text(self) -> str:
        return "".join(e.delta for batch in self.batches for e in batch if isinstance(e, RelayText))

    @property
    def reasoning(self) -> str:
        return "".join(e.delta for batch in self.batches for e in batch if isinstance(e, RelayReasoning))

    @property
    def finish(self) -> RelayFinish | None:
        last = self.batches[-1][-1] if self.batches else None
        finishes = [e for batch in self.batches for e in batch if isinstance(e, RelayFinish)]
        assert len(finishes) <= 1 and (not finishes or finishes[0] is last), "RelayFinish is one and the last"
        assert not (finishes and self.failure), "a stream ends once"
        return finishes[0] if finishes else None

    @property
    def end(self) -> str:
        """The ending as one word: the reason, or the code of the failure."""
        if self.failure:
            return self.failure.code
        return self.finish.reason if self.finish else "nothing"


@pytest.fixture
def upstream() -> Iterator[Callable[..., Upstream]]:
    """Starts upstreams; their scripts must all have ended well."""
    started: list[Upstream] = []

    def start(*scripts: Script, **options: Any) -> Upstream:
        started.append(Upstream(*scripts, **options))
        return started[-1]

    yield start
    for one in started:
        one.close()


@pytest.fixture
def relay(upstream: Callable[..., Upstream]) -> Iterator[Callable[..., HttpRelay]]:
    """Makes clients without a pace and with limits that a busy machine does not meet."""
    made: list[HttpRelay] = []

    def make(at: Upstream | str, key: str = "sk-secret", **options: Any) -> HttpRelay:
        settings = {"limits": PATIENT, "clock": SystemClock(), "pace": 0.0} | options
        made.append(HttpRelay(at if isinstance(at, str) else at.url, key, **settings))
        return made[-1]

    yield make
    for one in made:
        one.close()
