"""Whose turn it is: the collections shard by user, while many calls name only the turn.

An instance works with few turns at a time and meets each first by a call that tells the user, so this costs a look at
the store for hardly any of them. On a plain replica set it only makes the filters longer.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterable

from yunliao.adapters.store.mongo.database import Database, Document
from yunliao.domain.turn import Turn

KEPT = 5_000
"""Turns remembered: more than an instance runs and serves at once (YUNLIAO_MAX_LIVE is at most 2,000)."""


class Whose:
    """A bounded memory of turn id to user id. A turn never changes hands, so it cannot be wrong, only gone."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._users: OrderedDict[str, str] = OrderedDict()

    def note(self, turn: Turn) -> Turn:
        """Remember; gives the turn back."""
        self._put(turn.id, turn.user_id)
        return turn

    def one(self, turn_id: str) -> Document:
        """The filter of one turn. Asks the store, inside the caller's `call`, when it is not known."""
        return {"_id": turn_id, "user_id": self.users([turn_id]).get(turn_id)}

    def known(self, turn_id: str) -> Document:
        """The filter of one turn, with its user if that is known."""
        with self._lock:
            user_id = self._users.get(turn_id)
        return {"_id": turn_id} if user_id is None else {"_id": turn_id, "user_id": user_id}

    def remembered(self, turn_ids: Iterable[str]) -> dict[str, str]:
        """The users of those turns that are known here."""
        with self._lock:
            return {turn_id: self._users[turn_id] for turn_id in turn_ids if turn_id in self._users}

    def users(self, turn_ids: Iterable[str]) -> dict[str, str]:
        """The users of those turns that there are; asks the store, inside the caller's `call`, for unknown ones."""
        wanted = list(turn_ids)
        known = self.remembered(wanted)
        unknown = [turn_id for turn_id in wanted if turn_id not in known]
        if unknown:
            for found in self._database["turns"].find({"_id": {"$in": unknown}}, {"user_id": 1}):
                known[found["_id"]] = found["user_id"]
                self._put(found["_id"], found["user_id"])
        return known

    def _put(self, turn_id: str, user_id: str) -> None:
        with self._lock:
            self._users[turn_id] = user_id
            self._users.move_to_end(turn_id)
            while len(self._users) > KEPT:
                self._users.popitem(last=False)


def these(users: dict[str, str]) -> Document:
    """The filter of the turns of `Whose.users`."""
    return {"_id": {"$in": list(users)}, "user_id": {"$in": sorted(set(users.values()))}}
