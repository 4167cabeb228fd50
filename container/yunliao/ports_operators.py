"""What operators' accounts ask of the world besides the store."""

from collections.abc import Sequence
from typing import Protocol


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
