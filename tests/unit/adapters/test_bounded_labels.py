"""Whatever is told, labels stay within their small sets, in the metrics and in the hour's tally."""

import inspect
import random
import re
import string

import msgspec
import pytest

from tests.fakes.clock import FakeClock
from tests.fakes.memory_store import MemoryStore
from yunliao.adapters.counted_metrics import CountedMetrics
from yunliao.adapters.metrics import LABELS, OTHER, UPSTREAMS, PrometheusMetrics
from yunliao.ports import Metrics
from yunliao.services.tally_book import TallyBook

HOSTILE = ["", "é", "<script>", 'a"b\\\n', "x" * 5_000, "relay_timeout\n", "YUNLIAO_MASTER_KEYS", "\u0000", "🙂"]


def labelled() -> list[str]:
    """Methods of the port that take words."""
    return [
        name
        for name, method in inspect.getmembers(Metrics, inspect.isfunction)
        if str in [one.annotation for one in inspect.signature(method).parameters.values()]
        and name != "relay_state"  # its state comes from a Literal and is an error otherwise
    ]


def told(metrics: PrometheusMetrics, name: str, words: list[str]) -> None:
    """Call it with words for words and ones for numbers."""
    values = []
    parameters = list(inspect.signature(getattr(Metrics, name)).parameters.values())[1:]
    for parameter in parameters:
        values.append(words.pop(0) if parameter.annotation is str else 1)
    getattr(metrics, name)(*values)


def series(metrics: PrometheusMetrics) -> set[str]:
    return set(re.findall(r"^(yunliao_\w+(?:\{.*\})?) ", metrics.render()[0].decode(), re.MULTILINE))


@pytest.mark.parametrize("name", labelled())
def test_hostile_words_grow_no_label(name: str) -> None:
    metrics, chance = PrometheusMetrics(), random.Random(3)
    for word in HOSTILE:
        told(metrics, name, [word] * 3)
    told(metrics, name, ["an upstream"] * 3)
    before = series(metrics) if "upstream" not in name else set()
    for _ in range(500):
        told(metrics, name, ["".join(chance.choices(string.printable, k=12)) for _ in range(3)])
    if name == "relay_attempt":
        assert len(re.findall(r"yunliao_relay_attempts_total\{", metrics.render()[0].decode())) <= UPSTREAMS + 1
    else:
        assert series(metrics) == before
    assert f'"{OTHER}"' in metrics.render()[0].decode()


def test_the_tally_is_told_the_same_bounded_words() -> None:
    store, clock = MemoryStore(), FakeClock()
    book = TallyBook(tallies=store.tallies, clock=clock, instance="a", spawn=lambda task: None)
    metrics, chance = CountedMetrics(book), random.Random(4)
    for _ in range(300):
        word = "".join(chance.choices(string.printable, k=9))
        metrics.moderation(word, word, 0.1)
        metrics.relay_attempt(word, word)
        metrics.relay_state(word, "open")
        metrics.credits_refused(word)
    book.flush()
    (record,) = store.tallies.read("instance", since=0, until=2**60)
    body = msgspec.json.decode(record.body)
    assert body["tally"]["moderation"] == {OTHER: {OTHER: 300}}
    assert body["tally"]["refused"] == {OTHER: 300}
    assert set(body["tally"]["relay"]) <= {OTHER, *metrics._upstreams} and len(metrics._upstreams) == UPSTREAMS
    assert len(body["now"]["breakers"]) <= UPSTREAMS + 1


def test_the_words_the_service_uses_are_known() -> None:
    for outcome in ("pass", "risky", "unreachable", "timeout", "http", "garbled", "busy"):  # of /v1/moderations
        assert outcome in LABELS["check"]
    assert {"complete", "length", "blocked", "failed"} <= LABELS["continued"]
