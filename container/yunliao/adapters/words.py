"""The local word list: Aho-Corasick over normalised text (libraries.md §7).

A listed word is found however it is dressed up: full-width, mixed case, traditional characters, noise between its
characters. A word written in letters with gaps between words (Latin, Cyrillic, digits) counts only as a whole word, so
that `ass` is not found in `class`. An entry longer than `LONGEST` normalised characters is matched by its first
`LONGEST`: the guard holds back no more than that, and so many characters are hardly ever innocent.
"""

import threading
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import ahocorasick_rs

from yunliao.domain.normalise import Normalised, folded, is_letter, normalise
from yunliao.domain.verdict import PASS, Verdict
from yunliao.errors import Misconfigured

LONGEST = 24
"""Normalised characters of the longest word; `GuardPolicy.hold` must not be smaller."""
DATA = Path(__file__).resolve().parents[1] / "data"
DEFAULT_WORDS = DATA / "words.txt"
DEVELOPMENT_WORDS = DATA / "words-development.txt"
INVISIBLE = ("Cf", "Mn", "Me")
NEAR = 3
"""So many invisible characters do not part two letters; more of them do. Less than the guard's `RUN`, since the guard
does not show the matcher more of a run than that."""

FOUND = Verdict(suggest="risky", layer="words", label=21000)


class WordMatcher:
    """A `Matcher`. Files are read at once, so that a wrong path shows at start; the automaton is built at the first
    search (about 0.4 s for 50,000 words), or by `prepare`. Thread-safe.

    A file has one word a line in UTF-8; empty lines and lines that begin with `#` are left out. Raises `Misconfigured`
    for a file that cannot be read.
    """

    def __init__(self, *files: Path, words: Sequence[str] = ()) -> None:
        self._words = [*words, *(word for file in files for word in _read(file))]
        self._lock = threading.Lock()
        self._automaton: ahocorasick_rs.AhoCorasick | None = None
        self._bounded: list[bool] = []

    def prepare(self) -> int:
        """Build now unless it is built; how many different words there are."""
        with self._lock:
            if self._automaton is None:
                words = sorted({normalise(word).text[:LONGEST] for word in self._words} - {""})
                self._bounded = [all(map(is_letter, word)) for word in words]
                # Standard and overlapping: a hit that fails the whole-word test must not hide another one.
                self._automaton = ahocorasick_rs.AhoCorasick(words, store_patterns=False)
        return len(self._bounded)

    def search(self, text: str) -> Verdict:
        """`risky` if a listed word stands in `text`, else `pass`. Never raises."""
        automaton = self._automaton
        if automaton is None:
            self.prepare()
            automaton = self._automaton
        assert automaton is not None  # noqa: S101 - prepare set it
        if not automaton.find_matches_as_indexes(folded(text)):
            return PASS  # nearly always: where each form came from need not be known then
        plain = normalise(text)
        for word, start, end in automaton.find_matches_as_indexes(plain.text, overlapping=True):
            if not self._bounded[word] or _stands_alone(text, plain, start, end):
                return FOUND
        return PASS


def _stands_alone(text: str, plain: Normalised, start: int, end: int) -> bool:
    """Whether no letter touches the match on either side."""
    first, last = plain.places[start], plain.places[end - 1]
    if start and plain.places[start - 1] == first:
        return False  # the match begins inside the form of one character
    if end < len(plain.places) and plain.places[end] == last:
        return False
    return not (_touches(text, range(first - 1, -1, -1)) or _touches(text, range(last + 1, len(text))))


def _touches(text: str, places: range) -> bool:
    for place in places[: NEAR + 1]:
        if unicodedata.category(text[place]) not in INVISIBLE:
            return is_letter(normalise(text[place]).text[:1] or " ")
    return False


def _read(file: Path) -> list[str]:
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as wrong:
        raise Misconfigured(f"the word list {file} cannot be read as UTF-8 text ({type(wrong).__name__})") from None
    return [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]
