"""One-time tickets that carry an identity from a platform call to a socket (platform.md §2, P1)."""

import hashlib
import hmac
import secrets

import msgspec

from yunliao.domain.principal import Principal
from yunliao.errors import Internal, TicketInvalid
from yunliao.ports import Clock, Secrets, Tickets, Vault

LIFETIME_SECONDS = 60


class Ticket(msgspec.Struct, frozen=True):
    """`ticket` is shown once; `expires_in` in seconds."""

    ticket: str
    expires_in: int


class TicketService:
    """Issues and redeems tickets. The store keeps only a hash, and the principal sealed by a key that is made from the
    ticket itself: whoever has the store, a backup of it and all keys of the service still needs the ticket (P10)."""

    def __init__(self, *, tickets: Tickets, shared: Secrets, vault: Vault, clock: Clock) -> None:
        self._tickets = tickets
        self._shared = shared
        self._vault = vault
        self._clock = clock
        self._key: bytes | None = None

    def issue(self, principal: Principal) -> Ticket:
        """A ticket for this caller, good once within a minute, on any instance."""
        ticket = secrets.token_urlsafe(32)
        digest = _digest(ticket)
        sealed = self._vault.seal(self._key_of(ticket), msgspec.json.encode(principal), context=f"ticket/{digest}")
        self._tickets.put(digest, sealed, expires_at=self._clock.now_ms() + LIFETIME_SECONDS * 1000)
        return Ticket(ticket, LIFETIME_SECONDS)

    def redeem(self, ticket: str) -> Principal:
        """The caller the ticket was issued to. Raises `TicketInvalid` the second time, or too late."""
        digest = _digest(ticket)
        sealed = self._tickets.take(digest, now=self._clock.now_ms())
        if sealed is None:
            raise TicketInvalid
        try:
            opened = self._vault.open(self._key_of(ticket), sealed, context=f"ticket/{digest}")
        except Internal:  # of a version that sealed otherwise: a minute old at most, and soon replaced
            raise TicketInvalid from None
        return msgspec.json.decode(opened, type=Principal)

    def _key_of(self, ticket: str) -> bytes:
        return hmac.new(self._seal_key(), ticket.encode("utf-8", "surrogatepass"), hashlib.sha256).digest()

    def _seal_key(self) -> bytes:
        if self._key is None:
            fresh = self._vault.wrap(secrets.token_bytes(32), context="secret/tickets")
            self._key = self._vault.unwrap(self._shared.get_or_put("tickets", fresh), context="secret/tickets")
        return self._key


def _digest(ticket: str) -> str:
    return hashlib.sha256(ticket.encode("utf-8", "surrogatepass")).hexdigest()
