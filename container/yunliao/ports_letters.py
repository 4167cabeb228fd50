"""Messages of customer service, from people and to them (platform.md §6)."""

from typing import Protocol

import msgspec


class Letter(msgspec.Struct, frozen=True):
    """A message somebody wrote to the mini-program's customer service. `key` is the same however often it is pushed;
    `appid` is empty where the push does not say it; `text` only for text."""

    openid: str
    key: str
    kind: str
    appid: str = ""
    text: str = ""

    def __repr__(self) -> str:
        return f"Letter({self.kind})"


class LetterRefused(Exception):
    """The platform did not take a message: too late, too many, no permission. `detail` is for the operator."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class LetterBox(Protocol):
    """Sends to one person; the platform allows it for 48 hours after they wrote."""

    def send(self, openid: str, text: str, *, from_appid: str = "") -> None:
        """One text message. Raises `LetterRefused`."""
        ...

    def typing(self, openid: str, *, from_appid: str = "") -> None:
        """Show that an answer is being written, for some seconds; never fails."""
        ...
