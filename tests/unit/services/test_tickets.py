"""Tickets: once, within a minute, and nothing without the ticket itself."""

import os

import pytest

from tests.fakes.clock import FakeClock
from tests.fakes.memory_store import MemoryStore
from yunliao.adapters.vault import MasterKeyVault
from yunliao.domain.principal import Principal
from yunliao.errors import Internal, TicketInvalid
from yunliao.services.tickets import TicketService

WHO = Principal(openid="oCANARY000000000000000000000", appid="wxcanary")


def made() -> tuple[TicketService, MemoryStore, MasterKeyVault]:
    store, vault = MemoryStore(), MasterKeyVault([("k1", os.urandom(32))])
    return (
        TicketService(tickets=store.tickets, shared=store.secrets, vault=vault, clock=FakeClock()),
        store,
        vault,
    )


def test_a_ticket_is_good_once() -> None:
    tickets, _, _ = made()
    ticket = tickets.issue(WHO).ticket
    assert tickets.redeem(ticket) == WHO
    for wrong in (ticket, "", "no-such-ticket", "\ud800"):
        with pytest.raises(TicketInvalid):
            tickets.redeem(wrong)


def test_the_store_and_all_keys_of_the_service_do_not_tell_whose_it_is() -> None:
    tickets, store, vault = made()
    tickets.issue(WHO)
    ((digest, (sealed, _)),) = store.tickets._tables.tickets.items()  # type: ignore[attr-defined]
    shared = vault.unwrap(store.secrets.get_or_put("tickets", b""), context="secret/tickets")
    for key in (shared, bytes.fromhex(digest)):
        with pytest.raises(Internal):
            vault.open(key, sealed, context=f"ticket/{digest}")
    assert WHO.openid.encode() not in sealed
