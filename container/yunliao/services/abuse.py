"""Whose messages keep being blocked takes a break: decided from the verdict log, so it holds over all instances."""

from collections.abc import Callable

from yunliao.domain.cooldown import CooldownRule
from yunliao.ports_records import Standing, VerdictEntry, Verdicts


class Abuse:
    """Follows the verdict log. The break stands in the user's record; other instances see it when what they know of the
    user expires (services/people.py), within seconds."""

    def __init__(
        self, *, rule: CooldownRule, verdicts: Verdicts, standing: Standing, forget: Callable[[str], None]
    ) -> None:
        self._rule = rule
        self._verdicts = verdicts
        self._standing = standing
        self._forget = forget

    def follow(self, entry: VerdictEntry) -> None:
        """A verdict was written. Raises `StoreUnavailable`."""
        if entry.place != "question" or entry.suggest == "none":
            return
        until = self.until(entry.user_id, entry.at)
        if until:
            self._standing.cool(entry.user_id, until=until)
            self._forget(entry.user_id)

    def until(self, user_id: str, now: int) -> int:
        """Until when this user takes a break, by the verdict log; 0 for none."""
        if not self._rule.count:
            return 0
        since = now - self._rule.window_ms - self._rule.pause_ms
        return self._rule.until(self._verdicts.times(user_id, since=since, limit=self._rule.count))
