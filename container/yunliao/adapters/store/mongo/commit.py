"""The group commit of an instance: two round trips for all its live turns, whatever their number.

A turn's document holds its log and the state that guards it (owner, live, last number), so appending is one compare-
and-set of one document: it happens whole or, for a turn that was lost, not at all, without a transaction, and on a
sharded cluster every shard does its part alone. One bulk write carries all of them; where it missed one, and twice a
second, one query then tells which were lost and which are to stop. Endings also touch messages and conversations: those
of a batch share one transaction.

A write whose answer never came (the primary died) may have been done. Each write therefore carries a mark, kept in the
document; the committer repeats the very same write after an error, it gets the same mark, and is recognised.
"""

import secrets
import threading
import time
from collections.abc import Sequence

from pymongo.client_session import ClientSession

from yunliao.adapters.store.mongo.accept import TURN
from yunliao.adapters.store.mongo.database import Database, Document, Hindered
from yunliao.adapters.store.mongo.endings import closed, leave, log_of
from yunliao.adapters.store.mongo.line import Lines
from yunliao.adapters.store.mongo.records import load
from yunliao.adapters.store.mongo.steps import Steps, Update
from yunliao.adapters.store.mongo.whose import Whose, these
from yunliao.domain.turn import Ending, Turn
from yunliao.errors import StoreUnavailable
from yunliao.ports import CommitResult, TurnWrite

Marked = tuple[TurnWrite, str]
LOOK = 0.5
"""Seconds between two looks at which of the turns written since are to stop; after a write that missed a turn, and with
every renewal of leases, it is looked at once."""


class GroupCommit:
    """Implements `ports.Turns.commit`."""

    def __init__(self, database: Database, whose: Whose) -> None:
        self._database = database
        self._whose = whose
        self._lock = threading.Lock()
        self._unsure: dict[int, Marked] = {}
        self._looked_at = 0.0
        self._unlooked: dict[str, str] = {}
        """Turns that were written since the last look, and their users."""

    def run(self, writes: Sequence[TurnWrite], *, owner: str, lease_until: int) -> CommitResult:
        """See `ports.Turns.commit`. Repeated with the same writes after `StoreUnavailable` it finishes what is left."""
        with self._lock:
            marked = [self._unsure.get(id(write)) or (write, secrets.token_hex(6)) for write in writes]
        lost: set[str] = set()
        stops: set[str] = set()
        try:
            for wave in _waves(marked):
                for part in (
                    self._append([one for one in wave if one[0].ending is None], owner, lease_until),
                    self._end([one for one in wave if one[0].ending is not None], owner),
                ):
                    lost |= part.lost
                    stops |= part.stops
        except StoreUnavailable:
            with self._lock:
                self._unsure = {id(write): (write, mark) for write, mark in marked}  # keeps them, so ids stay theirs
            raise
        with self._lock:
            for write in writes:
                self._unsure.pop(id(write), None)
        return CommitResult(lost=frozenset(lost), stops=frozenset(stops))

    def _append(self, marked: list[Marked], owner: str, lease_until: int) -> CommitResult:
        if not marked:
            return CommitResult()
        met, users = self._database.quickly(
            lambda lines: self._appended_quickly(lines, marked, owner, lease_until),
            lambda: self._appended_surely(marked, owner, lease_until),
        )
        now = time.monotonic()
        with self._lock:
            self._unlooked |= users
            asked = dict(self._unlooked)
        # A renewal of leases looks at every turn: one that says nothing is in no other write.
        renews = any(not write.rows for write, _ in marked)
        if met == len(marked) and now - self._looked_at < LOOK and not renews:
            return CommitResult()
        with self._database.call():
            seen = self._database["turns"].find(these(asked), {"owner": 1, "mark": 1, "stop_requested": 1})
            found = {one["_id"]: one for one in seen}
        self._looked_at = now
        with self._lock:
            for turn_id in asked:
                self._unlooked.pop(turn_id, None)
        kept = {
            write.turn_id
            for write, mark in marked
            if (one := found.get(write.turn_id)) is not None and (one.get("mark"), one["owner"]) == (mark, owner)
        }
        return CommitResult(
            lost=frozenset(write.turn_id for write, _ in marked) - kept,
            stops=frozenset(
                turn_id for turn_id, one in found.items() if one["owner"] == owner and one.get("stop_requested")
            ),
        )

    def _appended_quickly(
        self, lines: Lines, marked: list[Marked], owner: str, lease_until: int
    ) -> tuple[int, dict[str, str]]:
        users = self._whose.remembered(_ids(marked))
        if len(users) < len(marked):
            raise Hindered
        return self._appended_by(lines, marked, owner, lease_until, users)

    def _appended_surely(self, marked: list[Marked], owner: str, lease_until: int) -> tuple[int, dict[str, str]]:
        with self._database.call():
            users = self._whose.users(_ids(marked))
            return self._appended_by(self._database.steps(None), marked, owner, lease_until, users)

    def _appended_by(
        self, steps: Steps | Lines, marked: list[Marked], owner: str, lease_until: int, users: dict[str, str]
    ) -> tuple[int, dict[str, str]]:
        """How many turns were met, and the users of them all."""
        changes = [
            Update(_still(write, owner, users.get(write.turn_id)), _appended(write, mark, lease_until))
            for write, mark in marked
        ]
        return steps.update("turns", changes), users

    def _end(self, marked: list[Marked], owner: str) -> CommitResult:
        if not marked:
            return CommitResult()
        if any(write.turn is None for write, _ in marked):
            return self._ended_as_found(marked, owner)
        return self._database.quickly(
            lambda lines: lines.transaction(lambda steps: self._ended_as_known(steps, marked, owner)),
            lambda: self._ended_as_found(marked, owner),
        )

    def _ended_as_found(self, marked: list[Marked], owner: str) -> CommitResult:
        users = self._whose.remembered(_ids(marked))
        if len(users) < len(marked):
            with self._database.call():
                users = self._whose.users(_ids(marked))
        return self._database.transaction(lambda session: self._ended(session, marked, owner, users))

    def _ended_as_known(self, steps: Steps, marked: list[Marked], owner: str) -> CommitResult:
        """The common case, one command shorter: every turn is as the caller knows it. Nothing is written if one is not,
        and what became of each is then found out by `_ended`."""
        changes, ended = [], []
        for write, mark in marked:
            assert write.turn is not None and write.ending is not None  # noqa: S101  that is what these are
            changes.append(closed(write.turn, write, write.ending, mark, _still(write, owner, write.turn.user_id)))
            ended.append((write.turn, write.ending))
        if steps.update("turns", changes) < len(changes):
            raise Hindered
        leave(steps, ended)
        return CommitResult()

    def _ended(self, session: ClientSession, marked: list[Marked], owner: str, users: dict[str, str]) -> CommitResult:
        turns, steps = self._database["turns"], self._database.steps(session)
        found = {one["_id"]: one for one in turns.find(these(users), TURN, session=session)}
        kept: set[str] = set()
        stops: set[str] = set()
        turn_changes: list[Update] = []
        ended: list[tuple[Turn, Ending]] = []
        for write, mark in marked:
            document_ = found.get(write.turn_id)
            if document_ is None or write.ending is None:
                continue
            live, done = document_.get("live", False), document_.get("mark") == mark
            turn = load(Turn, document_)
            if not done and not (live and turn.owner == owner and _contiguous(turn, write)):
                continue
            kept.add(turn.id)
            if turn.stop_requested:
                stops.add(turn.id)
            if not done:
                wanted = {"_id": turn.id, "user_id": turn.user_id}
                turn_changes.append(closed(turn, write, write.ending, mark, wanted))
                ended.append((turn, write.ending))
        if turn_changes:
            steps.update("turns", turn_changes)
            leave(steps, ended)
        return CommitResult(lost=frozenset(write.turn_id for write, _ in marked) - kept, stops=frozenset(stops))


def _ids(marked: list[Marked]) -> list[str]:
    return [write.turn_id for write, _ in marked]


def _waves(marked: list[Marked]) -> list[list[Marked]]:
    """The writes in an order that keeps two of one turn apart: the second goes on from the first."""
    waves: list[list[Marked]] = []
    placed: dict[str, int] = {}
    for one in marked:
        number = placed[one[0].turn_id] = placed.get(one[0].turn_id, -1) + 1
        if number == len(waves):
            waves.append([])
        waves[number].append(one)
    return waves


def _still(write: TurnWrite, owner: str, user_id: str | None) -> Document:
    """The filter of a turn that is still this owner's and ends where the new rows begin."""
    wanted = {"_id": write.turn_id, "user_id": user_id, "live": True, "owner": owner}
    if not write.rows:
        return wanted
    first = write.rows[0].seq
    in_order = [row.seq for row in write.rows] == list(range(first, first + len(write.rows)))
    return wanted | {"last_seq": first - 1 if in_order else -1}


def _appended(write: TurnWrite, mark: str, lease_until: int) -> Document:
    fields: Document = {"lease_until": lease_until, "mark": mark}
    if write.state is not None:
        fields["state"] = write.state
    if not write.rows:
        return {"$set": fields}
    return {"$set": fields | {"last_seq": write.rows[-1].seq}, "$push": log_of(write)}


def _contiguous(turn: Turn, write: TurnWrite) -> bool:
    return [row.seq for row in write.rows] == list(range(turn.last_seq + 1, turn.last_seq + 1 + len(write.rows)))
