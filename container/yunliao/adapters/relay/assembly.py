"""The operator's list of upstreams made into a pool, and into the moderation layer that some of them offer."""

from collections.abc import Callable, Collection, Sequence

import msgspec

from yunliao.adapters.http.line import Limits
from yunliao.adapters.relay.client import HttpRelay, endpoint
from yunliao.adapters.relay.dialects import DIALECTS, Dialect, guess
from yunliao.adapters.relay.pool import PoolPolicy, RelayPool
from yunliao.adapters.relay.upstream import Upstream
from yunliao.adapters.relay_moderation import FirstDecision, RelayModerator
from yunliao.ports import Clock, Metrics, Moderator
from yunliao.relays import RelaySpec
from yunliao.settings import Settings


def build_pool(
    settings: Settings, clock: Clock, metrics: Metrics, off: Callable[[], Collection[str]] = frozenset
) -> RelayPool:
    """The pool of these settings; nothing is connected yet. `off`: see `RelayPool`."""
    upstreams = [_upstream(spec, settings, clock, metrics) for spec in settings.relays]
    for upstream in upstreams:
        metrics.relay_state(upstream.name, "closed")
    policy = PoolPolicy(first_byte=settings.relay_first_byte, hedge_after=settings.relay_hedge)
    return RelayPool(upstreams, policy=policy, clock=clock, metrics=metrics, off=off)


def build_moderator(relays: Sequence[RelaySpec], clock: Clock, metrics: Metrics) -> Moderator | None:
    """The moderation layer of the upstreams that are said to have one."""
    moderators = [
        RelayModerator(moderation_base(spec.url), spec.key, clock, metrics.moderation, domestic=spec.domestic)
        for spec in relays
        if spec.moderation
    ]
    return FirstDecision(moderators) if moderators else None


def moderation_base(url: str) -> str:
    """The address before `/moderations` of an upstream whose chat is at `url`."""
    return endpoint(url).partition("?")[0].removesuffix("/chat/completions")


def dialect_of(spec: RelaySpec) -> Dialect:
    """The configured dialect, or the one its address suggests."""
    dialect = DIALECTS[spec.dialect] if spec.dialect else guess(spec.url)
    return msgspec.structs.replace(dialect, done_is_enough=True) if spec.done_is_enough else dialect


def _upstream(spec: RelaySpec, settings: Settings, clock: Clock, metrics: Metrics) -> Upstream:
    own = spec.timeouts
    limits = Limits(
        connect=own.connect or settings.relay_connect,
        first_byte=own.first_byte or settings.relay_first_byte,
        silence=own.silence or settings.relay_silence,
        total=own.total or settings.relay_total,
    )
    relay = HttpRelay(
        spec.url,
        spec.key,
        limits=limits,
        clock=clock,
        name=spec.name,
        dialect=dialect_of(spec),
        models=spec.upstream_names(),
    )
    return Upstream(
        relay,
        clock,
        models=frozenset(spec.models),
        priority=spec.priority,
        weight=spec.weight,
        max_live=spec.max_live,
        domestic=spec.domestic,
        changed=metrics.relay_state,
    )
