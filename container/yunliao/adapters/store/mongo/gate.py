"""The user's gate: what is done for one user at the same moment meets at the user's own record, and one goes first.

The record also remembers the newest sends, so that the next one need not ask for them. A counter says whether it
remembers all: every passage adds one to `passed`, and to `sends.passed` where it is one that keeps the memory. An
instance of the version before this one adds to the first only; the two then differ, nobody relies on the memory, and
who has asked the turns themselves begins it anew.
"""

from collections.abc import Sequence
from typing import Literal

from yunliao.adapters.store.mongo.records import LARGEST
from yunliao.adapters.store.mongo.steps import Document, Steps, Update
from yunliao.ports import Permit

REMEMBERED = 32
"""Times of sends kept with a user; a limit of more is asked about where so many lie in its window."""
NEVER_SENT: Document = {"passed": 0, "sends": {"passed": 0, "since": -LARGEST}}
"""What the record of a user begins with: where there was no record, there are no turns."""
BEFORE = {
    "_id": 0,
    "passed": 1,
    "sends": 1,
    "consent_version": 1,
    "consent_overseas": 1,
    "suspended_until": 1,
    "cooling_until": 1,
}


class Gate:
    """A gate that was passed, within a transaction; or one that was closed, as `status` says."""

    def __init__(self, *, status: Literal["no_user", "outdated"] | None = None, before: Document | None = None) -> None:
        self.status = status
        self._before = before

    def has_room(self, since: int, rate: int) -> bool:
        """Whether it is remembered, for certain, that fewer than `rate` turns were made after `since`."""
        sends = self._before and self._before.get("sends")
        if not sends or not self._remembers_all() or sends["since"] > since:
            return False
        times: Sequence[int] = sends.get("times", ())
        all_seen = len(times) < REMEMBERED or times[0] <= since
        return all_seen and sum(time > since for time in times) < rate

    def begun_anew(self, since: int, times: Sequence[int]) -> Document | None:
        """The change of the user's record that makes it remember again, by `times`, those of all turns after `since`;
        None where it does already, or where there is no record."""
        if self._before is None or self._remembers_all():
            return None
        passed = self._before.get("passed", 0) + 1
        return {"$set": {"sends": {"passed": passed, "since": since, "times": sorted(times)[-REMEMBERED:]}}}

    def _remembers_all(self) -> bool:
        before = self._before or {}
        sends = before.get("sends", {})
        return "since" in sends and sends.get("passed") == before.get("passed")


def pass_gate(
    steps: Steps,
    user_id: str,
    key_id: str,
    *,
    permit: Permit | None = None,
    sent_at: int | None = None,
) -> Gate:
    """Meet whatever else is done for this user at this moment, erasing included. It is closed where `key_id` or
    `permit` is given and not the stored user's. With `sent_at` a turn of that time is remembered."""
    if not key_id and permit is None:  # there may be no such user
        steps.update("gates", [Update({"_id": user_id}, {"$inc": {"passed": 1}}, upsert=True)])
        return Gate()
    wanted: Document = {"_id": user_id} | ({"key_id": key_id} if key_id else {})
    change: Document = {"$inc": {"passed": 1, "sends.passed": 1}}
    if sent_at is not None:
        change["$push"] = {"sends.times": {"$each": [sent_at], "$sort": 1, "$slice": -REMEMBERED}}
    before = steps.change_one("users", wanted, change, BEFORE)
    if before is None:
        return Gate(status="no_user" if key_id else "outdated")
    if permit is not None and permit != _permit(before):
        return Gate(status="outdated")
    return Gate(before=before)


def _permit(found: Document) -> Permit:
    return Permit(
        found.get("consent_version", ""),
        found.get("consent_overseas", False),
        int(found.get("suspended_until", 0)),
        int(found.get("cooling_until", 0)),
    )
