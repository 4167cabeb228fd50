"""Sends as a service makes them: by people who have an account with a key, while most tests need no account."""

from typing import Any, TypeVar, cast

from msgspec.structs import replace

from tests.contract.records import user
from yunliao.ports import AcceptLimits, AcceptOutcome, Draft, Store

AnyStore = TypeVar("AnyStore", bound=Store)


class KnownUsers:
    """Turns whose senders are given an account."""

    def __init__(self, store: Store) -> None:
        self._users, self._turns = store.users, store.turns

    def accept(self, draft: Draft, limits: AcceptLimits) -> AcceptOutcome:
        if not draft.key_id and draft.permit is None:
            person = self._users.create(replace(user(draft.turn.user_id), key_id=f"key of {draft.turn.user_id}"))
            draft = replace(draft, key_id=person.key_id, permit=draft.permit or person.permit)
        return self._turns.accept(draft, limits)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._turns, name)


def known_users(store: AnyStore) -> AnyStore:
    """The store, with accounts for all who send."""
    store.turns = cast(Any, KnownUsers(store))
    return store
