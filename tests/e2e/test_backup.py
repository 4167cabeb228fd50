"""A backup of a service that is answering, taken beside it, brings everybody back to one moment."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pymongo
import pytest

from cloudrun.local import LocalCloudRun
from cloudrun.world import master_keys
from mongod import ReplicaSet
from tests.e2e.conftest import SETTINGS
from tests.e2e.phone import LIMIT, Phone, end_of

CONTAINER = Path(__file__).resolve().parents[2] / "container"
PEOPLE = 6
PRICES = {
    "version": "b1",
    "models": {"demo": {"input": 1_000_000, "output": 2_000_000}},
    "plans": {"free": {"daily": 500_000_000}},
}


def terminal(data: Path, url: str, *words: str) -> str:
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(CONTAINER),
        "YUNLIAO_ENV": "development",
        "YUNLIAO_RELAY_URL": "http://127.0.0.1:9/v1",
        "YUNLIAO_MODEL": "demo",
        "YUNLIAO_APPIDS": "wx0000000000local",
        "YUNLIAO_STORE_URL": url,
        "YUNLIAO_MASTER_KEYS": master_keys(data),
        "YUNLIAO_PRICES": json.dumps(PRICES),
    }
    command = [sys.executable, "-m", "yunliao", *words]
    ran = subprocess.run(command, env=environment, text=True, capture_output=True, timeout=LIMIT * 2, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def lose(url: str) -> None:
    """The records' collections; the key store stays, as docs/backup.md says."""
    if url.startswith("sqlite:"):
        for rest in ("", "-wal", "-shm"):
            Path(url.removeprefix("sqlite:///") + rest).unlink(missing_ok=True)
        return
    with pymongo.MongoClient[dict[str, object]](url) as client:
        database = client.get_default_database()
        for name in database.list_collection_names():
            if name != "user_keys":
                database.drop_collection(name)


@pytest.mark.parametrize("kind", ["sqlite", "mongodb"])
def test_everybody_comes_back_to_one_moment(kind: str, tmp_path: Path) -> None:
    if kind == "mongodb":
        with ReplicaSet(tmp_path / "mongod") as store:
            lost_and_restored(tmp_path, store.url())
    else:
        lost_and_restored(tmp_path, f"sqlite:///{tmp_path}/cloud/yunliao.db")


def lost_and_restored(tmp_path: Path, url: str) -> None:
    data, file = tmp_path / "cloud", tmp_path / "backup"
    env = {**SETTINGS, "YUNLIAO_PRICES": json.dumps(PRICES)}
    names = [f"saver{number}" for number in range(PEOPLE)]
    conversations: dict[str, str] = {}
    over, failures = threading.Event(), list[str]()

    def talk(where: str, name: str) -> None:
        phone = Phone(where, name, agree=False)
        number = 1
        while not over.is_set():
            number += 1
            try:
                turn = phone.send(f"第{number}问", conversation_id=conversations[name])["turn"]["id"]
                assert end_of(phone.until_end(turn))["reason"] == "complete"
            except Exception as failed:
                failures.append(repr(failed))
                return

    with LocalCloudRun(instances=2, data=data, env=env, store_url=url, model="demo") as cloud:
        cloud.relay(first_token_ms=50, tokens_per_second=200)
        for name in names:
            phone = Phone(cloud.url, name)
            turn = phone.send("第1问")["turn"]
            conversations[name] = turn["conversation_id"]
            phone.until_end(turn["id"])
        talkers = [threading.Thread(target=talk, args=(cloud.url, name)) for name in names]
        for talker in talkers:
            talker.start()
        said = terminal(data, url, "backup", str(file))
        over.set()
        for talker in talkers:
            talker.join(LIMIT)
        assert failures == [] and "records" in said
        had = {name: Phone(cloud.url, name, agree=False).messages(conversations[name]) for name in names}
    lose(url)
    terminal(data, url, "restore", str(file))
    assert "whole" in terminal(data, url, "audit", "verify")
    terminal(data, url, "ledger", "verify")
    with LocalCloudRun(instances=2, data=data, env=env, store_url=url, model="demo") as cloud:
        cloud.relay(first_token_ms=0, tokens_per_second=0)
        for name in names:
            phone = Phone(cloud.url, name, agree=False)
            back = phone.messages(conversations[name])
            kept = [one for one in back if one.get("end_reason") != "failed"]
            then = {one["id"]: one["text"] for one in had[name]}
            assert len(back) >= 2 and all(then[one["id"]] == one["text"] for one in kept)
            assert (back[0]["role"], back[0]["text"]) == ("user", "第1问")
            # What was being written ended with what was shown of it, which is where the true answer began.
            assert all(then[one["id"]].startswith(one["text"]) for one in back)
            turn = phone.send("接着说", conversation_id=conversations[name])["turn"]["id"]
            assert end_of(phone.until_end(turn))["reason"] == "complete"
    terminal(data, url, "ledger", "verify")
