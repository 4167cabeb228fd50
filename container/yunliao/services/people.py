"""Who a principal is to Yunliao: a hashed id, a data key of their own, and nothing else in the clear (P9)."""

import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable

import msgspec

from yunliao.domain.principal import Principal
from yunliao.domain.turn import Turn
from yunliao.errors import ConsentRequired, Internal, StoreUnavailable, Suspended
from yunliao.ports import Clock, Permit, Secrets, User, Users, Vault
from yunliao.services.data_keys import KEY_BYTES, DataKeys, Destroyed

CACHE_MS = 10_000
"""How long an unwrapped data key may be reused, milliseconds: an erased account is unreadable everywhere after this."""
CACHE_USERS = 4_096


class Outdated(ConsentRequired):
    """The account is no longer as the owner says who acts for it: look at it anew (`Consents.renewing`)."""


class Owner:
    """A resolved user: the stored id, the principal, and sealing with the user's own key.

    A blob is bound to its owner, record and field: moved anywhere else it does not open.
    """

    __slots__ = ("_key", "_vault", "key_id", "permit", "principal", "user_id")

    def __init__(
        self,
        user_id: str,
        principal: Principal,
        key: bytes,
        vault: Vault,
        key_id: str = "",
        *,
        permit: Permit | None = None,
    ) -> None:
        self.user_id = user_id
        self.principal = principal
        self.key_id = key_id
        self.permit = permit
        self._key = key
        self._vault = vault

    @property
    def cooling_until(self) -> int:
        """See `User.cooling_until`."""
        return self.permit.cooling_until if self.permit else 0

    def __repr__(self) -> str:
        return f"Owner({self.user_id[:8]}…)"

    def seal(self, record_id: str, field: str, plaintext: bytes) -> bytes:
        """`plaintext` sealed for that record and field."""
        return self._vault.seal(self._key, plaintext, context=f"{self.user_id}/{record_id}/{field}")

    def open(self, record_id: str, field: str, blob: bytes) -> bytes:
        """The plaintext of `seal`; empty for an empty blob."""
        return self._vault.open(self._key, blob, context=f"{self.user_id}/{record_id}/{field}") if blob else b""

    def fingerprint(self, *parts: str) -> bytes:
        """A keyed hash of what was asked, to tell a repeated message from another one under the same id (P3)."""
        return self._vault.lookup(self._key, "\x1f".join(parts)).encode()


class People:
    """Finds or makes the user behind a principal."""

    def __init__(self, *, users: Users, shared: Secrets, vault: Vault, clock: Clock, keys: DataKeys) -> None:
        self._users = users
        self._keys = keys
        self._shared = shared
        self._vault = vault
        self._clock = clock
        self._lookup_key: bytes | None = None
        self._standing: Callable[[str], tuple[int, int]] = lambda user_id: (0, 0)
        self._cache: OrderedDict[str, tuple[int, User, bytes]] = OrderedDict()
        self._lock = threading.Lock()

    def check_keys(self) -> None:
        """Raises `Misconfigured` if the master keys do not open what this store was written with."""
        self._lookup()

    def follow_standing(self, standing: Callable[[str], tuple[int, int]]) -> None:
        """From now on a new account begins as `standing(user_id)` says, (suspended until, cooling until): erasing the
        account and coming back ends neither."""
        self._standing = standing

    def user_id_of(self, principal: Principal) -> str:
        """The name a caller is stored under, whether or not they are."""
        return self.id_of(principal.appid, principal.openid)

    def reader_of(self, user_id: str) -> Owner | None:
        """The owner by the stored id, for an operator who may read (services/users_desk.py); None if there is none. It
        carries no identity: nothing can be asked of the platform in the user's name."""
        found = self._keyed(user_id)
        return self._owner(found[0], Principal(openid="", appid=""), found[1]) if found else None

    def find(self, principal: Principal, *, fresh: bool = False) -> tuple[User, Owner] | None:
        """A caller's account; None where there is none: nothing is stored of a caller who did not consent. Up to
        `CACHE_MS` old unless `fresh`. Raises `StoreUnavailable`."""
        found = self._keyed(self.user_id_of(principal), fresh=fresh)
        return (found[0], self._owner(found[0], principal, found[1])) if found else None

    def enrol(self, principal: Principal) -> tuple[User, Owner]:
        """A caller's account, made now if there is none. Raises `StoreUnavailable`."""
        user_id = self.user_id_of(principal)
        found = self._keyed(user_id, fresh=True)
        if found is None:
            self._clear(user_id)
        user, key = found or self._enrol(user_id, principal)
        return user, self._owner(user, principal, key)

    def suspended(self, user: User) -> bool:
        """Whether they may do nothing now."""
        return user.suspended_until > self._clock.now_ms()

    def check_standing(self, user: User) -> None:
        """Raises `Suspended`."""
        if self.suspended(user):
            raise Suspended

    def id_of(self, appid: str, openid: str) -> str:
        """The id under which somebody is stored, whether they are or not."""
        return self._vault.lookup(self._lookup(), f"{appid}:{openid}")

    def owner_of(self, turn: Turn) -> Owner:
        """The owner of a stored turn, for an instance that never met the caller (takeover). Overseas processing is
        allowed where it was when the turn began and still is."""
        found = self._keyed(turn.user_id, fresh=True)
        if not found:
            raise Internal("turn without a user")
        user, key = found
        bare = Owner(user.id, Principal(openid="", appid=""), key, self._vault)
        principal = msgspec.json.decode(bare.open(turn.id, "principal", turn.sealed_principal), type=Principal)
        began_allowed = principal.overseas
        owner = self._owner(user, principal, key)
        if not began_allowed:
            owner.principal = msgspec.structs.replace(owner.principal, overseas=False)
        return owner

    def forget(self, user_id: str) -> None:
        """Drop a cached key at once."""
        with self._lock:
            self._cache.pop(user_id, None)

    def _owner(self, user: User, principal: Principal, key: bytes) -> Owner:
        permitted = msgspec.structs.replace(principal, overseas=user.consent_overseas)
        return Owner(user.id, permitted, key, self._vault, user.key_id, permit=user.permit)

    def _keyed(self, user_id: str, *, fresh: bool = False) -> tuple[User, bytes] | None:
        now = self._clock.now_ms()
        with self._lock:
            cached = self._cache.get(user_id)
        if cached and cached[0] <= now:
            cached = None
        if cached and not fresh:
            return cached[1], cached[2]
        user = self._users.get(user_id)
        if user is None:
            self.forget(user_id)
            return None
        if cached and user.key_id and cached[1].key_id == user.key_id:
            # The key of an id never changes. Its time is not prolonged: within it the key store is asked again.
            with self._lock:
                self._cache[user_id] = (cached[0], user, cached[2])
            return user, cached[2]
        return self._remember(user)

    def _remember(self, user: User) -> tuple[User, bytes] | None:
        try:
            user, key = self._keys.open(user)
        except Destroyed:
            # Being erased at this moment, cut short in it, or back from an old backup: nobody, in any case.
            self.forget(user.id)
            return None
        with self._lock:
            self._cache[user.id] = (self._clock.now_ms() + CACHE_MS, user, key)
            self._cache.move_to_end(user.id)
            while len(self._cache) > CACHE_USERS:
                self._cache.popitem(last=False)
        return user, key

    def _clear(self, user_id: str) -> None:
        """What is left of an account whose key is destroyed goes before a new one begins in its place."""
        noise = self._users.get(user_id)
        if noise is not None:
            self._users.erase(user_id, key_id=noise.key_id)
            self._keys.settle(noise.key_id)

    def _enrol(self, user_id: str, principal: Principal) -> tuple[User, bytes]:
        key, wrapped, key_id = self._keys.make(user_id)
        sealed = self._vault.seal(key, principal.openid.encode(), context=f"{user_id}/user/openid")
        suspended_until, cooling_until = self._standing(user_id)
        user = self._users.create(
            User(
                id=user_id,
                wrapped_key=wrapped,
                sealed_openid=sealed,
                created_at=self._clock.now_ms(),
                key_id=key_id,
                suspended_until=suspended_until,
                cooling_until=cooling_until,
            )
        )
        if user.key_id != key_id:
            self._keys.discard(key_id)  # another instance was faster
        kept = self._remember(user)
        if kept is None:
            raise StoreUnavailable("the account was erased while it was made")
        return kept

    def _lookup(self) -> bytes:
        if self._lookup_key is None:
            fresh = self._vault.wrap(secrets.token_bytes(KEY_BYTES), context="secret/lookup")
            stored = self._shared.get_or_put("lookup", fresh)
            self._lookup_key = self._vault.unwrap(stored, context="secret/lookup")
        return self._lookup_key
