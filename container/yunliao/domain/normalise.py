"""Text as a word list must see it: dodges removed, and every character's place in the original kept.

Character by character (so that places map back exactly although NFKC changes lengths): NFKC, casefold, accents off
cased letters, invisible characters and the separators people put between characters dropped, traditional characters
made simplified by a one-to-one table. A character whose form is empty is *ignorable*, every other *significant*.
"""

import unicodedata
from functools import lru_cache

import msgspec

DROPPED = frozenset({"Cf", "Cc", "Cs", "Co", "Cn", "Mn", "Me", "Zs", "Zl", "Zp", "Pc", "Pd", "Sk"})
"""General categories that carry no content of their own: format and control, surrogates, private and unassigned, marks,
spaces, joining and dashing punctuation, modifier signs."""
SEPARATORS = frozenset("*·•・‧∙⋅.|/\\~+=#'\"")
"""Further characters commonly put between characters to dodge a list. Full stops of Chinese text are not among them:
dropping them would find words that lie across two sentences."""
CACHED_FORMS = 16_384
"""Enough for the characters in use; bounded because text may hold any of 1.1 million code points."""


class Normalised(msgspec.Struct, frozen=True):
    """`text` is the normalised form; `places[i]` is the index in the original of the character that gave `text[i]`."""

    text: str
    places: list[int]


@lru_cache(maxsize=1)
def _simplified() -> dict[str, str]:
    # Loaded at first use: start-up is felt after every scale to zero.
    from yunliao.data.simplified import SIMPLIFIED, TRADITIONAL

    return dict(zip(TRADITIONAL, SIMPLIFIED, strict=True))


def _unaccented(char: str) -> str:
    base = unicodedata.normalize("NFD", char)[0]
    return base if base.lower() != base.upper() else char


@lru_cache(maxsize=CACHED_FORMS)
def form(char: str) -> str:
    """The normalised form of one character: none, one or several characters."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", char).casefold())
    table = _simplified()
    return "".join(
        table.get(plain, plain)
        for plain in map(_unaccented, folded)
        if plain not in SEPARATORS and unicodedata.category(plain) not in DROPPED
    )


def normalise(text: str) -> Normalised:
    """The whole of `text`; about half a microsecond per character once the characters are known."""
    forms: list[str] = []
    places: list[int] = []
    for place, char in enumerate(text):
        plain = form(char)
        if plain:
            forms.append(plain)
            places.extend((place,) * len(plain))
    return Normalised("".join(forms), places)


def folded(text: str) -> str:
    """The text of `normalise` without the places: an eighth of its time."""
    return "".join(map(form, text))


def is_letter(char: str) -> bool:
    """Whether a character belongs to a script that writes words with gaps (cased letters), or is a digit."""
    return char.isdigit() or char.lower() != char.upper()
