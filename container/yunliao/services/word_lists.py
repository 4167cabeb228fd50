"""The operators' word list: versions that are never changed, one of them in force, on every instance within seconds."""

import zlib
from collections.abc import Callable, Sequence

import msgspec

from yunliao.errors import InvalidRequest, NotFound, StoreUnavailable
from yunliao.ports import Clock, Registers
from yunliao.ports_operators import WordFinder
from yunliao.ports_records import Card
from yunliao.services.audit_trail import AuditTrail
from yunliao.services.desk import Desk

KIND = "words"
REGISTER = "words"
MOST_WORDS = 20_000
LONGEST = 64
TRIES = 20
Newest = tuple[int, int]
"""The number of the newest version, and of the one in force (0: none)."""


class WordList(msgspec.Struct, frozen=True, kw_only=True):
    """What is sealed of a version."""

    note: str
    by: str
    words: bytes


class WordListView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A version; `words` only where one is asked for."""

    version: int
    at: int
    by: str
    note: str
    count: int
    in_force: bool
    words: list[str] | None = None


class WordLists:
    """Keeps versions, says which is in force, tries one on a text."""

    def __init__(
        self, *, desk: Desk, registers: Registers, finder: WordFinder, audit: AuditTrail, clock: Clock
    ) -> None:
        self._desk = desk
        self._registers = registers
        self._finder = finder
        self._audit = audit
        self._clock = clock

    def in_force(self) -> int:
        """The number of the version in force; 0 for none. One small read."""
        return self._numbers()[1]

    def words(self, version: int) -> list[str]:
        """The words of a version; none for 0. Raises `NotFound`."""
        return _unpacked(self._get(version)[1]) if version else []

    def add(self, actor: str, words: Sequence[str], note: str = "") -> WordListView:
        """A new version, in force at once. Raises `InvalidRequest` for a list that cannot be one."""
        clean = _clean(words)
        for _ in range(TRIES):
            found = self._registers.read(REGISTER)
            newest = (msgspec.json.decode(found.value, type=Newest) if found.version else (0, 0))[0]
            version, now = newest + 1, self._clock.now_ms()
            packed = zlib.compress("\n".join(clean).encode())
            listed = WordList(note=note, by=actor, words=packed)
            if not self._desk.put(Card(kind=KIND, id=_name(version), at=now), listed):
                self._skip(version)  # an earlier call got so far and no further
                continue
            self._audit.note(actor, "words.add", subject=str(version), detail=f"{len(clean)} words", reason=note)
            if self._put_in_force(version):
                return self._view(version, now, listed, version)
        raise StoreUnavailable("the word list is being changed by too many at once")

    def use(self, actor: str, version: int) -> None:
        """Put an older version, or none (0), in force. Raises `NotFound`."""
        if version:
            self._get(version)
        self._audit.note(actor, "words.use", subject=str(version))
        if not self._put_in_force(version):
            raise StoreUnavailable("the word list is being changed by too many at once")

    def all(self) -> list[WordListView]:
        """Every version, newest first, without the words."""
        found, _ = self._desk.page(KIND, WordList, limit=200)
        used = self.in_force()
        return [self._view(int(one.card.id), one.card.at, one.content, used) for one in found]

    def get(self, version: int) -> WordListView:
        """A version with its words. Raises `NotFound`."""
        at, listed = self._get(version)
        view = self._view(version, at, listed, self.in_force())
        return msgspec.structs.replace(view, words=_unpacked(listed))

    def test(self, text: str, *, version: int | None = None, words: Sequence[str] | None = None) -> list[str]:
        """Which entries stand in `text`: of `words`, else of that version, else of the one in force."""
        tried = _clean(words) if words is not None else self.words(self.in_force() if version is None else version)
        return self._finder.hits(tried, text)

    def _numbers(self) -> Newest:
        found = self._registers.read(REGISTER)
        return msgspec.json.decode(found.value, type=Newest) if found.version else (0, 0)

    def _put_in_force(self, version: int) -> bool:
        return self._swap(lambda newest: (max(newest, version), version))

    def _skip(self, version: int) -> None:
        found = self._registers.read(REGISTER)
        newest, used = msgspec.json.decode(found.value, type=Newest) if found.version else (0, 0)
        if newest < version:
            self._registers.swap(REGISTER, version=found.version, value=msgspec.json.encode((version, used)))

    def _swap(self, change: Callable[[int], Newest]) -> bool:
        for _ in range(TRIES):
            found = self._registers.read(REGISTER)
            newest, _used = msgspec.json.decode(found.value, type=Newest) if found.version else (0, 0)
            if self._registers.swap(REGISTER, version=found.version, value=msgspec.json.encode(change(newest))):
                return True
        return False

    def _get(self, version: int) -> tuple[int, WordList]:
        found = self._desk.get(KIND, _name(version), WordList)
        if found is None:
            raise NotFound("version")
        return found.card.at, found.content

    def _view(self, version: int, at: int, listed: WordList, used: int) -> WordListView:
        return WordListView(
            version=version,
            at=at,
            by=listed.by,
            note=listed.note,
            count=len(_unpacked(listed)),
            in_force=version == used,
        )


def _clean(words: Sequence[str]) -> list[str]:
    clean = [word.strip() for word in words if word.strip() and not word.lstrip().startswith("#")]
    if len(clean) > MOST_WORDS:
        raise InvalidRequest(f"a list has at most {MOST_WORDS} words")
    if any(len(word) > LONGEST or not word.isprintable() for word in clean):
        raise InvalidRequest(f"a word has at most {LONGEST} characters, all of them printable")
    if any(not any(char.isalnum() for char in word) for word in clean):
        raise InvalidRequest("a word needs a letter or a digit")
    return list(dict.fromkeys(clean))


def _unpacked(listed: WordList) -> list[str]:
    return zlib.decompress(listed.words).decode().splitlines()


def _name(version: int) -> str:
    return f"{version:08d}"
