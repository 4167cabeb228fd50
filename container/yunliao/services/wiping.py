"""The end of a service: every record goes, the keys first (also the halves that are kept apart), so that what is not
removed yet cannot be read any more, and no backup of the records either."""

from collections.abc import Callable

from yunliao.ports_people import KeyStore
from yunliao.ports_records import Wiping

FIRST = ("secrets", "users")
"""Without the look-up key nobody is found, without the data keys nothing opens: also not in what a crash left over."""
LAST = ("leases", "migrations")
"""These say what the store is; a wipe that was cut off can be called again as long as they stand."""


class Wipe:
    """Counts, and removes everything, also tables of other versions."""

    def __init__(self, *, wiping: Wiping, key_store: KeyStore) -> None:
        self._wiping = wiping
        self._key_store = key_store

    def census(self) -> dict[str, int]:
        """What there is, in the order it goes."""
        found = self._wiping.census()
        middle = sorted(set(found) - {*FIRST, *LAST})
        return {name: found[name] for name in (*FIRST, *middle, *LAST) if name in found}

    def everything(self, progress: Callable[[int, int], None] = lambda done, total: None) -> int:
        """Remove all of it; how many records there were. Raises `StoreUnavailable`: call again, it goes on."""
        self._key_store.clear()
        found = self.census()
        total, done = sum(found.values()), 0
        for name, count in found.items():
            self._wiping.clear(name)
            done += count
            progress(done, total)
        return total
