"""Master keys change without downtime: what they wrap is wrapped anew, in batches, while everybody reads and writes.

A user's data key stays what it is; only its wrapping changes, so no message is written again, and an instance that has
the data key in memory, or reads the old wrapping a moment before, goes on. Each key is swapped only where the wrapping
is still the one that was read: a user who was erased or rotated meanwhile is neither brought back nor changed. A call
that was cut off is simply made again: what is done is passed over.
"""

from collections import Counter
from collections.abc import Callable
from time import perf_counter

import msgspec

from yunliao.errors import Misconfigured
from yunliao.ports_keys import Rewrapped, Wrapped, WrappedKeys, WrappingVault
from yunliao.services.key_book import KeyBook

BATCH = 500
"""Keys a batch: some milliseconds of work for the store, so that nobody's read waits noticeably behind it."""
PASSES = 3
"""Walks over all users until nothing is left to do: those made meanwhile by an instance with the old setting."""

Progress = Callable[[int, int], None]
"""Told how many keys were looked at, and about how many there are."""


class KeyCounts(msgspec.Struct, frozen=True):
    """What each master key wraps. `writer` is the key that wraps from now on; `ring` are those that can unwrap."""

    writer: str
    ring: tuple[str, ...]
    users: dict[str, int]
    secrets: dict[str, int]
    damaged: int = 0

    @property
    def others(self) -> tuple[str, ...]:
        """Keys besides the writer that still wrap something."""
        return tuple(sorted((set(self.users) | set(self.secrets)) - {self.writer}))


class Rotated(msgspec.Struct, frozen=True):
    """What a rotation did: keys wrapped anew, those that could not be (with the reasons, without names of people), and
    what each master key wraps now."""

    changed: int
    failed: int
    reasons: tuple[str, ...]
    seconds: float
    counts: KeyCounts


class Rotation:
    """Counts and re-wraps."""

    def __init__(self, *, keys: WrappedKeys, vault: WrappingVault, book: KeyBook) -> None:
        self._keys = keys
        self._vault = vault
        self._book = book

    def status(self) -> KeyCounts:
        """Look at every wrapped key; opens none."""
        users: Counter[str] = Counter()
        damaged = 0
        for batch in self._batches():
            for one in batch:
                try:
                    users[self._vault.wrapped_by(one.blob)] += 1
                except Misconfigured:
                    damaged += 1
        shared = Counter(self._vault.wrapped_by(one.blob) for one in self._keys.secrets())
        return KeyCounts(
            writer=self._vault.writer,
            ring=tuple(sorted(self._vault.ids)),
            users=dict(users),
            secrets=dict(shared),
            damaged=damaged,
        )

    def rotate(self, progress: Progress = lambda done, total: None) -> Rotated:
        """Wrap everything by the writing key. Raises `StoreUnavailable`: then call again, it goes on."""
        began = perf_counter()
        self._book.note_writer()
        changed, reasons = 0, Counter[str]()
        for _ in range(PASSES):
            reasons.clear()
            changed += self._shared(reasons) + self._users(reasons, progress)
            counts = self.status()
            if not counts.others or reasons:
                break
        if not counts.others and not counts.damaged:
            self._book.keep_only(counts.writer)
        return Rotated(
            changed=changed,
            failed=sum(reasons.values()),
            reasons=tuple(sorted(reasons)),
            seconds=perf_counter() - began,
            counts=counts,
        )

    def _shared(self, reasons: Counter[str]) -> int:
        found = self._keys.secrets()
        return self._keys.swap_secrets(self._changes(found, "secret", reasons))

    def _users(self, reasons: Counter[str], progress: Progress) -> int:
        changed = looked_at = 0
        total = self._keys.count_users()
        for batch in self._batches():
            changes = self._changes(batch, "user", reasons)
            changed += self._keys.swap_users(changes) if changes else 0
            looked_at += len(batch)
            progress(looked_at, max(total, looked_at))
        return changed

    def _changes(self, batch: list[Wrapped], kind: str, reasons: Counter[str]) -> list[Rewrapped]:
        changes = []
        for one in batch:
            context = f"{kind}/{one.name}"
            try:
                if self._vault.wrapped_by(one.blob) == self._vault.writer:
                    continue
                key = self._vault.unwrap(one.blob, context=context)
            except Misconfigured as wrong:
                reasons[wrong.detail] += 1  # one key that cannot be opened must not keep all others from being changed
                continue
            changes.append(Rewrapped(one.name, one.blob, self._vault.wrap(key, context=context)))
        return changes

    def _batches(self) -> "_Batches":
        return _Batches(self._keys)


class _Batches:
    """All users' wrapped keys, a batch at a time, in the order of their ids."""

    def __init__(self, keys: WrappedKeys) -> None:
        self._keys = keys
        self._after = ""

    def __iter__(self) -> "_Batches":
        return self

    def __next__(self) -> list[Wrapped]:
        batch = self._keys.users(after=self._after, limit=BATCH)
        if not batch:
            raise StopIteration
        self._after = batch[-1].name
        return batch
