"""SQLite on a disk that is full: what was accepted stays, people are told, and room on the disk is all it takes."""

import resource
import shlex
import time
import uuid

import pytest

from cloudrun.instances import GUNICORN
from cloudrun.local import LocalCloudRun
from tests.e2e.phone import LIMIT, Phone, Refused, end_of

SIZE = 600_000
"""Bytes no file of the container may grow beyond: what a full disk is to it."""


def test_a_full_disk_loses_nothing_and_heals_without_a_restart() -> None:
    limited = ["sh", "-c", f"ulimit -S -f {SIZE // 512}; exec {shlex.join(GUNICORN)}"]
    env = {"YUNLIAO_RATE_LIMIT": "1000/minute", "YUNLIAO_LEASE_SECONDS": "2"}
    with LocalCloudRun(instances=1, env=env, command=limited) as cloud:
        cloud.relay(first_token_ms=0, tokens_per_second=0)
        phone = Phone(cloud.url, "writer")
        kept: list[str] = []
        refused: Refused | None = None
        deadline = time.monotonic() + 2 * LIMIT
        while refused is None:
            assert time.monotonic() < deadline
            body = {"client_id": uuid.uuid4().hex, "text": "满" * 3_000}
            try:
                turn = phone.call("POST", "/v1/turns?wait=5", body)
                kept.append(turn["turn"]["conversation_id"])
                if turn["live"] and not _ends(phone, turn["turn"]["id"]):
                    # The disk was full just when the answer was to be written: nothing new fits either.
                    body = {"client_id": uuid.uuid4().hex, "text": "满" * 3_000}
                    while True:
                        phone.call("POST", "/v1/conversations", {"title": "满" * 60})
            except Refused as failed:
                refused = failed
        assert (refused.code, refused.status) == ("store_unavailable", 503)
        assert refused.error["retryable"]
        assert kept
        for conversation in kept:
            messages = phone.call("GET", f"/v1/conversations/{conversation}/messages")["messages"]
            assert messages[0]["text"] == "满" * 3_000
        # Gunicorn's own process and its worker.
        (instance,) = cloud.state()["instances"]
        for pid in _with_children(instance["pid"]):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        while True:
            assert time.monotonic() < deadline
            try:
                again = phone.call("POST", "/v1/turns", body)
                break
            except Refused as failed:  # the turn before it may still be ending
                assert failed.code in ("store_unavailable", "turn_in_progress")
                time.sleep(0.2)
        assert end_of(phone.until_end(again["turn"]["id"]))["reason"] == "complete"


def _ends(phone: Phone, turn: str) -> bool:
    """Whether the answer ends soon; with room on the disk it does at once."""
    after, until = 0, time.monotonic() + 15
    while time.monotonic() < until:
        try:
            answer = phone.poll(turn, after)
        except Refused:
            return False
        after = answer["cursor"]
        if not answer["live"]:
            return True
    return False


def _with_children(pid: int) -> list[int]:
    with open(f"/proc/{pid}/task/{pid}/children") as children:
        return [pid, *(int(child) for child in children.read().split())]


if not hasattr(resource, "prlimit"):
    pytest.skip("only Linux can raise another process's limits", allow_module_level=True)
