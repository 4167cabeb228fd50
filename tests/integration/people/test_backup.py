"""Backup and restore as an operator does them: `python3 -m yunliao` as a process, over the store of real instances."""

import base64
import json
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pymongo
import pytest

from tests.integration.people.stack import LIMIT, Instance, Person, Stack, stack
from yunliao.errors import Misconfigured

CONTAINER = Path(__file__).resolve().parents[3] / "container"
CANARY = "备份里也不能有的话"
PRICES = {
    "version": "b1",
    "models": {"demo": {"input": 1_000_000, "output": 2_000_000}},
    "plans": {"free": {"daily": 50_000_000}},
}
KEPT = "user_keys"


@pytest.fixture
def more_env() -> dict[str, str]:
    """Answers cost credits."""
    return {"YUNLIAO_PRICES": json.dumps(PRICES)}


def terminal(stacked: Stack, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "yunliao", *words],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(CONTAINER), **stacked.env, **env},
        text=True,
        capture_output=True,
        timeout=LIMIT * 4,
        check=False,
    )


def done(stacked: Stack, *words: str, **env: str) -> str:
    ran = terminal(stacked, *words, **env)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def lose_the_records(stacked: Stack) -> None:
    """The disk, or the database, is gone; the key store is where no such thing reaches it."""
    url = stacked.env["YUNLIAO_STORE_URL"]
    if url.startswith("sqlite:"):
        for rest in ("", "-wal", "-shm"):
            Path(url.removeprefix("sqlite:///") + rest).unlink(missing_ok=True)
        return
    with pymongo.MongoClient[dict[str, Any]](url) as client:
        database = client.get_default_database()
        for name in database.list_collection_names():
            if name != KEPT:
                database.drop_collection(name)


def words_of(person: Person, where: Instance) -> list[str]:
    return [one["text"] for one in json.loads(person.export(where))["messages"]]


def held(stacked: Stack, where: Instance, names: list[str]) -> dict[str, tuple[dict[str, Any], str]]:
    """Answers that are being written, each with what is shown of it so far: the turns and the texts."""
    stacked.relay.holding = True
    turns = {}
    for name in names:
        person = Person(name).agree(where)
        turn = person.send(where, f"{CANARY}，{name}问")
        shown = ""
        until = time.monotonic() + LIMIT
        while not shown:
            assert time.monotonic() < until, "the first text"
            events = person.call(where, "GET", f"/v1/turns/{turn['id']}/events?after=0&wait=1")["events"]
            shown = "".join(one["delta"] for one in events if one["type"] == "text")
        turns[name] = (turn, shown)
    return turns


def test_everything_is_lost_and_comes_back(placed: Stack, tmp_path: Path) -> None:
    file = tmp_path / "backup"
    instance = placed.start()
    keeper, leaver, tidy = (Person(name).agree(instance) for name in ("keeper", "leaver", "tidy"))
    first = keeper.chat(instance, f"{CANARY}一")
    leaver.chat(instance, f"{CANARY}二")
    gone, stays = tidy.chat(instance, "要彻底删除的"), tidy.chat(instance, "留下的")
    kept, credits = words_of(keeper, instance), keeper.call(instance, "GET", "/v1/me/credits")
    placed.relay.words = ["这是一句完整的话。" * 30, "还有一句。"]
    live = held(placed, instance, ["held1", "held2", "held3"])

    said = done(placed, "backup", str(file))
    assert "records" in said and f"{file.stat().st_size:,} bytes" in said
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert CANARY.encode() not in file.read_bytes() and b"okeeper" not in file.read_bytes()
    assert sorted(path.name for path in tmp_path.glob("backup*")) == ["backup"]

    # Life goes on, and it was not disturbed: what was being written ends well.
    placed.relay.holding = False
    placed.relay.release.set()
    for name, (turn, _) in live.items():
        assert Person(name).end(instance, turn["id"])["reason"] == "complete"
    keeper.chat(instance, "备份以后的话")
    assert leaver.call(instance, "DELETE", "/v1/me")["held"]
    tidy.call(instance, "DELETE", f"/v1/conversations/{gone['conversation_id']}?forever=true")
    placed.stop(instance)
    lose_the_records(placed)

    said = done(placed, "restore", "--check", str(file))
    assert "whole and genuine" in said
    said = done(placed, "restore", str(file))
    assert "1 people, 1 conversations" in said and "3 ended" in said

    again = placed.start()
    assert words_of(keeper, again) == kept
    assert keeper.call(again, "GET", "/v1/me/credits") == credits
    # Whoever was erased since stays erased, and so does the one conversation.
    assert again.services.store.users.get(again.services.people.user_id_of(leaver.principal)) is None
    assert leaver.call(again, "GET", "/v1/me")["consent"]["version"] == ""
    assert leaver.code(again, "GET", "/v1/conversations") == (403, "consent_required")
    listed = [one["id"] for one in tidy.call(again, "GET", "/v1/conversations")["conversations"]]
    assert listed == [stays["conversation_id"]] and "要彻底删除的" not in words_of(tidy, again)
    # What was being written then was ended with what was shown, asks no model again, and blocks nobody.
    asked = len(placed.relay.asked)
    for name, (turn, text) in live.items():
        person = Person(name)
        end = person.end(again, turn["id"])
        assert (end["reason"], end["error"]["code"]) == ("failed", "instance_lost")
        question, answer = words_of(person, again)
        assert question == f"{CANARY}，{name}问" and answer.startswith(text) and "还有一句" not in answer
    assert len(placed.relay.asked) == asked
    # And it goes on, in the old conversations too.
    for person, conversation in ((keeper, first), (Person("held1"), live["held1"][0]), (tidy, stays)):
        turn = person.chat(again, "接着说", conversation_id=conversation["conversation_id"])
        assert person.end(again, turn["id"])["reason"] == "complete"
    assert leaver.agree(again).call(again, "GET", "/v1/conversations")["conversations"] == []
    done(placed, "ledger", "verify")
    assert "whole" in done(placed, "audit", "verify")
    shown = done(placed, "audit", "show")
    assert "backup.make" in shown and "backup.restore" in shown and "erased again 1 and 1; ended 3" in shown

    # What has people in it is not written over by mistake.
    refused = terminal(placed, "restore", str(file))
    assert refused.returncode == 1 and "[not_empty]" in refused.stderr and "nothing was written" in refused.stderr
    assert len(words_of(keeper, again)) == len(kept) + 2
    unsure = terminal(placed, "restore", "--replace", "--confirm", "another", str(file))
    assert unsure.returncode == 1 and len(words_of(keeper, again)) == len(kept) + 2


def test_a_store_in_use_is_replaced_when_told_so_and_may_be_again(placed: Stack, tmp_path: Path) -> None:
    file = tmp_path / "backup"
    instance = placed.start()
    person = Person("keeper").agree(instance)
    person.chat(instance, "从前")
    kept = words_of(person, instance)
    done(placed, "backup", str(file))
    assert terminal(placed, "backup", str(file)).returncode == 1  # it is not written over
    person.chat(instance, "后来")
    placed.stop(instance)
    name = placed.env["YUNLIAO_STORE_URL"].partition("?")[0].rpartition("/")[2]
    for _ in range(2):
        done(placed, "restore", "--replace", "--confirm", name, str(file))
        instance = placed.start()
        assert words_of(person, instance) == kept
        placed.stop(instance)


def test_what_can_never_be_opened_is_told_and_writes_nothing(placed: Stack, tmp_path: Path) -> None:
    file = tmp_path / "backup"
    instance = placed.start()
    Person("keeper").agree(instance).chat(instance, CANARY)
    done(placed, "backup", str(file))
    placed.stop(instance)
    lose_the_records(placed)
    other = "k1:" + base64.b64encode(os.urandom(32)).decode()
    cut = tmp_path / "cut"
    cut.write_bytes(file.read_bytes()[:-50])
    keys = {"YUNLIAO_KEYS_URL": f"sqlite:///{tmp_path}/another.db"}
    for code, path, env in (
        ("other_master_keys", file, {"YUNLIAO_MASTER_KEYS": other}),
        ("cut_off", cut, {}),
        ("other_key_store", file, keys),
        ("not_a_backup", Path(__file__), {}),
    ):
        ran = terminal(placed, "restore", str(path), **env)
        assert ran.returncode == 1 and f"[{code}]" in ran.stderr, (code, ran.stderr)
        assert "Traceback" not in ran.stderr and other not in ran.stderr
    assert "could not be read" in terminal(placed, "restore", str(tmp_path / "none")).stdout
    done(placed, "restore", str(file))  # nothing of all this stands in the way


# --- a restore that is killed -----------------------------------------------------------------------------------------

KILLED = """
import os, signal, sys
from yunliao import cli
from yunliao.services.backup_file import Reader

whole, readings = Reader.pieces, []

def pieces(reader, key):
    readings.append(reader)
    for number, piece in enumerate(whole(reader, key)):
        if len(readings) == 2 and number == int(sys.argv[1]):
            os.kill(os.getpid(), signal.SIGKILL)
        yield piece

Reader.pieces = pieces
cli.main(["restore", sys.argv[2]], os.environ)
"""
"""`restore`, by its own process, which is killed while it writes: before the piece of that number of the second reading."""


@pytest.mark.parametrize("kind", ["sqlite", "mongo"])
def test_a_restore_that_was_killed_is_run_again(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    file = tmp_path / "backup"
    with stack(request.getfixturevalue(f"{kind}_url")) as stacked:
        instance = stacked.start()
        person = Person("keeper").agree(instance)
        person.chat(instance, CANARY)
        kept = words_of(person, instance)
        done(stacked, "backup", str(file))
        stacked.stop(instance)
        lose_the_records(stacked)
        for piece in (0, 1, 4):
            killed = subprocess.run(
                [sys.executable, "-c", KILLED, str(piece), str(file)],
                env={"PATH": os.environ["PATH"], "PYTHONPATH": str(CONTAINER), **stacked.env},
                capture_output=True,
                timeout=LIMIT * 4,
                check=False,
            )
            assert killed.returncode == -signal.SIGKILL, killed.stderr
            if kind == "mongo":  # half a store is no store
                with pytest.raises(Misconfigured, match="restore FILE` again"):
                    stacked.start()
        done(stacked, "restore", str(file))
        assert words_of(person, stacked.start()) == kept
