"""Answers through the whole local platform, and what the container took for them."""

import contextlib
import http.client
import json
import os
import pathlib
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pymongo

from cloudrun.local import LocalCloudRun
from costs.bill import Measured
from mongod import ReplicaSet

ANSWER = "这是一段用来计量费用的回答，长度与日常的回答差不多。" * 16
"""About 400 characters, as docs/storage.md counts."""
QUESTION = "请用几句话说明怎样才能把一件复杂的事情讲清楚？"
LIMIT = 120.0


class Person:
    """Asks one question after the other, as the mini-program does by long-poll."""

    def __init__(self, url: str, name: str) -> None:
        self.connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=LIMIT)
        self.name = name
        self.call("PUT", "/v1/me/consent", {"version": "latest", "overseas": True})

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """The JSON answer. Raises `RuntimeError` for a refusal."""
        headers = {"X-WX-SERVICE": "yunliao", "X-Local-User": self.name, "Content-Type": "application/json"}
        self.connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = json.loads(self.connection.getresponse().read())
        if "error" in answer:
            raise RuntimeError(f"{path}: {answer['error'].get('code')}")
        return answer

    def ask(self, number: int) -> None:
        """One question and all of its answer."""
        asked = {"client_id": f"costs-{self.name}-{number}", "text": QUESTION}
        slice_ = self.call("POST", "/v1/turns?wait=5", asked)
        turn = slice_["turn"]["id"]
        while slice_["live"]:
            slice_ = self.call("GET", f"/v1/turns/{turn}/events?after={slice_['cursor']}&wait=10")


def measure(*, answers: int, people: int, store: str, say: Callable[[str], None]) -> Measured:
    """Run them; Linux only, since /proc tells what a process took."""
    with tempfile.TemporaryDirectory(prefix="yunliao-costs-") as folder, _store(store, pathlib.Path(folder)) as url:
        env = {"YUNLIAO_RATE_LIMIT": "10000/minute", "YUNLIAO_ENV": "development"}
        with LocalCloudRun(env=env, store_url=url, data=pathlib.Path(folder) / "data") as cloud:
            cloud.relay(answer=ANSWER, first_token_ms=200, tokens_per_second=60)
            pid = int(cloud.state()["instances"][0]["pid"])
            persons = [Person(cloud.url, f"person{number}") for number in range(people)]
            persons[0].ask(0)  # whatever is imported at the first answer
            idle, checks = memory(pid), cloud.wechat_calls()["total"]
            size, cpu, busy = _size(url), processor(pid), [idle]
            each = max(1, answers // people)
            failed: list[BaseException] = []

            def work(person: Person) -> None:
                try:
                    for number in range(1, each + 1):
                        person.ask(number)
                except BaseException as wrong:
                    failed.append(wrong)

            threads = [threading.Thread(target=work, args=(person,), daemon=True) for person in persons]
            for thread in threads:
                thread.start()
            while any(thread.is_alive() for thread in threads):
                busy.append(memory(pid))
                time.sleep(1.0)
            if failed:
                raise failed[0]
            done = each * people
            say(f"{done} answers measured")
            return Measured(
                cpu_seconds=(processor(pid) - cpu) / done * 1000,
                checks=(cloud.wechat_calls()["total"] - checks) / done * 1000,
                store_mb=max(0.0, _size(url) - size) / done * 1000,
                idle_mb=idle,
                busy_mb=max(busy),
            )


@contextlib.contextmanager
def _store(kind: str, folder: pathlib.Path) -> Iterator[str]:
    if kind == "sqlite":
        yield f"sqlite:///{folder}/costs.db"
        return
    with ReplicaSet(folder / "mongod") as mongo:
        yield mongo.url("yunliao")


def _size(url: str) -> float:
    """MB of data and indexes."""
    if url.startswith("sqlite:"):
        path = pathlib.Path(url.removeprefix("sqlite:///"))
        return sum(file.stat().st_size for file in path.parent.glob(path.name + "*")) / 1e6
    with pymongo.MongoClient[dict[str, Any]](url) as client:
        stats = client.get_default_database().command("dbStats")
        return float(stats["dataSize"] + stats["indexSize"]) / 1e6


def _family(pid: int) -> list[int]:
    """The process and everything in its group."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if os.getpgid(int(entry.name)) == pid:
                    found.append(int(entry.name))
    return found


def processor(pid: int) -> float:
    """Seconds of processor so far."""
    ticks = 0
    for one in _family(pid):
        with contextlib.suppress(OSError):
            fields = pathlib.Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def memory(pid: int) -> float:
    """MB now, shared pages counted once."""
    total = 0
    for one in _family(pid):
        with contextlib.suppress(OSError):
            for line in pathlib.Path(f"/proc/{one}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1])
    return total / 1024
