"""Erasing: everything held about a user, or one conversation (P10)."""

from collections.abc import Callable
from typing import Protocol

from yunliao.domain.principal import Principal
from yunliao.errors import NotFound
from yunliao.ports import Registers, Turns, User, Users
from yunliao.ports_people import PersonalData
from yunliao.services.data_keys import DataKeys
from yunliao.services.engine import Engine
from yunliao.services.people import Owner, People
from yunliao.services.receipts import Receipt, Receipts

UNFINISHED = 50
"""Erases that one run of the job finishes."""
SWEPT = 500
"""Users that one run of the job looks at."""
SWEEP = "key-sweep"
END_OF_TIME = 2**53


class EraseLog(Protocol):
    """The trace an erase leaves: that it was done, never whose it was."""

    def erased(self, *, receipt: str, what: str, records: int) -> None: ...


class Account:
    """The user's own account."""

    def __init__(
        self,
        *,
        users: Users,
        turns: Turns,
        personal: PersonalData,
        registers: Registers,
        engine: Engine,
        people: People,
        keys: DataKeys,
        receipts: Receipts,
        log: EraseLog,
    ) -> None:
        self._users = users
        self._turns = turns
        self._personal = personal
        self._registers = registers
        self._engine = engine
        self._people = people
        self._keys = keys
        self._receipts = receipts
        self._log = log

    def erase(self, principal: Principal, *, made_until: int | None = None) -> Receipt:
        """Destroy the data key, then remove every record; a live answer ends, on whatever instance. Idempotent: the
        second receipt says that nothing was held. With `made_until` an account made later is left alone.

        The key goes first: from that moment nobody can read anything, even if the rest fails and is done later
        (`finish`, or the next time the person is met). Raises `StoreUnavailable`.
        """
        user = self._users.get(self._people.user_id_of(principal))
        if user is None or (made_until is not None and user.created_at > made_until):
            return self._receipts.account({}, held=False)
        self._stop(user.id)
        self._keys.destroy(user)
        records = self._remove(user)
        return self._done(self._receipts.account(records, held=True))

    def erase_conversation(self, owner: Owner, conversation_id: str) -> Receipt:
        """Remove one conversation for good, deleted or not. Raises `NotFound`."""
        self._stop(owner.user_id, conversation_id)
        records = self._personal.purge(owner.user_id, conversation_id)
        if records is None:
            raise NotFound
        self._keys.bury(conversation_id)
        return self._done(self._receipts.conversation(records))

    def stop(self, principal: Principal) -> None:
        """End the caller's live answer, if there is one."""
        self._stop(self._people.user_id_of(principal))

    def finish(self) -> int:
        """Finish erases that were cut short; how many. For the timer's job."""
        left = self._keys.unfinished(UNFINISHED)
        for share in left:
            self._users.erase(share.user_id, key_id=share.id)
            self._people.forget(share.user_id)
            self._keys.settle(share.id)
        return len(left)

    def sweep(self) -> int:
        """Look at some users more, a round of all in many calls: who came back from an old backup without a key goes.
        How many went. For the timer's job; two at once only look twice."""
        mark = self._registers.read(SWEEP)
        found = self._personal.keyed(after=mark.value.decode(), limit=SWEPT)
        noise, onward = self._sweep(found)
        self._registers.swap(SWEEP, version=mark.version, value=onward.encode())
        return noise

    def erase_again(self, progress: Callable[[int], None] = lambda users: None) -> tuple[int, int]:
        """After a backup was put back: whoever, and whatever conversation, was erased since it was made goes once more;
        how many of each. Looks at everybody; may be repeated."""
        people, conversations, after, seen = self.finish(), 0, "", 0
        while True:
            found = self._personal.keyed(after=after, limit=SWEPT)
            for user_id, _ in found:
                conversations += self._erase_conversations(user_id)
            noise, onward = self._sweep(found)
            people, seen = people + noise, seen + len(found)
            progress(seen)
            if not onward:
                return people, conversations
            after = onward

    def _sweep(self, found: list[tuple[str, str]]) -> tuple[int, str]:
        """Of a page of `keyed`, who has a destroyed key goes: how many; and where the next page begins, "" for none."""
        gone = self._keys.destroyed([key_id for _, key_id in found if key_id])
        noise = [(user_id, key_id) for user_id, key_id in found if key_id in gone]
        for user_id, key_id in noise:
            self._users.erase(user_id, key_id=key_id)
            self._keys.settle(key_id)
        return len(noise), found[-1][0] if len(found) == SWEPT else ""

    def _erase_conversations(self, user_id: str) -> int:
        after, erased = "", 0
        while found := self._personal.conversations(user_id, after=after, until=END_OF_TIME, limit=SWEPT):
            for conversation_id in sorted(self._keys.destroyed([one.id for one in found])):
                self._personal.purge(user_id, conversation_id)
                erased += 1
            after = found[-1].id
        return erased

    def _remove(self, user: User) -> dict[str, int]:
        records = self._users.erase(user.id, key_id=user.key_id)
        self._people.forget(user.id)
        self._keys.settle(user.key_id)
        return records

    def _stop(self, user_id: str, conversation_id: str = "") -> None:
        """End a live answer: here at once; elsewhere its next commit, a moment later, finds the turn gone."""
        live = self._turns.live_of(user_id)
        if live and conversation_id in ("", live.conversation_id):
            self._turns.request_stop(live.id)
            self._engine.stop(live.id)

    def _done(self, receipt: Receipt) -> Receipt:
        self._log.erased(receipt=receipt.id, what=receipt.what, records=sum(receipt.records.values()))
        return receipt
