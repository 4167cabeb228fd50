"""What changing the master key costs: users are made, then rotated while readers resolve random users all the time.

Every read fetches and opens the user's wrapped key (nothing is cached, the worst case) and something sealed under it:
a read that fails, or finds another key than before, is counted. The reads of the quiet time before are measured the
same way.
"""

import base64
import os
import random
import threading
import time
from collections.abc import Callable

import msgspec

from yunliao.adapters.vault import MasterKeyVault
from yunliao.bootstrap import store_at
from yunliao.ports import User
from yunliao.ports_records import RecordStore
from yunliao.services.key_book import KeyBook
from yunliao.services.rotation import Rotation
from yunliao.services.shared_key import SharedKey

RING = [("old", os.urandom(32)), ("new", os.urandom(32))]
READERS = 2
PAUSE = 0.005
"""Seconds between two reads of one reader: some 150 reads a second in all, a busy service's worth."""
QUIET_SECONDS = 5.0


class Reads(msgspec.Struct):
    """Of one phase: milliseconds of each read, and what failed."""

    times: list[float]
    failed: int = 0

    def row(self) -> str:
        ordered = sorted(self.times) or [0.0]
        middle, late = ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.99)]
        return f"{len(self.times):,} | {self.failed} | {middle:.1f} | {late:.1f} | {ordered[-1]:.0f}"


def measure(url: str, *, users: int) -> str:
    """One row of the table in docs/keys.md."""
    store = store_at(url)
    store.migrate()
    vault = MasterKeyVault(RING)
    SharedKey("lookup", shared=store.secrets, vault=vault).get()
    marks = populate(store, vault, users)
    turned = MasterKeyVault(RING[::-1])
    rotation = Rotation(
        keys=store.keys, vault=turned, book=KeyBook(registers=store.registers, keys=store.keys, vault=turned)
    )
    quiet, busy = Reads([]), Reads([])
    during(lambda: time.sleep(QUIET_SECONDS), store, vault, marks, quiet)
    began = time.perf_counter()
    during(rotation.rotate, store, vault, marks, busy)
    seconds = time.perf_counter() - began
    counts = rotation.status()
    assert counts.users == {"new": users}, counts
    store.close()
    store_name = url.partition(":")[0]
    return f"| {store_name} | {users:,} | {seconds:.1f} | {users / seconds:,.0f} | {quiet.row()} | {busy.row()} |"


def populate(store: RecordStore, vault: MasterKeyVault, users: int) -> list[tuple[str, bytes]]:
    """(id, something sealed under the user's key) of every hundredth user."""
    marks = []
    for number in range(users):
        user_id = base64.urlsafe_b64encode(os.urandom(32)).decode().rstrip("=")
        key = os.urandom(32)
        sealed = vault.seal(key, b"openid", context=f"{user_id}/user/openid")
        store.users.create(
            User(id=user_id, wrapped_key=vault.wrap(key, context=f"user/{user_id}"), sealed_openid=sealed, created_at=1)
        )
        if number % 100 == 0:
            marks.append((user_id, sealed))
    return marks


def during(
    work: Callable[[], object], store: RecordStore, vault: MasterKeyVault, marks: list[tuple[str, bytes]], reads: Reads
) -> None:
    """Read as long as `work` runs."""
    over = threading.Event()

    def read() -> None:
        rng = random.Random(1)
        while not over.is_set():
            user_id, sealed = rng.choice(marks)
            began = time.perf_counter()
            try:
                user = store.users.get(user_id)
                assert user is not None
                key = vault.unwrap(user.wrapped_key, context=f"user/{user_id}")
                assert vault.open(key, sealed, context=f"{user_id}/user/openid") == b"openid"
            except Exception:
                reads.failed += 1
            reads.times.append((time.perf_counter() - began) * 1000)
            time.sleep(PAUSE)

    readers = [threading.Thread(target=read) for _ in range(READERS)]
    for reader in readers:
        reader.start()
    try:
        work()
    finally:
        over.set()
        for reader in readers:
            reader.join()
