"""What moderation and operators keep about a user, in their export: verdicts, cases, a suspension.

Names and notes of operators are not the user's data and stay out; what the user wrote in a complaint is opened by the
user's own key.
"""

from collections.abc import Iterator
from typing import Any

from yunliao.ports_records import Verdicts
from yunliao.services.cases import Cases
from yunliao.services.people import Owner
from yunliao.services.users_desk import UsersDesk

PAGE = 200
MOST = 20_000
"""Records of one user; more than breaks and suspensions let come together."""


class ModerationSection:
    """Implements `export.Section`."""

    name = "moderation"
    title = "内容安全与处理记录 Moderation"

    def __init__(self, *, verdicts: Verdicts, cases: Cases, users: UsersDesk) -> None:
        self._verdicts = verdicts
        self._cases = cases
        self._users = users

    def records(self, owner: Owner, *, after: str, until: int, limit: int) -> list[tuple[str, dict[str, Any]]]:
        """See `export.Section.records`. A record's key is its time and id, so it never moves."""
        found = [*self._of_verdicts(owner.user_id), *self._of_cases(owner), *self._of_suspension(owner.user_id)]
        keyed = [(f"{one['at']:015d}/{one['id']}", one) for one in found if one["at"] <= until]
        return sorted((one for one in keyed if one[0] > after), key=lambda one: one[0])[:limit]

    def _of_verdicts(self, user_id: str) -> Iterator[dict[str, Any]]:
        before: tuple[int, str] | None = None
        for _ in range(MOST // PAGE):
            page = self._verdicts.page(user_id=user_id, before=before, limit=PAGE)
            for one in page:
                yield {
                    "id": one.id,
                    "what": "verdict",
                    "at": one.at,
                    "turn_id": one.turn_id,
                    "place": one.place,
                    "layer": one.layer,
                    "verdict": one.suggest,
                    "label_code": one.label,
                    "trace_id": one.trace_id,
                }
            if len(page) < PAGE:
                return
            before = (page[-1].at, page[-1].id)

    def _of_cases(self, owner: Owner) -> Iterator[dict[str, Any]]:
        for one in self._cases.of(owner.user_id, MOST):
            yield {
                "id": one.id,
                "what": one.kind,
                "at": one.opened_at,
                "turn_id": one.turn_id,
                "message_id": one.message_id,
                "reason": one.reason,
                "text": self._cases.words(owner, one.id) if one.has_words else "",
                "looked_at": one.looked_at,
                "decided_at": one.decided_at,
                "decision": one.decision,
            }

    def _of_suspension(self, user_id: str) -> Iterator[dict[str, Any]]:
        held = self._users.suspension(user_id)
        if held is not None:
            yield {"id": "suspension", "what": "suspension", "at": held.at, "until": held.until, "reason": held.reason}
