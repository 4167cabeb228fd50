"""Turns and their event logs in MongoDB: one document a turn, its events inside until they expire."""

from collections.abc import Collection, Sequence

import pymongo
from pymongo import ReturnDocument
from pymongo.errors import PyMongoError

from yunliao.adapters.store.mongo.accept import TURN, accept
from yunliao.adapters.store.mongo.commit import GroupCommit
from yunliao.adapters.store.mongo.database import ORPHAN_SECONDS, Database, Document
from yunliao.adapters.store.mongo.records import load, read
from yunliao.adapters.store.mongo.watch import MongoWatch, open_watch
from yunliao.adapters.store.mongo.whose import Whose, these
from yunliao.domain.turn import Turn
from yunliao.ports import AcceptLimits, AcceptOutcome, CommitResult, Draft, EventRow, Head, TurnWrite

MADE_SURE = 8
"""Missing turns of one look that are asked for once more."""
HEAD: Document = {"last_seq": 1, "live": 1, "lease_until": 1}
LONGEST = 2**31 - 1
"""The largest position in an array the server can be asked for."""


class MongoTurns:
    """Implements `ports.Turns`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._turns = database["turns"]
        self._whose = Whose(database)
        self._commit = GroupCommit(database, self._whose)

    def accept(self, draft: Draft, limits: AcceptLimits) -> AcceptOutcome:
        """See `ports.Turns.accept`."""
        outcome = accept(self._database, draft, limits)
        if outcome.turn is not None:
            self._whose.note(outcome.turn)
        return outcome

    def get(self, turn_id: str) -> Turn | None:
        """See `ports.Turns.get`."""
        with self._database.call():
            found = read(Turn, self._database.one("turns", self._whose.known(turn_id), TURN))
        return None if found is None else self._whose.note(found)

    def by_client_id(self, user_id: str, client_id: str) -> Turn | None:
        """See `ports.Turns.by_client_id`."""
        return self._one({"user_id": user_id, "client_id": client_id})

    def live_of(self, user_id: str) -> Turn | None:
        """See `ports.Turns.live_of`."""
        return self._one({"user_id": user_id, "live": True})

    def commit(self, writes: Sequence[TurnWrite], *, owner: str, lease_until: int) -> CommitResult:
        """See `ports.Turns.commit`."""
        return self._commit.run(writes, owner=owner, lease_until=lease_until)

    def claim(self, turn_id: str, *, owner: str, lease_until: int, now: int) -> Turn | None:
        """See `ports.Turns.claim`. After an outage the owners, who live, are given one lease time to come back."""
        if not self._database.trouble.settled((lease_until - now) / 1000):
            self.heads([turn_id])  # raises while the outage lasts: not to be had is another thing than not to be seen
            return None
        with self._database.call():
            dead = {**self._whose.one(turn_id), "live": True, "lease_until": {"$lt": now}}
            change = {"$set": {"owner": owner, "lease_until": lease_until}, "$inc": {"takeovers": 1}}
            try:
                with pymongo.timeout(ORPHAN_SECONDS / 2):
                    return read(Turn, self._take(dead, change))
            except PyMongoError as failed:
                if not failed.timeout:
                    raise
            # The owner may have died inside the very transaction that was to end the turn.
            self._database.free_orphans()
            return read(Turn, self._take(dead, change))

    def _take(self, wanted: Document, change: Document) -> Document | None:
        return self._turns.find_one_and_update(wanted, change, projection=TURN, return_document=ReturnDocument.AFTER)

    def abandoned(self, *, now: int, limit: int) -> list[Turn]:
        """See `ports.Turns.abandoned`."""
        dead = {"live": True, "lease_until": {"$lt": now}}
        with self._database.call():
            found = list(self._turns.find(dead, TURN).sort("lease_until").limit(limit))
        return [self._whose.note(load(Turn, one)) for one in found]

    def request_stop(self, turn_id: str) -> None:
        """See `ports.Turns.request_stop`."""
        with self._database.call():
            live = {**self._whose.one(turn_id), "live": True}
            self._turns.update_one(live, {"$set": {"stop_requested": True}})

    def events(self, turn_id: str, *, after: int, limit: int) -> list[EventRow]:
        """See `ports.Turns.events`. The log has no gaps: an event's place in it tells its number."""
        start = max(0, min(after, LONGEST))
        with self._database.call():
            wanted = self._whose.one(turn_id)
            found = self._turns.find_one(
                wanted, {"_id": 0, "events": {"$slice": [start, max(1, limit)]}, "last_seq": 1}
            )
        rows = found.get("events", []) if found else []
        return [EventRow(seq=seq, body=row["b"], created_at=int(row["t"])) for seq, row in enumerate(rows, start + 1)]

    def heads(self, turn_ids: Collection[str]) -> dict[str, Head]:
        """See `ports.Turns.heads`."""
        with self._database.call():
            wanted = these(self._whose.users(turn_ids))
            found = list(self._turns.find(wanted, HEAD))
            missing = set(turn_ids) - {one["_id"] for one in found}
            few = sorted(missing) if len(missing) <= MADE_SURE else ()  # each costs a round trip of its own
            surely = [self._database.one("turns", {"_id": turn_id}, HEAD) for turn_id in few]
            found += [one for one in surely if one is not None]
        return {one["_id"]: Head(one["last_seq"], one.get("live", False), int(one["lease_until"])) for one in found}

    def watch(self) -> MongoWatch | None:
        """See `ports.Turns.watch`."""
        return open_watch(self._database)

    def expire_events(self, *, ended_before: int, limit: int) -> int:
        """See `ports.Turns.expire_events`."""
        past = {"keeps_events": True, "ended_at": {"$lt": ended_before}}
        with self._database.call():
            found = list(self._turns.find(past, {"user_id": 1}).sort("ended_at").limit(limit))
            ids, users = [one["_id"] for one in found], list({one["user_id"] for one in found})
            if ids:
                expired = {"$unset": {"events": "", "keeps_events": ""}}
                self._turns.update_many({"_id": {"$in": ids}, "user_id": {"$in": users}}, expired)
        return len(ids)

    def _one(self, wanted: dict[str, object]) -> Turn | None:
        with self._database.call():
            found = read(Turn, self._turns.find_one(wanted, TURN))
        return None if found is None else self._whose.note(found)
