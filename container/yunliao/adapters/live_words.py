"""The word list as it stands now: the files of the image and of the setting, and the operators' list from the store.

The operators' list may change at any time, on any instance. Before a text is searched, at most every `LOOK_SECONDS`,
the number of the newest version is read; only a new number loads the words. When the store does not answer, the list
that was there is used on: words never vanish because of an outage.
"""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from yunliao.adapters.words import WordMatcher
from yunliao.domain.verdict import Verdict
from yunliao.errors import YunliaoError
from yunliao.ports import Clock

LOOK_SECONDS = 2.0


class LiveWords:
    """Implements `ports.Matcher` and `ports_operators.WordFinder`. Thread-safe."""

    def __init__(
        self,
        files: Sequence[Path],
        clock: Clock,
        spawn: Callable[[Callable[[], None]], None] = lambda task: task(),
    ) -> None:
        """Reads the files at once. `spawn` runs a look aside. Raises `Misconfigured` for a file that cannot be read."""
        self._spawn = spawn
        self._base = WordMatcher(*files)
        self._clock = clock
        self._more: WordMatcher | None = None
        self._version = 0
        self._look_at = float("-inf")
        self._looking = threading.Lock()
        self._newest: Callable[[], int] = lambda: 0
        self._load: Callable[[int], Sequence[str]] = lambda version: ()

    @property
    def version(self) -> int:
        """Of the operators' list in use; 0 for none."""
        return self._version

    def follow(self, newest: Callable[[], int], load: Callable[[int], Sequence[str]]) -> None:
        """From now on: `newest()` is the number of the operators' list in force, `load(number)` its words."""
        self._newest, self._load = newest, load

    def search(self, text: str) -> Verdict:
        """See `ports.Matcher.search`."""
        if self._clock.monotonic() >= self._look_at:
            # Aside: a part of an answer is searched inside the guard's lock, where nothing may wait for a store.
            self._spawn(self.refresh)
        found = self._base.search(text)
        more = self._more
        return found if found.blocks or more is None else more.search(text)

    def refresh(self) -> None:
        """Look now if it is time: before a whole message is searched, so that it is by the list in force."""
        if self._clock.monotonic() >= self._look_at:
            self._look()

    def hits(self, words: Sequence[str], text: str) -> list[str]:
        """See `ports_operators.WordFinder.hits`."""
        if not WordMatcher(words=words).search(text).blocks:
            return []
        return [word for word in words if WordMatcher(words=[word]).search(text).blocks]

    def _look(self) -> None:
        if not self._looking.acquire(blocking=False):
            return  # another is looking: one text more is searched by the list before
        self._look_at = self._clock.monotonic() + LOOK_SECONDS
        try:
            version = self._newest()
            if version != self._version:
                words = self._load(version)
                matcher = WordMatcher(words=words) if words else None
                if matcher is not None:
                    matcher.prepare()
                self._more, self._version = matcher, version
        except YunliaoError:
            pass  # the store does not answer: looked at again in a moment
        finally:
            self._looking.release()
