"""The store as a whole."""

from yunliao.adapters.store.mongo.conversations import MongoConversations
from yunliao.adapters.store.mongo.copying import MongoCopying
from yunliao.adapters.store.mongo.database import CALL_SECONDS, Database
from yunliao.adapters.store.mongo.desk import MongoAudit, MongoCards, MongoStanding, MongoVerdicts, MongoWiping
from yunliao.adapters.store.mongo.history import MongoHistory
from yunliao.adapters.store.mongo.key_store import MongoKeyStore
from yunliao.adapters.store.mongo.keys import MongoWrappedKeys
from yunliao.adapters.store.mongo.ledger import MongoLedger
from yunliao.adapters.store.mongo.once import MongoOnce
from yunliao.adapters.store.mongo.personal import MongoPersonalData
from yunliao.adapters.store.mongo.rooms import MongoRegisters, MongoSecrets, MongoTickets, MongoUsers
from yunliao.adapters.store.mongo.schema import MIGRATIONS, migrate
from yunliao.adapters.store.mongo.tallies import MongoTallies
from yunliao.adapters.store.mongo.turns import MongoTurns
from yunliao.errors import StoreUnavailable
from yunliao.ports import Conversations, Registers, Secrets, Tickets, Turns, Users
from yunliao.ports_keys import WrappedKeys
from yunliao.ports_ledger import Ledger
from yunliao.ports_once import Once
from yunliao.ports_people import PersonalData
from yunliao.ports_records import AuditLog, Cards, Copying, History, Standing, Verdicts, Wiping
from yunliao.ports_tallies import Tallies

PING_SECONDS = 2.0


class MongoStore:
    """Implements `ports.Store` for `mongodb://` and `mongodb+srv://` addresses."""

    def __init__(self, url: str, *, seconds: float = CALL_SECONDS) -> None:
        """No call takes longer than `seconds`."""
        self._database = Database(url, seconds=seconds)
        self.turns: Turns = MongoTurns(self._database)
        self.users: Users = MongoUsers(self._database)
        self.conversations: Conversations = MongoConversations(self._database)
        self.tickets: Tickets = MongoTickets(self._database)
        self.secrets: Secrets = MongoSecrets(self._database)
        self.registers: Registers = MongoRegisters(self._database)
        self.once: Once = MongoOnce(self._database)
        self.ledger: Ledger = MongoLedger(self._database)
        self.personal: PersonalData = MongoPersonalData(self._database)
        self.keys: WrappedKeys = MongoWrappedKeys(self._database)
        self.history: History = MongoHistory(self._database)
        self.verdicts: Verdicts = MongoVerdicts(self._database)
        self.cards: Cards = MongoCards(self._database)
        self.audit: AuditLog = MongoAudit(self._database)
        self.standing: Standing = MongoStanding(self._database)
        self.tallies: Tallies = MongoTallies(self._database)
        self.wiping: Wiping = MongoWiping(self._database)
        self.copying: Copying = MongoCopying(self._database)

    def migrate(self) -> list[str]:
        """See `ports.Store.migrate`."""
        return migrate(self._database)

    def ping(self) -> None:
        """See `ports.Store.ping`: asks the primary, also while other calls are spared the wait."""
        with self._database.call(PING_SECONDS):
            if self._database["migrations"].find_one({"_id": MIGRATIONS[-1][0]}) is None:
                raise StoreUnavailable("mongodb: the store is not migrated")

    def key_store(self) -> MongoKeyStore:
        """Halves of data keys in this same database, over the same connections."""
        return MongoKeyStore(self._database)

    def close(self) -> None:
        """See `ports.Store.close`."""
        self._database.close()
