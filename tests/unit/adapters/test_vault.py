"""Sealing: nothing opens that was changed, moved or made under another key; rotation keeps old wraps readable."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yunliao.adapters.vault import MasterKeyVault
from yunliao.errors import Internal, Misconfigured

FIRST, SECOND = bytes(range(32)), bytes(range(100, 132))
VAULT = MasterKeyVault([("k1", FIRST)])
KEY = b"\x07" * 16 + bytes(range(16))


@given(st.binary(max_size=300), st.text(max_size=40))
def test_what_is_sealed_opens_in_its_own_place(plaintext: bytes, context: str) -> None:
    blob = VAULT.seal(KEY, plaintext, context=context)
    assert VAULT.open(KEY, blob, context=context) == plaintext
    assert VAULT.seal(KEY, plaintext, context=context) != blob
    with pytest.raises(Internal):
        VAULT.open(KEY, blob, context=context + "x")


def test_every_flipped_bit_is_noticed() -> None:
    blob = VAULT.seal(KEY, b"words", context="u/m/body")
    for bit in range(len(blob) * 8):
        changed = bytearray(blob)
        changed[bit // 8] ^= 1 << (bit % 8)
        with pytest.raises(Internal):
            VAULT.open(KEY, bytes(changed), context="u/m/body")
    for length in range(len(blob)):
        with pytest.raises(Internal):
            VAULT.open(KEY, blob[:length], context="u/m/body")


def test_a_wrapped_key_is_no_sealed_record_and_the_reverse() -> None:
    wrapped = VAULT.wrap(KEY, context="c")
    with pytest.raises(Internal):
        VAULT.open(KEY, wrapped, context="c")
    with pytest.raises(Misconfigured):
        VAULT.unwrap(VAULT.seal(KEY, KEY, context="c"), context="c")


def test_rotation_reads_what_the_old_key_wrapped() -> None:
    wrapped = VAULT.wrap(KEY, context="user/u1")
    rotated = MasterKeyVault([("k2", SECOND), ("k1", FIRST)])
    assert rotated.unwrap(wrapped, context="user/u1") == KEY
    rewrapped = rotated.wrap(KEY, context="user/u1")
    assert MasterKeyVault([("k2", SECOND)]).unwrap(rewrapped, context="user/u1") == KEY


def test_a_missing_or_wrong_master_key_says_what_to_do() -> None:
    wrapped = VAULT.wrap(KEY, context="c")
    with pytest.raises(Misconfigured, match=r"YUNLIAO_MASTER_KEYS lacks the key 'k1'"):
        MasterKeyVault([("k2", SECOND)]).unwrap(wrapped, context="c")
    with pytest.raises(Misconfigured, match="not the one"):
        MasterKeyVault([("k1", SECOND)]).unwrap(wrapped, context="c")


def test_look_up_names_are_stable_keyed_and_of_one_length() -> None:
    assert VAULT.lookup(KEY, "openid") == VAULT.lookup(KEY, "openid")
    assert VAULT.lookup(KEY, "openid") != VAULT.lookup(FIRST, "openid")
    assert len(VAULT.lookup(KEY, "")) == len(VAULT.lookup(KEY, "o" * 500)) == 43


def test_no_key_is_printed() -> None:
    assert repr(VAULT) == "MasterKeyVault(writer='k1', keys=1)"
