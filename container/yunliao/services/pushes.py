"""What WeChat pushes (platform.md §6): people who closed their account or withdrew their authorisation are erased."""

import msgspec

from yunliao.domain.principal import Principal
from yunliao.ports import Clock
from yunliao.services.account import Account

LEAVING = frozenset({"user_authorization_cancellation", "user_authorization_revoke"})
"""Events after which a person's data goes (platform.md §6: "delete the user's data")."""


class PushEvent(msgspec.Struct, frozen=True):
    """The fields of a push that anything is done about; `created_at` in Unix seconds, 0 for none."""

    event: str = ""
    openid: str = ""
    appid: str = ""
    created_at: int = 0


class Pushes:
    """Acts on pushes. The same one may come several times, also late: an account that was made after the event is a new
    one, which the event says nothing about, so nothing needs to be remembered to tell a repeated push."""

    def __init__(self, *, account: Account, appids: frozenset[str], clock: Clock) -> None:
        self._account = account
        self._appids = appids
        self._clock = clock

    def take(self, push: PushEvent) -> bool:
        """Whether anything was erased. An event that is not known, or of another mini-program, is left alone. Raises
        `StoreUnavailable`: the platform pushes again then."""
        if push.event not in LEAVING or not push.openid:
            return False
        named = {push.appid} if push.appid else self._appids
        appids = named & self._appids if self._appids else named
        now = self._clock.now_ms()
        # Seconds are cut off: all of the event's own second counts as before it.
        until = min(now, push.created_at * 1000 + 999) if push.created_at else now
        receipts = [
            self._account.erase(Principal(openid=push.openid, appid=appid), made_until=until)
            for appid in sorted(appids)
        ]
        return any(receipt.held for receipt in receipts)
