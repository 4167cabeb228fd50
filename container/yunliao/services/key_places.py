"""Whether the key store is the one this store's users were made with: with another one nobody could be read."""

import secrets

from yunliao.errors import Misconfigured
from yunliao.ports import Registers
from yunliao.ports_people import KeyStore

NAME = "key-store"


def check_place(keys: KeyStore, registers: Registers) -> None:
    """Each holds the other's mark from the first start on. Raises `Misconfigured` when they do not match: an operator
    who names another place has to move the keys there first (docs/privacy.md)."""
    mark = keys.mark(secrets.token_hex(16)).encode()
    registers.swap(NAME, version=0, value=mark)
    if registers.read(NAME).value != mark:
        raise Misconfigured(
            "the key store is not the one that this store was written with: set YUNLIAO_KEYS_URL as it was, or move "
            "the keys there first (docs/privacy.md)"
        )
