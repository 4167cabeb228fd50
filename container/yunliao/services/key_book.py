"""Which master keys the store needs, written down in the store, so that a start tells what is missing at once.

Without it a ring that lacks an old key would start, and fail later for those users alone whose keys it wrapped. The
book is a register: key ids, each with a check value that only the true key has and that tells nothing of it.
"""

from collections.abc import Callable
from contextlib import suppress

import msgspec

from yunliao.errors import Misconfigured
from yunliao.ports import Registers
from yunliao.ports_keys import Wrapped, WrappedKeys, WrappingVault

NAME = "master-keys"
TRIES = 50
PAGE = 2_000
EXAMPLES = 5
Book = dict[str, str]


class KeyBook:
    """Reads and keeps the book."""

    def __init__(self, *, registers: Registers, keys: WrappedKeys, vault: WrappingVault) -> None:
        self._registers = registers
        self._keys = keys
        self._vault = vault

    def check(self) -> None:
        """At every start, one read of the store: raises `Misconfigured` naming every key that is missing or is not the
        one the store was written with; then writes down the writing key if it is new. The first start with a book looks
        at all wrapped keys once."""
        found = self._registers.read(NAME)
        book = msgspec.json.decode(found.value, type=Book) if found.version else self._in_use()
        missing = sorted(set(book) - self._vault.ids)
        wrong = sorted(
            key_id
            for key_id, value in book.items()
            if key_id in self._vault.ids and value and value != self._vault.check_value(key_id)
        )
        if missing:
            raise Misconfigured(
                f"YUNLIAO_MASTER_KEYS lacks {_named(missing)} that the store was written with: add it behind the first"
                " one (after `python3 -m yunliao keys rotate` it is no longer needed)"
            )
        if wrong:
            raise Misconfigured(f"{_named(wrong)} in YUNLIAO_MASTER_KEYS is not what the store was written with")
        if not found.version or self._vault.writer not in book:
            self._change(lambda known: {**book, **known, self._vault.writer: self._value(self._vault.writer)})

    def note_writer(self) -> None:
        """The writing key is in use."""
        self._change(lambda known: {**known, self._vault.writer: self._value(self._vault.writer)})

    def keep_only(self, key_id: str) -> None:
        """Nothing is wrapped by any other key any more."""
        self._change(lambda known: {key_id: self._value(key_id)})

    def _in_use(self) -> Book:
        """All keys that wrap something, each tried on some examples. Raises `Misconfigured` where one opens none of
        them: a wrong value must not get into the book. A record that is damaged keeps nobody from starting."""
        examples: dict[str, list[tuple[str, bytes]]] = {}
        self._note(examples, "secret", self._keys.secrets())
        after = ""
        while batch := self._keys.users(after=after, limit=PAGE):
            self._note(examples, "user", batch)
            after = batch[-1].name
        for key_id, found in examples.items():
            if key_id in self._vault.ids:
                self._try(found)
        return {key_id: self._value(key_id) for key_id in examples}

    def _note(self, examples: dict[str, list[tuple[str, bytes]]], kind: str, batch: list[Wrapped]) -> None:
        for one in batch:
            with suppress(Misconfigured):
                of_key = examples.setdefault(self._vault.wrapped_by(one.blob), [])
                if len(of_key) < EXAMPLES:
                    of_key.append((f"{kind}/{one.name}", one.blob))

    def _try(self, examples: list[tuple[str, bytes]]) -> None:
        for context, blob in examples[:-1]:
            with suppress(Misconfigured):
                self._vault.unwrap(blob, context=context)
                return
        context, blob = examples[-1]
        self._vault.unwrap(blob, context=context)

    def _value(self, key_id: str) -> str:
        return self._vault.check_value(key_id)

    def _change(self, change: Callable[[Book], Book]) -> None:
        for _ in range(TRIES):
            found = self._registers.read(NAME)
            known = msgspec.json.decode(found.value, type=Book) if found.version else {}
            wanted = change(known)
            if wanted == known or self._registers.swap(
                NAME, version=found.version, value=msgspec.json.encode(wanted, order="sorted")
            ):
                return


def _named(ids: list[str]) -> str:
    return ("the key " if len(ids) == 1 else "the keys ") + ", ".join(repr(one) for one in ids)
