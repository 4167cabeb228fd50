"""Accounts, entries and codes in MongoDB.

Whatever changes a user's credits writes the one document of the account, within a transaction over a snapshot: of two
changes at once the server refuses one, which then decides again. Movements also pass the user's gate, where the erasure
of a user waits too.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime

import msgspec
from pymongo import ASCENDING, DESCENDING
from pymongo.client_session import ClientSession

from yunliao.adapters.store.mongo.database import Database, Document, Refused
from yunliao.adapters.store.mongo.gate import pass_gate
from yunliao.adapters.store.mongo.records import LARGEST, load
from yunliao.adapters.store.mongo.steps import Steps, Update
from yunliao.adapters.store.posting import let_go_in, move_in, redeem_in, set_plan_in
from yunliao.domain.ledger.account import Account, mark_of
from yunliao.domain.ledger.audit import Books
from yunliao.domain.ledger.codes import Code
from yunliao.domain.ledger.entries import Entry, Kind
from yunliao.domain.ledger.granting import Movement
from yunliao.domain.turn import Turn
from yunliao.ports_ledger import Posted

_account = msgspec.json.Decoder(Account)


class OpenBooks:
    """Implements `posting.Open` within a transaction. What is saved is written by `flush`, all of it in two round
    trips; until then `load` gives it back."""

    def __init__(self, steps: Steps) -> None:
        self._steps = steps
        self._accounts: dict[str, Account | None] = {}
        self._changed: dict[str, Account] = {}
        self._entries: list[Entry] = []

    def preload(self, user_ids: Iterable[str]) -> None:
        """Read the accounts of many users by one query."""
        wanted = list(set(user_ids))
        if wanted:
            self._accounts |= dict.fromkeys(wanted)
            for found in self._steps.find("accounts", {"_id": {"$in": wanted}}, at_most=len(wanted)):
                self._accounts[found["_id"]] = _account.decode(found["body"])

    def load(self, user_id: str) -> Account | None:
        """The user's record; of one who was erased today, what their mark says."""
        if user_id not in self._accounts:
            self.preload([user_id])
            if self._accounts[user_id] is None:
                mark = self._one("tickets", {"_id": mark_of(user_id, None).name})
                self._accounts[user_id] = None if mark is None else Account(allowed_day=mark["allowed_day"])
        return self._accounts[user_id]

    def mark(self, user_id: str) -> None:
        """Leave a mark of an account that is about to be erased; it goes as tickets go."""
        self.preload([user_id])
        account = self._accounts[user_id]
        if account is not None and account.allowed_day >= 0:
            mark = mark_of(user_id, account)
            gone_at = datetime.fromtimestamp(mark.expires_at // 1000 + 1, UTC)
            fields = {"allowed_day": mark.allowed_day, "expires_at": mark.expires_at, "gone_at": gone_at}
            self._steps.update("tickets", [Update({"_id": mark.name}, {"$set": fields}, upsert=True)])

    def save(self, user_id: str, account: Account, entries: tuple[Entry, ...]) -> None:
        """Keep for `flush`."""
        self._accounts[user_id] = self._changed[user_id] = account
        self._entries += entries

    def entry(self, user_id: str, reference: str, kind: Kind) -> Entry | None:
        """The entry of that kind and reference."""
        found = self._one("entries", {"user_id": user_id, "reference": reference, "kind": kind})
        return None if found is None else load(Entry, found)

    def is_user(self, user_id: str) -> bool:
        """Whether there is such a user. An erasure of the user that runs at the same time meets us at the gate."""
        pass_gate(self._steps, user_id, "")
        return self._one("users", {"_id": user_id}) is not None

    def code(self, code_hash: str) -> Code | None:
        """The code with the uses it has left."""
        found = self._one("codes", {"_id": code_hash})
        return None if found is None else load(Code, {**found, "hash": code_hash})

    def use(self, code: Code) -> None:
        """One use fewer."""
        self._steps.update("codes", [Update({"_id": code.hash}, {"$inc": {"uses": -1}})])

    def flush(self) -> None:
        """Write what was saved."""
        accounts = [
            Update({"_id": user_id}, {"$set": {"body": msgspec.json.encode(account)}}, upsert=True)
            for user_id, account in self._changed.items()
        ]
        if accounts:
            self._steps.update("accounts", accounts)
        if self._entries:
            self._steps.insert("entries", [msgspec.structs.asdict(entry) for entry in self._entries])

    def _one(self, name: str, wanted: Document) -> Document | None:
        return next(iter(self._steps.find(name, wanted, at_most=1)), None)


def let_go_of(database: Database, session: ClientSession, parts: Document) -> None:
    """What live turns of these `parts` had reserved goes back, within the transaction that removes them."""
    books = OpenBooks(database.steps(session))
    for live in database["turns"].find({**parts, "live": True}, {"events": 0}, session=session):
        let_go_in(books, load(Turn, live))
    books.flush()


class MongoLedger:
    """Implements `ports_ledger.Ledger`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def account(self, user_id: str) -> Account | None:
        """See `ports_ledger.Ledger.account`."""
        with self._database.call():
            return OpenBooks(self._database.steps(None)).load(user_id)

    def move(self, user_id: str, movement: Movement) -> Posted:
        """See `ports_ledger.Ledger.move`."""

        def work(session: ClientSession) -> Posted | Refused[Posted]:
            books = OpenBooks(self._database.steps(session))
            posted = move_in(books, user_id, movement)
            if posted.status != "posted":
                return Refused(posted)
            books.flush()
            return posted

        return self._database.transaction(work)

    def redeem(self, user_id: str, code_hash: str, *, at: int) -> Posted:
        """See `ports_ledger.Ledger.redeem`."""

        def work(session: ClientSession) -> Posted | Refused[Posted]:
            books = OpenBooks(self._database.steps(session))
            posted = redeem_in(books, user_id, code_hash, at)
            if posted.status not in ("posted", "wrong_code"):
                return Refused(posted)
            books.flush()
            return posted

        return self._database.transaction(work)

    def put_codes(self, codes: Sequence[Code]) -> None:
        """See `ports_ledger.Ledger.put_codes`."""
        made = [{"_id": code.hash, **msgspec.structs.asdict(code)} for code in codes]
        if made:
            self._database.transaction(lambda session: self._database["codes"].insert_many(made, session=session))

    def set_plan(self, user_id: str, plan: str) -> bool:
        """See `ports_ledger.Ledger.set_plan`."""

        def work(session: ClientSession) -> bool | Refused[bool]:
            books = OpenBooks(self._database.steps(session))
            if not set_plan_in(books, user_id, plan):
                return Refused(False)
            books.flush()
            return True

        return self._database.transaction(work)

    def entries(
        self, user_id: str, *, before: int | None, limit: int, kinds: Collection[Kind] | None = None
    ) -> list[Entry]:
        """See `ports_ledger.Ledger.entries`."""
        wanted: Document = {"user_id": user_id}
        if before is not None:
            wanted["number"] = {"$lt": max(-LARGEST, min(before, LARGEST))}
        if kinds is not None:
            wanted["kind"] = {"$in": sorted(kinds)}
        with self._database.call():
            found = self._database["entries"].find(wanted).sort("number", DESCENDING).limit(limit)
            return [load(Entry, one) for one in found]

    def about(self, user_id: str, reference: str) -> list[Entry]:
        """See `ports_ledger.Ledger.about`."""
        wanted = {"user_id": user_id, "reference": reference}
        with self._database.call():
            found = list(self._database["entries"].find(wanted))
        return sorted((load(Entry, one) for one in found), key=lambda entry: entry.number)

    def books(self, user_id: str) -> Books:
        """See `ports_ledger.Ledger.books`."""

        def work(session: ClientSession) -> Books | Refused[Books]:
            mine = {"user_id": user_id}
            entries = self._database["entries"].find(mine, session=session).sort("number", ASCENDING)
            priced = {**mine, "price_version": {"$gt": ""}}
            turns = self._database["turns"].find(priced, {"events": 0}, session=session)
            known = self._database["users"].find_one({"_id": user_id}, {"_id": 1}, session=session)
            return Refused(
                Books(
                    user_id=user_id,
                    account=_stored(self._database, session, user_id),
                    entries=tuple(load(Entry, one) for one in entries),
                    turns=tuple(load(Turn, one) for one in turns),
                    known=known is not None,
                )
            )

        return self._database.transaction(work)

    def users(self, *, after: str, limit: int) -> list[str]:
        """See `ports_ledger.Ledger.users`."""
        ids: set[str] = set()
        with self._database.call():
            for name in ("users", "accounts"):
                found = self._database[name].find({"_id": {"$gt": after}}, {"_id": 1}).sort("_id", ASCENDING)
                ids |= {one["_id"] for one in found.limit(limit)}
        return sorted(ids)[:limit]


def _stored(database: Database, session: ClientSession, user_id: str) -> Account | None:
    found = database["accounts"].find_one({"_id": user_id}, session=session)
    return None if found is None else _account.decode(found["body"])
