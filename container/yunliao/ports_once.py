"""What happens once over all instances: a signed call is heard once, a pushed message is answered once."""

from typing import Protocol


class Once(Protocol):
    """Names that were claimed, for a time. A name tells nothing of a person: it is a keyed or plain hash."""

    def claim(self, name: str, token: str, *, now: int, expires_at: int) -> bool:
        """True for the first caller until `expires_at`, and for that caller's own repetitions (the same `token`: an
        answer may get lost on its way); False for everybody else. Raises `StoreUnavailable`."""
        ...

    def release(self, name: str) -> None:
        """The name is free again. Raises `StoreUnavailable`."""
        ...
