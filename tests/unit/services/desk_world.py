"""The operators' services over a store in memory, with a clock that is told and passwords that are quick."""

from tests.fakes.clock import FakeClock
from tests.fakes.memory_store import MemoryKeyStore, MemoryStore
from yunliao.adapters.ids import SortableIds
from yunliao.adapters.live_words import LiveWords
from yunliao.adapters.vault import EnvelopeVault, MasterKeyVault
from yunliao.domain.cooldown import CooldownRule
from yunliao.domain.principal import Principal
from yunliao.ports import Clock
from yunliao.services.abuse import Abuse
from yunliao.services.audit_trail import AuditTrail, AuditView
from yunliao.services.cases import Cases
from yunliao.services.conversations import ConversationService
from yunliao.services.data_keys import DataKeys
from yunliao.services.desk import Desk
from yunliao.services.login_guard import LoginGuard
from yunliao.services.operators import Operators
from yunliao.services.people import Owner, People
from yunliao.services.shared_key import SharedKey
from yunliao.services.users_desk import UsersDesk
from yunliao.services.word_lists import WordLists

APPID = "wxallowed1"


def people_over(store: MemoryStore, key_store: MemoryKeyStore, vault: EnvelopeVault, clock: Clock) -> People:
    """As bootstrap makes them."""
    ids = SortableIds(clock)
    keys = DataKeys(store=key_store, users=store.users, personal=store.personal, vault=vault, ids=ids, clock=clock)
    return People(users=store.users, shared=store.secrets, vault=vault, clock=clock, keys=keys)


def met(people: People, principal: Principal) -> Owner:
    """The account of a caller who agreed to everything, made on first sight. Raises `Suspended`."""
    user, owner = people.find(principal) or people.enrol(principal)
    people.check_standing(user)
    return owner


class QuickPasswords:
    """Keeps the promise, not the slowness."""

    def __init__(self) -> None:
        self.looked_at = 0

    def hash(self, password: str) -> str:
        return f"quick${password[::-1]}"

    def fits(self, password: str, stored: str) -> bool:
        self.looked_at += 1
        return stored == self.hash(password)


class World:
    def __init__(
        self, store: MemoryStore | None = None, clock: FakeClock | None = None, key_store: MemoryKeyStore | None = None
    ) -> None:
        self.store = store or MemoryStore()
        self.key_store = key_store or MemoryKeyStore()
        self.clock = clock or FakeClock()
        vault = MasterKeyVault([("k", bytes(range(32)))])
        ids = SortableIds(self.clock)
        self.desk = Desk(
            cards=self.store.cards, key=SharedKey("desk", shared=self.store.secrets, vault=vault), vault=vault
        )
        self.audit = AuditTrail(
            log=self.store.audit,
            registers=self.store.registers,
            key=SharedKey("audit", shared=self.store.secrets, vault=vault),
            vault=vault,
            clock=self.clock,
            announce=lambda seq, mac, action: None,
        )
        self.passwords = QuickPasswords()
        self.operators = Operators(
            desk=self.desk,
            passwords=self.passwords,
            guard=LoginGuard(registers=self.store.registers, clock=self.clock),
            audit=self.audit,
            clock=self.clock,
        )
        self.people = people_over(self.store, self.key_store, vault, self.clock)
        self.cases = Cases(desk=self.desk, audit=self.audit, clock=self.clock, ids=ids)
        self.conversations = ConversationService(
            conversations=self.store.conversations,
            clock=self.clock,
            ids=ids,
            ai_label="AI 生成",
            explain=lambda code: None,
            reported=self.cases.report,
        )
        self.users = UsersDesk(
            users=self.store.users,
            keys=self.store.keys,
            standing=self.store.standing,
            verdicts=self.store.verdicts,
            conversations=self.conversations,
            cases=self.cases,
            people=self.people,
            desk=self.desk,
            audit=self.audit,
            clock=self.clock,
        )
        self.abuse = Abuse(
            rule=CooldownRule(3, 600_000, 1_800_000),
            verdicts=self.store.verdicts,
            standing=self.store.standing,
            forget=self.people.forget,
        )
        self.people.follow_standing(
            lambda user_id: (self.users.suspended_until(user_id), self.abuse.until(user_id, self.clock.now_ms()))
        )
        self.live_words = LiveWords((), self.clock)
        self.words = WordLists(
            desk=self.desk,
            registers=self.store.registers,
            finder=self.live_words,
            audit=self.audit,
            clock=self.clock,
        )
        self.live_words.follow(self.words.in_force, self.words.words)

    def owner(self, openid: str = "oPerson_0001") -> Owner:
        return met(self.people, Principal(openid=openid, appid=APPID))

    @property
    def audited(self) -> list[AuditView]:
        return self.audit.page(after=0, limit=500)

    def actions(self) -> list[tuple[str, str]]:
        return [(one.actor, one.action) for one in self.audited]
