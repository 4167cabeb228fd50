"""The operators' cards with their contents opened: accounts, tokens, cases, word lists.

Contents are sealed under a key of the service (not of a user), so words of a user never go here: a card about a user
names records that the user's own key opens, and goes when the user is erased.
"""

from collections.abc import Callable
from typing import Generic, TypeVar

import msgspec

from yunliao.errors import NotFound, StoreUnavailable
from yunliao.ports import Vault
from yunliao.ports_records import Card, Cards
from yunliao.services.paging import cursor, place
from yunliao.services.shared_key import SharedKey

TRIES = 20
Content = TypeVar("Content", bound=msgspec.Struct)


class Filed(msgspec.Struct, Generic[Content], frozen=True):
    """A card and what it says."""

    card: Card
    content: Content


class Desk:
    """Opens and seals."""

    def __init__(self, *, cards: Cards, key: SharedKey, vault: Vault) -> None:
        self.cards = cards
        self._key = key
        self._vault = vault

    def get(self, kind: str, card_id: str, content: type[Content]) -> Filed[Content] | None:
        """The card of that id."""
        card = self.cards.get(kind, card_id)
        return None if card is None else self._open(card, content)

    def put(self, card: Card, content: msgspec.Struct) -> bool:
        """Write it over the version that `card` was read with; False if somebody changed it meanwhile."""
        body = self._vault.seal(self._key.get(), msgspec.json.encode(content), context=_context(card))
        return self.cards.put(msgspec.structs.replace(card, body=body))

    def change(
        self, kind: str, card_id: str, content: type[Content], change: Callable[[Filed[Content]], Filed[Content]]
    ) -> Filed[Content]:
        """Apply `change` to what is stored, again where somebody was faster. Raises `NotFound`, and what it raises."""
        for _ in range(TRIES):
            found = self.get(kind, card_id, content)
            if found is None:
                raise NotFound
            wanted = change(found)
            if self.put(wanted.card, wanted.content):
                return wanted
        raise StoreUnavailable("a card is being changed by too many at once")

    def page(
        self,
        kind: str,
        content: type[Content],
        *,
        state: str | None = None,
        owner: str | None = None,
        before: str | None = None,
        limit: int = 50,
    ) -> tuple[list[Filed[Content]], str | None]:
        """Newest first, and the cursor of the next page."""
        found = self.cards.page(kind, state=state, owner=owner, before=place(before), limit=limit + 1)
        more = cursor(found[limit - 1].at, found[limit - 1].id) if len(found) > limit else None
        return [self._open(card, content) for card in found[:limit]], more

    def _open(self, card: Card, content: type[Content]) -> Filed[Content]:
        opened = self._vault.open(self._key.get(), card.body, context=_context(card))
        return Filed(card, msgspec.json.decode(opened, type=content))


def _context(card: Card) -> str:
    return f"card/{card.kind}/{card.id}"
