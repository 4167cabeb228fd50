"""A user's credits in their export."""

from typing import Any

from yunliao.ports_ledger import Ledger
from yunliao.services.people import Owner


class CreditsSection:
    """Implements `export.Section`: every entry, by its number. Amounts are micro-credits (docs/credits.md)."""

    name = "credits"
    title = "额度 Credits"

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def records(self, owner: Owner, *, after: str, until: int, limit: int) -> list[tuple[str, dict[str, Any]]]:
        """See `export.Section.records`. Entries are numbered without gaps, and only ever added."""
        last = int(after or 0)
        found = self._ledger.entries(owner.user_id, before=last + limit + 1, limit=limit)
        shown = [entry for entry in reversed(found) if entry.number > last and entry.at <= until]
        return [
            (
                str(entry.number),
                {
                    "number": entry.number,
                    "at": entry.at,
                    "kind": entry.kind,
                    "amount": entry.amount,
                    "change": entry.change,
                    "reference": entry.reference,
                    "note": entry.note,
                },
            )
            for entry in shown
        ]
