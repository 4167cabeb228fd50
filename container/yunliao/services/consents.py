"""What a user agreed to: the version of the agreement, and separately whether overseas processing is allowed."""

import msgspec

from yunliao.errors import InvalidRequest
from yunliao.ports import Clock, Users
from yunliao.services.people import Owner, People


class ConsentView(msgspec.Struct, frozen=True):
    """`version` last accepted ("" for none), the `current` one, when (Unix milliseconds), and the overseas choice."""

    version: str
    current: str
    accepted_at: int
    overseas: bool


class Consents:
    """Reads and records consent."""

    def __init__(self, *, users: Users, people: People, clock: Clock, current: str) -> None:
        self._users = users
        self._people = people
        self._clock = clock
        self._current = current

    def status(self, owner: Owner) -> ConsentView:
        """What this user accepted so far."""
        user = self._users.get(owner.user_id)
        if user is None:
            return ConsentView("", self._current, 0, False)
        return ConsentView(user.consent_version, self._current, user.consent_at, user.consent_overseas)

    def accept(self, owner: Owner, version: str, overseas: bool) -> ConsentView:
        """Record consent to `version` ("latest" or the current id). Raises `InvalidRequest` for an older one."""
        if version not in ("latest", self._current):
            raise InvalidRequest("version is not the current agreement")
        self._users.set_consent(owner.user_id, version=self._current, overseas=overseas, at=self._clock.now_ms())
        self._people.forget(owner.user_id)
        return self.status(owner)
