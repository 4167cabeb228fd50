"""A key that all instances share: made by the first that needs it, wrapped by the master key, kept in the store."""

import secrets

from yunliao.ports import Secrets, Vault

KEY_BYTES = 32


class SharedKey:
    """Fetched once a process. Its wrapping may change meanwhile (rotation); the key itself never does."""

    def __init__(self, name: str, *, shared: Secrets, vault: Vault) -> None:
        self._name = name
        self._shared = shared
        self._vault = vault
        self._key: bytes | None = None

    def get(self) -> bytes:
        """32 bytes. Raises `Misconfigured`, `StoreUnavailable`."""
        if self._key is None:
            context = f"secret/{self._name}"
            fresh = self._vault.wrap(secrets.token_bytes(KEY_BYTES), context=context)
            self._key = self._vault.unwrap(self._shared.get_or_put(self._name, fresh), context=context)
        return self._key
