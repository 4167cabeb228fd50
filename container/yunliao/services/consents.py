"""What a user agreed to: the version of the texts, and separately whether overseas processing is allowed.

Nothing is stored of a caller before they agree: `accept` is the only thing that makes an account.
"""

from collections.abc import Callable
from typing import TypeVar

import msgspec

from yunliao.domain.principal import Principal
from yunliao.errors import ConsentRequired, InvalidRequest, Refused, StoreUnavailable
from yunliao.ports import Clock, User, Users
from yunliao.services.people import Outdated, Owner, People

Result = TypeVar("Result")
RENEWALS = 4
"""Times that something is begun for an account which was changed meanwhile."""


class ConsentView(msgspec.Struct, frozen=True):
    """`version` last accepted ("" for none), the `current` one, when (Unix milliseconds), and the overseas choice."""

    version: str
    current: str
    accepted_at: int
    overseas: bool


class Consents:
    """Reads, records and asks for consent."""

    def __init__(self, *, users: Users, people: People, clock: Clock, current: str) -> None:
        self._users = users
        self._people = people
        self._clock = clock
        self._current = current

    def admit(self, principal: Principal, *, fresh: bool = False) -> Owner:
        """The owner for a caller who agreed to the current texts. `fresh`: by what is stored now; else up to ten
        seconds old, but never a refusal. Raises `ConsentRequired`, `Suspended`, `StoreUnavailable`."""
        found = self._people.find(principal, fresh=fresh)
        if not fresh and not (found and self._may(found[0])):
            found = self._people.find(principal, fresh=True)
        if found is None:
            raise ConsentRequired
        user, owner = found
        self._people.check_standing(user)
        if user.consent_version != self._current:
            raise ConsentRequired
        return owner

    def renewing(self, owner: Owner, work: Callable[[Owner], Result]) -> tuple[Owner, Result]:
        """`work(owner)`, and again with the owner as stored now where this one was found to be old, or refused and old:
        so what begins something need not look at the account first. Returns who it was done for, too. Raises what
        `admit` and `work` raise; `StoreUnavailable` where the account changes all the time."""
        for _ in range(RENEWALS):
            try:
                return owner, work(owner)
            except Refused as refused:
                renewed = self.admit(owner.principal, fresh=True)
                same = (renewed.key_id, renewed.permit) == (owner.key_id, owner.permit)
                if same and not isinstance(refused, Outdated):
                    raise
                owner = renewed
        raise StoreUnavailable("the account changes all the time")

    def status(self, principal: Principal) -> ConsentView:
        """What this caller accepted so far."""
        found = self._people.find(principal, fresh=True)
        return self._view(found[0] if found else None)

    def accept(self, principal: Principal, version: str, overseas: bool) -> ConsentView:
        """Record consent to `version` ("latest" or the current id), and make the account where there is none. Raises
        `InvalidRequest` for an older version, `Suspended`."""
        if version not in ("latest", self._current):
            raise InvalidRequest("version is not the current agreement")
        user, _ = self._people.enrol(principal)
        self._people.check_standing(user)
        return self._record(principal, user, self._current, overseas)

    def withdraw(self, principal: Principal) -> ConsentView:
        """Take both consents back; what is stored stays until it is erased. No account, nothing to take back."""
        found = self._people.find(principal, fresh=True)
        return self._record(principal, found[0], "", False) if found else self._view(None)

    def _may(self, user: User) -> bool:
        return user.consent_version == self._current and not self._people.suspended(user)

    def _record(self, principal: Principal, user: User, version: str, overseas: bool) -> ConsentView:
        self._users.set_consent(user.id, version=version, overseas=overseas, at=self._clock.now_ms())
        self._people.forget(user.id)
        return self.status(principal)

    def _view(self, user: User | None) -> ConsentView:
        if user is None:
            return ConsentView("", self._current, 0, False)
        return ConsentView(user.consent_version, self._current, user.consent_at, user.consent_overseas)
