"""The Prometheus metrics, with the hour's tally counted along: one place that is told, two that count."""

from yunliao.adapters.metrics import PrometheusMetrics, known
from yunliao.ports_tallies import TallySink


class CountedMetrics(PrometheusMetrics):
    """Implements `ports.Metrics`; the sink hears what it counts as well."""

    def __init__(self, sink: TallySink) -> None:
        super().__init__()
        self._sink = sink

    def live_turns(self, count: int) -> None:
        super().live_turns(count)
        self._sink.live_turns(count)

    def moderation(self, layer: str, outcome: str, seconds: float) -> None:
        super().moderation(layer, outcome, seconds)
        self._sink.moderation(known("layer", layer), known("check", outcome), seconds)

    def relay_attempt(self, upstream: str, outcome: str) -> None:
        super().relay_attempt(upstream, outcome)
        self._sink.relay_attempt(self.upstream(upstream), known("attempt", outcome))

    def relay_state(self, upstream: str, state: str) -> None:
        super().relay_state(upstream, state)
        self._sink.relay_state(self.upstream(upstream), state)

    def store_failed(self) -> None:
        super().store_failed()
        self._sink.store_failed()

    def started(self, seconds: float) -> None:
        super().started(seconds)
        self._sink.started(seconds)

    def takeover(self) -> None:
        super().takeover()
        self._sink.takeover()

    def credits_refused(self, code: str) -> None:
        super().credits_refused(code)
        self._sink.credits_refused(known("code", code))

    def service_day(self, part: float) -> None:
        super().service_day(part)
        self._sink.service_day(part)
