"""After a run with canary words, users and keys: none of them in the database, its log, or any log (P9)."""

import base64
import hashlib
import json
import sqlite3
from pathlib import Path

from cloudrun.identity import openid_of
from cloudrun.local import LocalCloudRun
from tests.e2e.phone import Phone, Refused

WORDS = ["canaryquestion", "金丝雀问题甲乙", "canaryanswer", "金丝雀回答丙丁", "canarytitle", "canarycomment"]
KEY = "sk-canary-relay-key-998877"


def test_no_word_no_user_no_key_anywhere(tmp_path: Path) -> None:
    users = ["canaryuserone", "canaryusertwo"]
    with LocalCloudRun(instances=2, data=tmp_path, env={"YUNLIAO_RELAY_KEY": KEY}) as cloud:
        cloud.relay(answer=f"{WORDS[2]} {WORDS[3]}，说完了。", first_token_ms=0, tokens_per_second=0)
        for user in users:
            phone = Phone(cloud.url, user)
            events = phone.ask(f"{WORDS[0]} {WORDS[1]}")
            conversation = events[0]["conversation_id"]
            phone.call("PUT", f"/v1/conversations/{conversation}", {"title": WORDS[4]})
            message = phone.messages(conversation)[-1]["id"]
            phone.call("POST", f"/v1/messages/{message}/feedback", {"value": "down", "comment": WORDS[5]})
            phone.call("POST", f"/v1/messages/{message}/report", {"reason": WORDS[5]})
            phone.socket().close()
            for bad in ({"text": WORDS[0]}, {"client_id": "x" * 10, "text": WORDS[0] * 2000}, {"oops": WORDS[0]}):
                try:
                    phone.call("POST", "/v1/turns", bad)
                except Refused as refused:
                    assert WORDS[0] not in json.dumps(refused.error)
            # An answer that fails in the middle takes other paths: none of them may talk.
            cloud.relay(answer=f"{WORDS[2]} {WORDS[3]}，说完了。", cut_at_percent=50)
            phone.ask(f"{WORDS[0]} {WORDS[1]}")
            cloud.relay(answer=f"{WORDS[2]} {WORDS[3]}，说完了。", cut_at_percent=-1)
    ring = (tmp_path / "master-keys").read_text()
    raw_key = base64.b64decode(ring.partition(":")[2].strip())
    canaries = [word.encode() for word in WORDS] + [openid_of(user).encode() for user in users]
    canaries += [KEY.encode(), raw_key, ring.partition(":")[2].strip().encode(), hashlib.sha256(raw_key).digest()]
    connection = sqlite3.connect(tmp_path / "yunliao.db")
    assert connection.execute("SELECT count(*) FROM messages").fetchone()[0] >= 8
    connection.close()
    searched = [path for path in tmp_path.rglob("*") if path.is_file() and path.name != "master-keys"]
    assert {"yunliao.db", "instance-1.log", "instance-2.log"} <= {path.name for path in searched}
    for path in searched:
        content = path.read_bytes()
        for canary in canaries:
            assert canary not in content, path.name
