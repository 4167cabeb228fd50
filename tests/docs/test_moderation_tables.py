"""docs/moderation.md says what the code does."""

import pathlib
import re

from yunliao.adapters.wechat.errcodes import TABLE, Handling
from yunliao.adapters.wechat.moderation import OUTCOME_OF, OUTCOMES
from yunliao.adapters.words import LONGEST
from yunliao.domain.guard import GuardPolicy
from yunliao.services.governor import PER_DAY, PER_MINUTE

PAGE = (pathlib.Path(__file__).resolve().parents[2] / "docs" / "moderation.md").read_text(encoding="utf-8")


def test_every_code_is_in_the_table_with_its_handling() -> None:
    rows = re.findall(r"^\| `(-?\d+)` \| ([^|]+) \| ([^|]+) \|$", PAGE, re.MULTILINE)
    assert rows == [(str(row.code), row.handling.value, row.detail) for row in TABLE]
    assert len({row.code for row in TABLE}) == len(TABLE)


def test_every_handling_is_explained_with_its_outcome() -> None:
    rows = dict(re.findall(r"^\| ([a-z A-Z-]+) \| [^|]+ \| ([^|]+) \|$", PAGE, re.MULTILINE))
    for handling in Handling:
        assert handling.value in rows
        if handling in OUTCOME_OF:
            assert rows[handling.value] == f"`{OUTCOME_OF[handling]}`"


def test_every_outcome_is_named() -> None:
    named = set(re.findall(r"`([a-z_]+)`", PAGE))
    assert OUTCOMES - {"unavailable"} <= named


def test_the_numbers_are_those_of_the_code() -> None:
    policy = GuardPolicy()
    for number in (
        f"about {policy.first_chars} new characters",
        f"more than {policy.max_wait_ms / 1000:g} s",
        f"{policy.overlap} significant characters before",
        f"last {policy.hold} significant characters",
        f"more than {LONGEST} such characters",
        f"{PER_MINUTE:,} calls a minute and {PER_DAY:,} a day",
    ):
        assert number in " ".join(PAGE.split()), number
