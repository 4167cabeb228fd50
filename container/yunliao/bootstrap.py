"""The only place that chooses adapters: settings in, a working set of services out."""

import _thread
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from yunliao import __version__, errors
from yunliao.adapters.clock import SystemClock
from yunliao.adapters.counted_metrics import CountedMetrics
from yunliao.adapters.ids import SortableIds
from yunliao.adapters.live_words import LiveWords
from yunliao.adapters.logging import JsonTurnLog
from yunliao.adapters.metrics import PrometheusMetrics
from yunliao.adapters.passwords import ScryptPasswords
from yunliao.adapters.relay.assembly import build_moderator, build_pool
from yunliao.adapters.relay.pool import RelayPool
from yunliao.adapters.texts import FolderTexts
from yunliao.adapters.vault import MasterKeyVault
from yunliao.adapters.wechat.api import WechatApi
from yunliao.adapters.wechat.customer_service import WechatLetters
from yunliao.adapters.wechat.moderation import WechatModerator
from yunliao.adapters.wechat.push_codec import PushCodec
from yunliao.adapters.words import DEFAULT_WORDS, DEVELOPMENT_WORDS
from yunliao.domain.guard import GuardPolicy
from yunliao.errors import StoreUnavailable
from yunliao.ports import AcceptLimits, Moderator, Store
from yunliao.ports_people import KeyStore
from yunliao.ports_records import RecordStore
from yunliao.services.abuse import Abuse
from yunliao.services.account import Account
from yunliao.services.admission import SharedSeats, Slots
from yunliao.services.asking import Asking
from yunliao.services.audit_trail import AuditTrail
from yunliao.services.budget import ServiceBudget
from yunliao.services.cases import Cases
from yunliao.services.catalog import Catalog, ModelView, Provider
from yunliao.services.consents import Consents
from yunliao.services.conversations import ConversationService
from yunliao.services.credit_desk import CreditDesk
from yunliao.services.credits import Credits
from yunliao.services.customer_service import CustomerService
from yunliao.services.data_keys import DataKeys
from yunliao.services.desk import Desk
from yunliao.services.engine import Engine
from yunliao.services.export import Export, Producer
from yunliao.services.export_credits import CreditsSection
from yunliao.services.export_moderation import ModerationSection
from yunliao.services.following import Following
from yunliao.services.governor import SharedGovernor
from yunliao.services.health import Health
from yunliao.services.jobs import Jobs
from yunliao.services.key_book import KeyBook
from yunliao.services.key_places import check_place
from yunliao.services.listen import Listen
from yunliao.services.login_guard import LoginGuard
from yunliao.services.operators import Operators
from yunliao.services.people import People
from yunliao.services.pricing import Pricing
from yunliao.services.pushes import Pushes
from yunliao.services.receipts import Receipts
from yunliao.services.relay_desk import RelayDesk
from yunliao.services.relay_switches import RelaySwitches
from yunliao.services.retention import Retention
from yunliao.services.rotation import Rotation
from yunliao.services.run import Tools
from yunliao.services.screening import Screening
from yunliao.services.search import Search
from yunliao.services.shared_key import SharedKey
from yunliao.services.signed_calls import SignedCalls
from yunliao.services.summary import Summary
from yunliao.services.tally_book import CountedTurns, TallyBook
from yunliao.services.tickets import TicketService
from yunliao.services.turns import TurnService
from yunliao.services.users_desk import UsersDesk
from yunliao.services.verdict_log import VerdictLog
from yunliao.services.wiping import Wipe
from yunliao.services.word_lists import WordLists
from yunliao.settings import Settings

if TYPE_CHECKING:
    from yunliao.services.after_restore import AfterRestore
    from yunliao.services.backups import Backups, Restore

LINE_LATER = 1.0
"""Seconds after the start at which its log line is written: the first requests do not wait for what writes lines."""


@dataclass(frozen=True)
class Services:
    """What the web layer calls; lives as long as the process."""

    settings: Settings
    people: People
    turns: TurnService
    listen: Listen
    following: Following
    conversations: ConversationService
    consents: Consents
    account: Account
    receipts: Receipts
    export: Export
    pushes: Pushes
    tickets: TicketService
    signed_calls: SignedCalls
    push_codec: PushCodec
    customer_service: CustomerService | None
    catalog: Catalog
    health: Health
    jobs: Jobs
    metrics: PrometheusMetrics
    turn_log: JsonTurnLog
    engine: Engine
    store: RecordStore
    key_store: KeyStore
    relays: RelayPool
    screening: Screening
    credits: Credits
    pricing: Pricing | None
    rotation: Rotation
    audit_trail: AuditTrail
    search: Search
    verdict_log: VerdictLog
    wipe: Wipe
    cases: Cases
    word_lists: WordLists
    live_words: LiveWords
    operators: Operators
    users_desk: UsersDesk
    credit_desk: CreditDesk
    relay_desk: RelayDesk
    tally_book: TallyBook
    summary: Summary

    def started(self, seconds: float) -> None:
        """Ready, so long after the process began."""
        self.metrics.started(seconds)

        def tell() -> None:
            time.sleep(LINE_LATER)
            self.turn_log.started(instance=self.engine.instance, version=__version__, seconds=seconds)

        spawn(tell)

    def drain(self, grace_seconds: float) -> bool:
        """Take no new turns, let the live ones finish; the rest is left to be taken over."""
        began = time.monotonic()
        finished = self.engine.drain(grace_seconds)
        self.following.close()
        self.verdict_log.flush()
        with suppress(StoreUnavailable):  # it is tried once more at the very end
            self.tally_book.flush()
        self.turn_log.drained(instance=self.engine.instance, finished=finished, seconds=time.monotonic() - began)
        return finished

    def close(self) -> None:
        """End the committer, then release the relays' connections and the store."""
        self.engine.close()
        self.tally_book.close()
        if self.pricing is not None:
            self.pricing.close()
        self.relays.close()
        self.screening.close()
        self.key_store.close()
        self.store.close()


def spawn(task: Callable[[], None]) -> None:
    """Run on a thread of its own; a greenlet under the gevent worker."""
    _thread.start_new_thread(task, ())  # without the name and the books of `threading`: a window of an answer has one


def build_services(settings: Settings) -> Services:
    """Wire everything; touches the stores (migrations) and nothing else. Raises `StoreUnavailable`, `Misconfigured`,
    with nothing left open."""
    with ExitStack() as opened:
        store = store_at(settings.store_url)
        opened.callback(store.close)
        key_store = key_store_for(settings, store)
        opened.callback(key_store.close)
        services = _wired(settings, store, key_store)
        opened.pop_all()
    return services


def _wired(settings: Settings, store: RecordStore, key_store: KeyStore) -> Services:
    clock, turn_log, instance = SystemClock(), JsonTurnLog(), secrets.token_hex(8)
    tally_book = TallyBook(
        tallies=store.tallies,
        clock=clock,
        instance=instance,
        spawn=spawn,
        told=lambda hour, version, tally: turn_log.tally(
            instance=instance, hour=hour, version=version, **msgspec.to_builtins(tally)
        ),
    )
    metrics = CountedMetrics(tally_book)
    ids = SortableIds(clock)
    vault = MasterKeyVault(settings.master_keys)
    store.migrate()
    key_store.migrate()
    check_place(key_store, store.registers)
    keys = DataKeys(store=key_store, users=store.users, personal=store.personal, vault=vault, ids=ids, clock=clock)
    people = People(users=store.users, shared=store.secrets, vault=vault, clock=clock, keys=keys)
    key_book = KeyBook(registers=store.registers, keys=store.keys, vault=vault)
    people.check_keys()
    key_book.check()
    live_words = _matcher(settings, clock)
    wechat_api = WechatApi(settings.wechat_api_url)
    screening = Screening(live_words, _moderators(settings, clock, metrics, store, wechat_api), spawn)
    asking = Asking(
        conversations=store.conversations,
        system_prompt=settings.system_prompt,
        window=settings.context_tokens,
        reserve=settings.answer_tokens,
    )
    desk = Desk(cards=store.cards, key=SharedKey("desk", shared=store.secrets, vault=vault), vault=vault)
    audit_trail = AuditTrail(
        log=store.audit,
        registers=store.registers,
        key=SharedKey("audit", shared=store.secrets, vault=vault),
        vault=vault,
        clock=clock,
        announce=turn_log.audit,
    )
    cases = Cases(desk=desk, audit=audit_trail, clock=clock, ids=ids)
    word_lists = WordLists(desk=desk, registers=store.registers, finder=live_words, audit=audit_trail, clock=clock)
    live_words.follow(word_lists.in_force, word_lists.words)
    conversations = ConversationService(
        conversations=store.conversations,
        clock=clock,
        ids=ids,
        ai_label=settings.ai_label,
        explain=errors.by_code,
        reported=cases.report,
    )
    abuse = Abuse(rule=settings.cooldown, verdicts=store.verdicts, standing=store.standing, forget=people.forget)
    users_desk = UsersDesk(
        users=store.users,
        keys=store.keys,
        standing=store.standing,
        verdicts=store.verdicts,
        conversations=conversations,
        cases=cases,
        people=people,
        desk=desk,
        audit=audit_trail,
        clock=clock,
    )
    people.follow_standing(lambda user_id: (users_desk.suspended_until(user_id), abuse.until(user_id, clock.now_ms())))
    verdict_log = VerdictLog(verdicts=store.verdicts, clock=clock, followers=(abuse.follow, cases.follow))
    following = Following(turns=store.turns, clock=clock, spawn=spawn)
    switches = RelaySwitches(store.registers, clock)
    pool = build_pool(settings, clock, metrics, switches.off)
    pricing = _pricing(settings, store, asking, clock, metrics, turn_log)
    slots = _slots(settings, store, clock, instance, screening.strained)
    metrics.queue(lambda: slots.depth)
    tally_book.queued = lambda: slots.depth
    summary = Summary(tallies=store.tallies, book=tally_book, clock=clock)
    engine = Engine(
        instance=instance,
        turns=store.turns,
        people=people,
        tools=Tools(
            relay=pool,
            screening=screening,
            asking=asking,
            slots=slots,
            clock=clock,
            metrics=metrics,
            guard=GuardPolicy(),
            spawn=spawn,
            queue_seconds=settings.queue_seconds,
            answer_tokens=settings.answer_tokens,
            room=pricing.room if pricing else None,
            verdicts=verdict_log,
        ),
        clock=clock,
        metrics=metrics,
        turn_log=CountedTurns(turn_log, tally_book, clock),
        lease_seconds=settings.lease_seconds,
        spawn=spawn,
        metered=pricing.ended if pricing else None,
    )
    models = tuple(
        ModelView(choice.id, choice.name, choice.id == settings.model, choice.domestic, choice.overseas)
        for choice in settings.models
    )
    catalog = Catalog(
        texts=FolderTexts(settings.texts_dir),
        models=models,
        name=settings.name,
        ai_notice=settings.ai_notice,
        ai_label=settings.ai_label,
        provider=Provider(settings.provider, settings.filing, settings.contact),
        image_hosts=settings.image_hosts,
    )
    receipts = Receipts(
        shared=store.secrets,
        vault=vault,
        clock=clock,
        ids=ids,
        apart=keys_apart(settings),
        priced=settings.prices is not None,
    )
    account = Account(
        users=store.users,
        turns=store.turns,
        personal=store.personal,
        registers=store.registers,
        engine=engine,
        people=people,
        keys=keys,
        receipts=receipts,
        log=turn_log,
    )
    services = Services(
        settings=settings,
        people=people,
        turns=TurnService(
            turns=store.turns,
            conversations=store.conversations,
            engine=engine,
            clock=clock,
            ids=ids,
            limits=AcceptLimits(rate=settings.rate_limit.count, window_ms=settings.rate_limit.window_ms),
            models=models,
            max_text_chars=settings.max_text_chars,
            lease_seconds=settings.lease_seconds,
            pricing=pricing,
        ),
        following=following,
        listen=Listen(
            turns=store.turns,
            engine=engine,
            following=following,
            clock=clock,
        ),
        conversations=conversations,
        consents=Consents(users=store.users, people=people, clock=clock, current=catalog.consent_version),
        account=account,
        receipts=receipts,
        export=Export(
            personal=store.personal,
            turns=store.turns,
            clock=clock,
            ids=ids,
            producer=Producer(settings.ai_label, settings.provider, settings.name),
            sections=(
                CreditsSection(store.ledger),
                ModerationSection(verdicts=store.verdicts, cases=cases, users=users_desk),
            ),
        ),
        pushes=Pushes(account=account, appids=settings.appids, clock=clock),
        tickets=TicketService(tickets=store.tickets, shared=store.secrets, vault=vault, clock=clock),
        signed_calls=SignedCalls(settings.function_secret, store.once, clock),
        push_codec=PushCodec(settings.push_token, settings.push_aes_key, settings.appids, clock),
        customer_service=None,
        catalog=catalog,
        health=Health(
            checks={"store": store.ping, "keys": key_store.ping}, engine=engine, notes={"relays": pool.summary}
        ),
        jobs=Jobs(
            turns=store.turns,
            conversations=store.conversations,
            account=account,
            engine=engine,
            clock=clock,
            event_hours=settings.event_hours,
            retention=Retention(
                history=store.history,
                verdicts=store.verdicts,
                cards=store.cards,
                clock=clock,
                history_days=settings.history_days,
                verdict_days=settings.verdict_days,
            ),
            settle=summary.settle,
        ),
        search=Search(
            conversations=store.conversations, history=store.history, clock=clock, ai_label=settings.ai_label
        ),
        verdict_log=verdict_log,
        wipe=Wipe(wiping=store.wiping, key_store=key_store),
        metrics=metrics,
        turn_log=turn_log,
        engine=engine,
        store=store,
        key_store=key_store,
        relays=pool,
        screening=screening,
        credits=Credits(
            ledger=store.ledger,
            turns=store.turns,
            clock=clock,
            table=settings.prices,
            models=catalog.models(overseas=True),
        ),
        pricing=pricing,
        rotation=Rotation(keys=store.keys, vault=vault, book=key_book),
        audit_trail=audit_trail,
        cases=cases,
        word_lists=word_lists,
        live_words=live_words,
        operators=Operators(
            desk=desk,
            passwords=ScryptPasswords(),
            guard=LoginGuard(registers=store.registers, clock=clock),
            audit=audit_trail,
            clock=clock,
        ),
        credit_desk=CreditDesk(ledger=store.ledger, table=settings.prices, audit=audit_trail, clock=clock, ids=ids),
        users_desk=users_desk,
        relay_desk=RelayDesk(upstreams=pool, switches=switches, audit=audit_trail, clock=clock, instance=instance),
        tally_book=tally_book,
        summary=summary,
    )
    return _customer_service(settings, services, store, clock, wechat_api)


def backups_of(services: Services) -> "Backups":
    """What writes a backup. Imported here: a start of the server does not wait for it."""
    from yunliao.services.backups import Backups

    clock = SystemClock()
    return Backups(
        copying=services.store.copying,
        registers=services.store.registers,
        key_store=services.key_store,
        vault=MasterKeyVault(services.settings.master_keys),
        audit=services.audit_trail,
        clock=clock,
        ids=SortableIds(clock),
        version=__version__,
    )


@contextmanager
def restoring(settings: Settings) -> "Iterator[Restore]":
    """What puts a backup into the store, without the services: those would begin by writing to it."""
    from yunliao.services.backups import Restore

    with ExitStack() as opened:
        store = store_at(settings.store_url)
        opened.callback(store.close)
        key_store = key_store_for(settings, store)
        opened.callback(key_store.close)
        yield Restore(copying=store.copying, key_store=key_store, vault=MasterKeyVault(settings.master_keys))


def after_restore(services: Services) -> "AfterRestore":
    """What a store needs that was put back."""
    from yunliao.services.after_restore import AfterRestore

    return AfterRestore(
        account=services.account,
        turns=services.store.turns,
        engine=services.engine,
        audit=services.audit_trail,
        clock=SystemClock(),
        lease_seconds=services.settings.lease_seconds,
    )


def keys_apart(settings: Settings) -> bool:
    """Whether a copy of the records, however made, leaves the halves of the keys behind: they are in a database of
    their own, or in a SQLite file of their own."""
    return bool(settings.keys_url) or settings.store_url.startswith("sqlite:")


def key_store_for(settings: Settings, store: RecordStore) -> KeyStore:
    """Where the operator wants it; else a file beside the SQLite file, or a collection beside MongoDB's."""
    url = settings.keys_url or (settings.store_url + ".keys" if settings.store_url.startswith("sqlite:") else "")
    if url.startswith("sqlite:"):
        from yunliao.adapters.store.sqlite.key_store import SqliteKeyStore

        return SqliteKeyStore(url)
    from yunliao.adapters.store.mongo.key_store import MongoKeyStore
    from yunliao.adapters.store.mongo.store import MongoStore

    if url:
        return MongoKeyStore(url)
    assert isinstance(store, MongoStore)  # noqa: S101  the only engine that is left
    return store.key_store()


def _customer_service(
    settings: Settings, services: Services, store: RecordStore, clock: SystemClock, wechat_api: WechatApi
) -> Services:
    """The same services, with a desk where the operator wants one."""
    if not settings.customer_service:
        return services
    desk = CustomerService(
        consents=services.consents,
        turns=services.turns,
        listen=services.listen,
        conversations=services.conversations,
        box=WechatLetters(wechat_api),  # closed with the layer that checks
        once=store.once,
        clock=clock,
        spawn=spawn,
        appids=settings.appids,
        label=settings.ai_label,
        human_words=settings.human_words,
    )
    services.engine.taken = desk.taken
    return replace(services, customer_service=desk)


def store_at(url: str) -> RecordStore:
    """Only the engine in use is imported: a driver's import is felt at every cold start."""
    if url.startswith("sqlite:"):
        from yunliao.adapters.store.sqlite import SqliteStore

        return SqliteStore(url)
    from yunliao.adapters.store.mongo import MongoStore

    return MongoStore(url)


def _slots(settings: Settings, store: Store, clock: SystemClock, instance: str, strained: Callable[[], bool]) -> Slots:
    seats = None
    if settings.max_live_total:
        seats = SharedSeats(
            store.registers,
            clock,
            instance=instance,
            limit=settings.max_live_total,
            lease_seconds=settings.lease_seconds,
        )
    return Slots(
        max_live=settings.max_live,
        max_queue=settings.max_queue,
        clock=clock,
        seats=seats,
        spawn=spawn,
        strained=strained,
    )


def _pricing(
    settings: Settings, store: Store, asking: Asking, clock: SystemClock, metrics: PrometheusMetrics, log: JsonTurnLog
) -> Pricing | None:
    table = settings.prices
    if table is None:
        return None
    budget = None
    if table.limits.service_day:
        budget = ServiceBudget(
            store.registers,
            clock,
            limit=table.limits.service_day,
            warn=table.limits.warn,
            used=metrics.service_day,
            told=log.service_budget,
        )
    return Pricing(
        table=table,
        asking=asking,
        answer_tokens=settings.answer_tokens,
        window=settings.context_tokens,
        budget=budget,
        metrics=metrics,
    )


def _matcher(settings: Settings, clock: SystemClock) -> LiveWords:
    files = [DEFAULT_WORDS]
    if settings.env == "development":
        files.append(DEVELOPMENT_WORDS)
    if settings.words_file:
        files.append(Path(settings.words_file))
    return LiveWords(files, clock, spawn)


def _moderators(
    settings: Settings, clock: SystemClock, metrics: PrometheusMetrics, store: Store, wechat_api: WechatApi
) -> list[Moderator]:
    governor = SharedGovernor(
        store.registers, clock, per_minute=settings.checks_per_minute, per_day=settings.checks_per_day
    )
    wechat = WechatModerator(wechat_api, governor, clock, metrics.moderation)
    layers: list[Moderator] = [wechat]
    relay = build_moderator(settings.relays, clock, metrics)
    if relay is not None:
        layers.append(relay)
    return layers
