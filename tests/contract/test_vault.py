"""Sealing: nothing opens that was changed, moved or read with another key; keys can be rotated; nothing is shown."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yunliao.adapters.vault import MasterKeyVault
from yunliao.errors import Internal, Misconfigured

MASTER, NEXT, DATA_KEY = os.urandom(32), os.urandom(32), os.urandom(32)
CONTEXT = "user1/msg1/body"
TEXT = "金丝雀 canary".encode()


def vault(*ring: tuple[str, bytes]) -> MasterKeyVault:
    return MasterKeyVault(ring or (("k1", MASTER),))


def flips(blob: bytes) -> list[bytes]:
    """The blob with each single bit turned, and cut at each place."""
    turned = [
        blob[:place] + bytes((blob[place] ^ (1 << bit),)) + blob[place + 1 :]
        for place in range(len(blob))
        for bit in range(8)
    ]
    return turned + [blob[:length] for length in range(len(blob))]


@given(st.binary(max_size=5000), st.text(max_size=80).filter(lambda text: text.isprintable()))
def test_what_was_sealed_opens(plaintext: bytes, context: str) -> None:
    blob = vault().seal(DATA_KEY, plaintext, context=context)
    assert vault().open(DATA_KEY, blob, context=context) == plaintext
    assert len(plaintext) < 8 or plaintext not in blob


def test_sealing_twice_gives_two_different_blobs() -> None:
    assert len({vault().seal(DATA_KEY, TEXT, context=CONTEXT) for _ in range(200)}) == 200


def test_every_turned_bit_and_every_cut_of_a_sealed_blob_fails() -> None:
    for damaged in flips(vault().seal(DATA_KEY, TEXT, context=CONTEXT)):
        with pytest.raises(Internal):
            vault().open(DATA_KEY, damaged, context=CONTEXT)


def test_every_turned_bit_and_every_cut_of_a_wrapped_key_says_misconfigured() -> None:
    ring = vault(("k1", MASTER), ("k0", NEXT))  # one turned bit makes k0 of k1
    for damaged in flips(ring.wrap(DATA_KEY, context="user1")):
        with pytest.raises(Misconfigured):
            ring.unwrap(damaged, context="user1")


@pytest.mark.parametrize("context", ["user2/msg1/body", "user1/msg2/body", "user1/msg1/title", "", CONTEXT + " "])
def test_a_blob_moved_to_another_owner_record_or_field_fails(context: str) -> None:
    blob = vault().seal(DATA_KEY, TEXT, context=CONTEXT)
    with pytest.raises(Internal):
        vault().open(DATA_KEY, blob, context=context)


def test_another_users_key_and_another_users_wrapped_key_fail() -> None:
    with pytest.raises(Internal):
        vault().open(os.urandom(32), vault().seal(DATA_KEY, TEXT, context=CONTEXT), context=CONTEXT)
    with pytest.raises(Misconfigured):
        vault().unwrap(vault().wrap(DATA_KEY, context="user1"), context="user2")


def test_a_wrapped_key_is_no_sealed_record_and_the_other_way_round() -> None:
    with pytest.raises(Internal):
        vault().open(DATA_KEY, vault().wrap(DATA_KEY, context=CONTEXT), context=CONTEXT)
    with pytest.raises(Internal):
        vault().open(MASTER, vault().wrap(DATA_KEY, context=CONTEXT), context=CONTEXT)
    with pytest.raises(Misconfigured):
        vault().unwrap(vault().seal(MASTER, DATA_KEY, context="user1"), context="user1")


def test_rotation_writes_with_the_first_key_and_still_opens_old_wraps() -> None:
    old = vault(("k1", MASTER)).wrap(DATA_KEY, context="user1")
    rotated = vault(("k2", NEXT), ("k1", MASTER))
    assert rotated.unwrap(old, context="user1") == DATA_KEY
    fresh = rotated.wrap(DATA_KEY, context="user1")
    assert vault(("k2", NEXT)).unwrap(fresh, context="user1") == DATA_KEY
    with pytest.raises(Misconfigured):
        vault(("k1", MASTER)).unwrap(fresh, context="user1")


def test_a_missing_key_is_named_with_what_to_do() -> None:
    with pytest.raises(Misconfigured) as caught:
        vault(("k2", NEXT)).unwrap(vault().wrap(DATA_KEY, context="user1"), context="user1")
    assert "k1" in caught.value.detail
    assert "YUNLIAO_MASTER_KEYS" in caught.value.detail
    assert "add" in caught.value.detail


def test_the_right_id_with_the_wrong_key_is_told_too() -> None:
    with pytest.raises(Misconfigured, match="k1"):
        vault(("k1", NEXT)).unwrap(vault().wrap(DATA_KEY, context="user1"), context="user1")


def test_no_secret_is_shown_by_the_vault_or_its_errors() -> None:
    shown = repr(vault()) + str(vault())
    with pytest.raises(Misconfigured) as caught:
        vault(("k1", NEXT)).unwrap(vault().wrap(DATA_KEY, context="user1"), context="user1")
    shown += str(caught.value) + repr(caught.value)
    for secret in (MASTER, NEXT, DATA_KEY):
        assert secret.hex() not in shown
        assert repr(secret)[2:-1] not in shown


def test_lookup_is_fixed_in_length_and_depends_on_key_and_value() -> None:
    names = {vault().lookup(key, value) for key in (MASTER, NEXT) for value in ("o1", "o2", "", "长" * 500)}
    assert len(names) == 8
    assert {len(name) for name in names} == {43}
    assert vault().lookup(MASTER, "o1") == vault(("k2", NEXT)).lookup(MASTER, "o1")
    assert all(name.replace("-", "").replace("_", "").isalnum() for name in names)
