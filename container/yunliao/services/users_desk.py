"""What operators may do about a user: find by openid, suspend and lift with a reason, and read with a reason.

Reading a user's words is written to the audit log before anything is opened; where that cannot be written, nothing is
opened. The openid itself is never shown: it is only compared, by its keyed hash.
"""

import msgspec

from yunliao.domain.principal import Principal
from yunliao.errors import InvalidRequest, NotFound
from yunliao.ports import Clock, User, Users
from yunliao.ports_keys import WrappedKeys
from yunliao.ports_records import Card, PassCount, Standing, VerdictEntry, Verdicts
from yunliao.services.audit_trail import AuditTrail
from yunliao.services.cases import Cases
from yunliao.services.conversations import ConversationService, ConversationView, MessageView, Page
from yunliao.services.desk import Desk
from yunliao.services.paging import cursor, place
from yunliao.services.people import Owner, People

DAY_MS = 86_400_000
FOR_EVER_DAYS = 36_500
KIND = "suspension"
OWNER = "operators"
SHORTEST_REASON = 4
LONGEST_REASON = 500


class Suspension(msgspec.Struct, frozen=True, kw_only=True):
    """Why somebody is suspended, since when, until when, and by whom."""

    reason: str
    by: str
    at: int
    until: int


class UserView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A user as operators see them: no openid, no words; times in Unix milliseconds."""

    id: str
    created_at: int
    consent_version: str
    consent_at: int
    consent_overseas: bool
    suspended_until: int = 0
    cooling_until: int = 0
    suspension: Suspension | None = None


class VerdictPage(msgspec.Struct, frozen=True):
    """The verdict log, newest first."""

    verdicts: list[VerdictEntry]
    next: str | None


class UsersDesk:
    """One instance for all operators; each call names who acts."""

    def __init__(
        self,
        *,
        users: Users,
        keys: WrappedKeys,
        standing: Standing,
        verdicts: Verdicts,
        conversations: ConversationService,
        cases: Cases,
        people: People,
        desk: Desk,
        audit: AuditTrail,
        clock: Clock,
    ) -> None:
        self._users = users
        self._keys = keys
        self._standing = standing
        self._verdicts = verdicts
        self._conversations = conversations
        self._cases = cases
        self._people = people
        self._desk = desk
        self._audit = audit
        self._clock = clock

    # --- finding ----------------------------------------------------------------------------------------------------

    def find(self, actor: str, appid: str, openid: str) -> UserView:
        """The user of an openid. Raises `NotFound`."""
        user_id = self._people.user_id_of(Principal(openid=openid, appid=appid))
        self._audit.note(actor, "user.find", subject=user_id)
        return self.get(user_id)

    def by_number(self, prefix: str) -> UserView:
        """The user whose id begins so: the mini-program shows people the first 12 characters of theirs. Raises
        `NotFound`, `InvalidRequest` when several do."""
        if len(prefix) < 8:
            raise InvalidRequest("at least 8 characters of the number are needed")
        exact = self._users.get(prefix)
        found = [one.name for one in self._keys.users(after=prefix, limit=2) if one.name.startswith(prefix)]
        names = [exact.id] if exact else found
        if len(names) > 1:
            raise InvalidRequest("several users have a number that begins so: give more of it")
        if not names:
            raise NotFound("user")
        return self.get(names[0])

    def get(self, user_id: str) -> UserView:
        """The user. Raises `NotFound`."""
        user = self._known(user_id)
        held = self.suspension(user_id) if user.suspended_until > self._clock.now_ms() else None
        return UserView(
            id=user.id,
            created_at=user.created_at,
            consent_version=user.consent_version,
            consent_at=user.consent_at,
            consent_overseas=user.consent_overseas,
            suspended_until=user.suspended_until,
            cooling_until=user.cooling_until,
            suspension=held,
        )

    def verdicts(self, user_id: str | None, before: str | None, limit: int) -> VerdictPage:
        """The verdict log of a user or of all; no text is in it."""
        found = self._verdicts.page(user_id=user_id, before=place(before), limit=limit + 1)
        more = cursor(found[limit - 1].at, found[limit - 1].id) if len(found) > limit else None
        return VerdictPage(found[:limit], more)

    def passes(self, days: int) -> list[PassCount]:
        """How many texts passed, on each of the last days."""
        return self._verdicts.passes(since_day=self._clock.now_ms() // DAY_MS - days + 1)

    # --- standing ---------------------------------------------------------------------------------------------------

    def suspend(self, actor: str, user_id: str, reason: str, days: int | None) -> UserView:
        """Refuse everything of this user for `days`, or until lifted; on all instances within ten seconds."""
        self._known(user_id)
        why, now = _reason(reason), self._clock.now_ms()
        term = FOR_EVER_DAYS if days is None else days
        if not 1 <= term <= FOR_EVER_DAYS:
            raise InvalidRequest(f"days must be from 1 to {FOR_EVER_DAYS}")
        until = now + term * DAY_MS
        said = "until lifted" if days is None else f"{days} days"
        self._audit.note(actor, "user.suspend", subject=user_id, reason=why, detail=said)
        self._standing.suspend(user_id, until=until)
        self._file(user_id, Suspension(reason=why, by=actor, at=now, until=until))
        self._people.forget(user_id)
        return self.get(user_id)

    def lift(self, actor: str, user_id: str, reason: str) -> UserView:
        """End a suspension."""
        self._known(user_id)
        self._audit.note(actor, "user.lift", subject=user_id, reason=_reason(reason))
        self._standing.suspend(user_id, until=0)
        self._desk.cards.remove(KIND, user_id)
        self._people.forget(user_id)
        return self.get(user_id)

    def suspended_until(self, user_id: str) -> int:
        """Until when somebody is suspended, also when the account was erased meanwhile; 0 for not."""
        held = self.suspension(user_id)
        return held.until if held else 0

    def suspension(self, user_id: str) -> Suspension | None:
        """The newest suspension, until its card is removed after its term."""
        filed = self._desk.get(KIND, user_id, Suspension)
        return filed.content if filed else None

    # --- reading ----------------------------------------------------------------------------------------------------

    def conversations(
        self, actor: str, user_id: str, reason: str, before: str | None, limit: int
    ) -> Page[ConversationView]:
        """A user's conversations with their titles, which are words of the user."""
        owner = self._reading(actor, user_id, reason, "conversations")
        return self._conversations.page(owner, before, limit)

    def messages(
        self, actor: str, user_id: str, conversation_id: str, reason: str, before: str | None, limit: int
    ) -> Page[MessageView]:
        """The messages of a conversation, blocked ones too: they are what a complaint is about."""
        owner = self._reading(actor, user_id, reason, conversation_id)
        return self._conversations.messages(owner, conversation_id, before, limit)

    def message(self, actor: str, user_id: str, message_id: str, reason: str) -> MessageView:
        """One message with what the user said of it."""
        owner = self._reading(actor, user_id, reason, message_id)
        return self._conversations.message(owner, message_id)

    def complaint(self, actor: str, case_id: str, reason: str) -> str:
        """What a user wrote in a complaint."""
        case = self._cases.get(case_id)
        return self._cases.words(self._reading(actor, case.user_id, reason, case_id), case_id)

    def _reading(self, actor: str, user_id: str, reason: str, what: str) -> Owner:
        self._known(user_id)
        self._audit.note(actor, "user.read", subject=user_id, reason=_reason(reason), detail=what)
        owner = self._people.reader_of(user_id)
        if owner is None:
            raise NotFound("user")
        return owner

    def _known(self, user_id: str) -> User:
        user = self._users.get(user_id)
        if user is None:
            raise NotFound("user")
        return user

    def _file(self, user_id: str, suspension: Suspension) -> None:
        self._desk.cards.remove(KIND, user_id)
        # Not the user's own card: it outlives an erase, so that coming back does not end a suspension.
        card = Card(kind=KIND, id=user_id, at=suspension.at, owner=OWNER, expires_at=suspension.until)
        self._desk.put(card, suspension)


def _reason(reason: str) -> str:
    clean = " ".join(reason.split())
    if not SHORTEST_REASON <= len(clean) <= LONGEST_REASON:
        raise InvalidRequest(f"reason must have {SHORTEST_REASON} to {LONGEST_REASON} characters")
    return clean
