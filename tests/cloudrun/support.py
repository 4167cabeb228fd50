"""What the local platform's tests share: its own small container, a caller, and a way to wait for a condition."""

import time
from pathlib import Path

import urllib3

STANDIN = Path(__file__).parent / "standin"
PATIENCE = 30.0  # seconds a busy machine may take for anything; no test passes faster or slower because of it


def until(condition, what):
    """Wait until `condition()` is true and return it; fail naming `what` otherwise."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"never happened: {what}")


class Phone:
    """A client of one origin: callContainer unless told otherwise."""

    def __init__(self, url, pool):
        self.url, self.pool = url, pool

    def call(self, path, method="GET", *, link="call", user="alice", headers=None, **more):
        sent = {"X-Local-User": user} | (headers or {})
        if link == "call":
            sent.setdefault("X-WX-SERVICE", "yunliao")
        elif link != "public":
            sent["X-Local-Link"] = link
        return self.pool.request(method, self.url + path, headers=sent, retries=False, timeout=PATIENCE * 2, **more)

    def errcode(self, path, method="GET", **more):
        answer = self.call(path, method, **more)
        assert answer.status == 599, answer.data
        body = answer.json()
        assert str(body["errCode"]) == answer.headers["X-Local-Errcode"]
        assert body["callID"] in body["errMsg"]
        return body["errCode"]


def new_pool():
    return urllib3.PoolManager(maxsize=20)
