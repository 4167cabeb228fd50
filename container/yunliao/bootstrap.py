"""The only place that chooses adapters: settings in, a working set of services out."""

import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass

from yunliao import errors
from yunliao.adapters.clock import SystemClock
from yunliao.adapters.ids import SortableIds
from yunliao.adapters.logging import JsonTurnLog
from yunliao.adapters.metrics import PrometheusMetrics
from yunliao.adapters.relay.client import HttpRelay, RelayLimits
from yunliao.adapters.relay_moderation import RelayModerator
from yunliao.adapters.store.sqlite import SqliteStore
from yunliao.adapters.texts import PackagedTexts
from yunliao.adapters.vault import MasterKeyVault
from yunliao.adapters.wechat.moderation import WechatModerator
from yunliao.adapters.words import WordMatcher
from yunliao.domain.guard import GuardPolicy
from yunliao.ports import AcceptLimits, Moderator, Store
from yunliao.services.account import Account
from yunliao.services.admission import Slots
from yunliao.services.asking import Asking
from yunliao.services.catalog import Catalog, ModelView, Provider
from yunliao.services.consents import Consents
from yunliao.services.conversations import ConversationService
from yunliao.services.engine import Engine
from yunliao.services.health import Health
from yunliao.services.jobs import Jobs
from yunliao.services.listen import Listen
from yunliao.services.people import People
from yunliao.services.run import Tools
from yunliao.services.screening import Screening
from yunliao.services.tickets import TicketService
from yunliao.services.turns import TurnService
from yunliao.settings import Settings


@dataclass(frozen=True)
class Services:
    """What the web layer calls; lives as long as the process."""

    settings: Settings
    people: People
    turns: TurnService
    listen: Listen
    conversations: ConversationService
    consents: Consents
    account: Account
    tickets: TicketService
    catalog: Catalog
    health: Health
    jobs: Jobs
    metrics: PrometheusMetrics
    turn_log: JsonTurnLog
    engine: Engine
    store: Store

    def drain(self, grace_seconds: float) -> bool:
        """Take no new turns, let the live ones finish; the rest is left to be taken over."""
        return self.engine.drain(grace_seconds)

    def close(self) -> None:
        """End the committer, then release the store."""
        self.engine.close()
        self.store.close()


def spawn(task: Callable[[], None]) -> None:
    """Run on a thread of its own; a greenlet under the gevent worker."""
    threading.Thread(target=task, daemon=True).start()
