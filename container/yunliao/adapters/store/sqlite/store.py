"""The store as a whole."""

from yunliao.adapters.store.sqlite.conversations import SqliteConversations
from yunliao.adapters.store.sqlite.copying import SqliteCopying
from yunliao.adapters.store.sqlite.database import Database, row
from yunliao.adapters.store.sqlite.desk import SqliteAudit, SqliteCards, SqliteStanding, SqliteVerdicts, SqliteWiping
from yunliao.adapters.store.sqlite.history import SqliteHistory
from yunliao.adapters.store.sqlite.keys import SqliteWrappedKeys
from yunliao.adapters.store.sqlite.ledger import SqliteLedger
from yunliao.adapters.store.sqlite.once import SqliteOnce
from yunliao.adapters.store.sqlite.personal import SqlitePersonalData
from yunliao.adapters.store.sqlite.rooms import SqliteRegisters, SqliteSecrets, SqliteTickets, SqliteUsers
from yunliao.adapters.store.sqlite.schema import migrate
from yunliao.adapters.store.sqlite.tallies import SqliteTallies
from yunliao.adapters.store.sqlite.turns import SqliteTurns
from yunliao.ports import Conversations, Registers, Secrets, Tickets, Turns, Users
from yunliao.ports_keys import WrappedKeys
from yunliao.ports_ledger import Ledger
from yunliao.ports_once import Once
from yunliao.ports_people import PersonalData
from yunliao.ports_records import AuditLog, Cards, Copying, History, Standing, Verdicts, Wiping
from yunliao.ports_tallies import Tallies


class SqliteStore:
    """Implements `ports.Store` for `sqlite:///relative/path` and `sqlite:////absolute/path`."""

    def __init__(self, url: str) -> None:
        self._database = Database(url.removeprefix("sqlite:///"))
        self.turns: Turns = SqliteTurns(self._database)
        self.users: Users = SqliteUsers(self._database)
        self.conversations: Conversations = SqliteConversations(self._database)
        self.tickets: Tickets = SqliteTickets(self._database)
        self.secrets: Secrets = SqliteSecrets(self._database)
        self.registers: Registers = SqliteRegisters(self._database)
        self.once: Once = SqliteOnce(self._database)
        self.ledger: Ledger = SqliteLedger(self._database)
        self.personal: PersonalData = SqlitePersonalData(self._database)
        self.keys: WrappedKeys = SqliteWrappedKeys(self._database)
        self.history: History = SqliteHistory(self._database)
        self.verdicts: Verdicts = SqliteVerdicts(self._database)
        self.cards: Cards = SqliteCards(self._database)
        self.audit: AuditLog = SqliteAudit(self._database)
        self.standing: Standing = SqliteStanding(self._database)
        self.tallies: Tallies = SqliteTallies(self._database)
        self.wiping: Wiping = SqliteWiping(self._database)
        self.copying: Copying = SqliteCopying(self._database)

    def migrate(self) -> list[str]:
        """See `ports.Store.migrate`."""
        return migrate(self._database)

    def ping(self) -> None:
        """See `ports.Store.ping`."""
        with self._database.read() as connection:
            row(connection, "SELECT 1 FROM migrations")

    def close(self) -> None:
        """See `ports.Store.close`."""
        self._database.close()
