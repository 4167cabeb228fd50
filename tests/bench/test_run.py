"""The whole tool on the real servers, as small as it gets: every text is checked, and no row stays empty. The figures of
so few answers mean nothing, so nothing is said about them."""

import pathlib
import re

import pytest
from bench.__main__ import PARTS, run
from bench.scale import TINY
from bench.targets import TARGETS


@pytest.mark.timeout(600)
def test_one_small_run_fills_every_table(tmp_path: pathlib.Path) -> None:
    bench = run(tmp_path, TINY, [*PARTS, "soak"], minutes=0.1, rate=3)
    assert bench.wrong == 0
    assert bench.right > 50
    assert {one.figure for one in TARGETS} <= set(bench.figures)
    rows = bench.tables["targets"][2:]
    assert len(rows) == len(TARGETS)
    assert all(re.search(r"\| (met|missed by [\d,.]+×|missed, none held) \|$", row) for row in rows), rows
    assert {"targets", "imports", "soak", *PARTS} == set(bench.tables)
    for kind in ("socket", "sse", "poll"):
        assert any(row.startswith(f"| Yunliao, MongoDB, {kind} |") for row in bench.tables["streaming"])
    assert "0 live turns, 0 listeners, 0 leases" in bench.tables["soak"][-1]
    assert all("<svg" in picture for picture in bench.pictures.values())
