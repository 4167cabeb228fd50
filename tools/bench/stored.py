"""What an answer costs with ever more turns stored: the queries have their indexes, or have not."""

import asyncio
from typing import Any

import pymongo
from storage import growth as made

from bench import load, script
from bench.bench import Bench
from bench.chart import Line, chart
from bench.process import processor_seconds
from bench.servers import say, upstream
from bench.systems import yunliao
from yunliao.adapters.store.mongo import MongoStore

TOKENS, FIRST, GAP = 50, 0.1, 0.01
"""Short answers: what the store takes is more of them."""
DATABASE = "stored"
PATTERN = "stored_pattern"
PEOPLE = 50


def _pattern(url: str, client: "pymongo.MongoClient[dict[str, Any]]") -> made.Documents:
    """Turns as the store itself leaves them some hours after their end, made where nothing is measured."""
    store = MongoStore(url.replace("/bench", f"/{PATTERN}"))
    store.migrate()
    documents = made.pattern(store, client, PATTERN)
    store.turns.expire_events(ended_before=2**50, limit=made.TURNS)
    documents["turns"] = list(client[PATTERN]["turns"].find())
    store.close()
    client.drop_database(PATTERN)
    return documents


def stored(bench: Bench) -> None:
    """The store is filled to each size by copies of turns that it wrote itself, spread over users; then people ask."""
    scale = bench.scale
    rows = [
        "| stored turns | CPU s per 1,000 answers | of mongod | wrong or lost |",
        "|---|---|---|---|",
    ]
    costs: list[tuple[float, float]] = []
    mongod: list[tuple[float, float]] = []
    with (
        upstream(tokens=TOKENS, first=FIRST, gap=GAP) as ports,
        pymongo.MongoClient[dict[str, Any]](bench.store_url) as client,
        yunliao(bench.folder / "stored", "socket", bench.store_url, DATABASE) as system,
    ):
        pattern = _pattern(bench.store_url, client)
        system.start(*ports)
        database = client[DATABASE]
        asyncio.run(load.closed(system, people=10, answers=10, tokens=TOKENS, spread=0, offset=script.WARM))
        for place, turns in enumerate(scale.stored):
            have = database["turns"].estimated_document_count()
            say(f"growth: {turns:,} stored turns, {have:,} are there")
            made.fill(database, pattern, max(0, turns - have))
            client.admin.command({"fsync": 1})
            began = processor_seconds(bench.mongod_pid)
            asking = load.closed(
                system, people=PEOPLE, answers=scale.stored_answers, tokens=TOKENS, spread=1,
                offset=(place + 1) * 1_000_000,
            )  # fmt: skip
            result = asyncio.run(asking)
            bench.count({system.name: [result]})
            of_mongod = (processor_seconds(bench.mongod_pid) - began) / max(1, result.answers) * 1000
            costs.append((turns, result.cpu_per_1000))
            mongod.append((turns, of_mongod))
            rows.append(f"| {turns:,} | {result.cpu_per_1000:.1f} | {of_mongod:.1f} | {result.lost} |")
    bench.figures["growth stored"] = max(cost for _, cost in costs) / costs[0][1]
    bench.pictures["stored.svg"] = chart(
        "CPU seconds per 1,000 answers", "stored turns", [Line("Yunliao", costs), Line("mongod", mongod)]
    )
    bench.tables["stored"] = [*rows, "", "![CPU seconds per 1,000 answers, by stored turns](images/stored.svg)"]
