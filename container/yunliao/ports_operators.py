"""What the operators' desk asks of the world besides the store."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from yunliao.ports import RelayRequest, RelayStream


class Passwords(Protocol):
    """Slow hashing of passwords."""

    def hash(self, password: str) -> str:
        """What is stored: salted, with its parameters. Takes some 0.2 s and 32 MB."""
        ...

    def fits(self, password: str, stored: str) -> bool:
        """Whether it is the password of `hash`; False for anything that is not a stored one."""
        ...


class WordFinder(Protocol):
    """Tries a word list on a text."""

    def hits(self, words: Sequence[str], text: str) -> list[str]:
        """The entries of `words` that stand in `text`, in the order of the list; matched as the guard does."""
        ...


class RelayFailure(msgspec.Struct, frozen=True):
    """A generation that an upstream failed: when (Unix milliseconds), and the error's code (docs/errors.md)."""

    at: int
    code: str


class UpstreamView(msgspec.Struct, frozen=True, kw_only=True):
    """An upstream as one instance sees it. `host`: where it is, without path or key. `waits`: seconds until it may be
    asked again. `recent`: its last failures, newest first; all of an instance's, none of another's."""

    name: str
    host: str
    models: list[str]
    priority: int
    weight: float
    domestic: bool
    state: str
    live: int
    max_live: int
    waits: float
    recent: list[RelayFailure]


class Upstreams(Protocol):
    """The upstreams of this instance."""

    def listed(self) -> list[UpstreamView]:
        """All of them, in the operator's order."""
        ...

    def attempt(self, name: str, request: RelayRequest, first_byte: float) -> RelayStream:
        """One generation of that upstream alone, whatever its breaker or a switch says; `first_byte` in seconds. Raises
        `KeyError` for a name that there is not."""
        ...
