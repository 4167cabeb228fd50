"""docs/reliability.md names every fault, every check and the numbers of the code, in both languages."""

import pathlib

import pytest

from chaos.schedule import GATEWAY, INSTANCE, STORE, WECHAT
from chaos.verdict import CHECKS
from yunliao.services.engine import MAX_TAKEOVERS
from yunliao.services.run import SEAM_CHARS
from yunliao.settings import VARIABLES

DOCS = pathlib.Path(__file__).resolve().parents[2] / "docs"
PAGES = [DOCS / "reliability.md", DOCS / "reliability.zh-CN.md"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_fault_is_explained(page: pathlib.Path) -> None:
    text = page.read_text("utf-8")
    for fault in (*INSTANCE, *GATEWAY, *WECHAT, *STORE):
        assert f"`{fault}`" in text, fault


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_numbers_are_those_of_the_code(page: pathlib.Path) -> None:
    text = " ".join(page.read_text("utf-8").split())
    defaults = {variable.name: variable.default for variable in VARIABLES}
    for name in ("YUNLIAO_GRACE_SECONDS", "YUNLIAO_LEASE_SECONDS"):
        assert any(f"`{name}`{opening}{defaults[name]}" in text for opening in (" (", ", ", "（", "，")), name
    assert float(defaults["YUNLIAO_LEASE_SECONDS"] or 99) <= 6
    assert f"{SEAM_CHARS} " in text and MAX_TAKEOVERS == 3 and ("three owners" in text or "三个负责者" in text)


def test_the_campaigns_table_has_every_check() -> None:
    text = PAGES[0].read_text("utf-8")
    for meaning in CHECKS.values():
        assert f"| {meaning} |" in text, meaning
