"""Receipts of erasing: what went, what remains and why, with a signature that this service can check later.

The service keeps none: it could only find one by the person whose data it has just forgotten.
"""

import hmac
import secrets
from typing import Literal

import msgspec

from yunliao.ports import Clock, Ids, Secrets, Vault


class Remains(msgspec.Struct, frozen=True):
    """Something that is kept, and why."""

    code: str
    text: str
    text_en: str


class Receipt(msgspec.Struct, frozen=True):
    """That it was done: when (Unix milliseconds), how many records of each kind went, and what remains. `held` is False
    where there was nothing to erase."""

    id: str
    what: Literal["account", "conversation"]
    held: bool
    erased_at: int
    records: dict[str, int]
    remains: tuple[Remains, ...]
    signature: str = ""


AUDIT = Remains(
    "audit",
    "这次删除的编号、时间与记录数，用于证明删除已完成；不含文字，也不含您的身份。",
    "The id, time and counts of this erase, to prove that it was done; no words, and not whose it was.",
)
LOGS = Remains(
    "logs",
    "运行日志与统计数字，其中只有编号、时间与数量，没有文字与身份标识。",
    "Operating logs and statistics, with ids, times and counts only; no words and no identity.",
)
BACKUPS_SHREDDED = Remains(
    "backups",
    "旧备份里可能还有密文，直到运营者按期删除；解开它的密钥已销毁，无法读取。",
    "Old backups may hold ciphertext until the operator deletes them in turn; the key that opens it is destroyed.",
)
BACKUPS_WITH_KEYS = Remains(
    "backups",
    "运营者的旧备份若连同密钥一起做过全库备份，在备份被删除之前其中仍有可解开的加密副本。",
    "Where the operator backed up the keys along with the records, an encrypted copy that can still be opened stays in "
    "those backups until they are deleted.",
)
BACKUPS_OF_CONVERSATION = Remains(
    "backups",
    "旧备份里还有这个会话的加密副本，直到备份被删除，或您删除整个账号（密钥随之销毁）。",
    "Old backups hold an encrypted copy of this conversation until they are deleted, or until you erase the account "
    "and its key with it.",
)


ALLOWANCE = Remains(
    "allowance",
    "今天的免费额度是否已经领过，以无法还原的散列记到当天结束，以免当天重复领取。",
    "Whether today's free allowance was given, under a hash that leads back to nobody, until the day ends, so that it "
    "is not given twice.",
)


class Receipts:
    """Makes and checks them. `apart`: keys are kept apart from the records' backups; `priced`: answers cost credits."""

    def __init__(
        self, *, shared: Secrets, vault: Vault, clock: Clock, ids: Ids, apart: bool, priced: bool = False
    ) -> None:
        self._shared = shared
        self._vault = vault
        self._clock = clock
        self._ids = ids
        self._apart = apart
        self._priced = priced
        self._key: bytes | None = None

    def account(self, records: dict[str, int], *, held: bool) -> Receipt:
        """Of a whole account."""
        backups = BACKUPS_SHREDDED if self._apart else BACKUPS_WITH_KEYS
        remains = (backups, AUDIT, LOGS, *((ALLOWANCE,) if self._priced else ()))
        return self._signed("account", records, remains if held else (), held=held)

    def conversation(self, records: dict[str, int]) -> Receipt:
        """Of one conversation."""
        return self._signed("conversation", records, (BACKUPS_OF_CONVERSATION, AUDIT, LOGS), held=True)

    def genuine(self, receipt: Receipt) -> bool:
        """Whether this service made it, as it is."""
        return hmac.compare_digest(self._signature(receipt).encode(), receipt.signature.encode())

    def _signed(
        self,
        what: Literal["account", "conversation"],
        records: dict[str, int],
        remains: tuple[Remains, ...],
        *,
        held: bool,
    ) -> Receipt:
        plain = Receipt(
            id=self._ids.new("erase"),
            what=what,
            held=held,
            erased_at=self._clock.now_ms(),
            records=records,
            remains=remains,
        )
        return msgspec.structs.replace(plain, signature=self._signature(plain))

    def _signature(self, receipt: Receipt) -> str:
        plain = msgspec.structs.replace(receipt, signature="")
        return "v1." + self._vault.lookup(self._secret(), msgspec.json.encode(plain, order="sorted").decode())

    def _secret(self) -> bytes:
        if self._key is None:
            fresh = self._vault.wrap(secrets.token_bytes(32), context="secret/receipts")
            self._key = self._vault.unwrap(self._shared.get_or_put("receipts", fresh), context="secret/receipts")
        return self._key
