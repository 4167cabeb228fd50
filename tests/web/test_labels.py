"""What people send cannot grow the labels of `/metrics`, nor get into them."""

import random
import string
from collections.abc import Callable
from typing import Any

from flask import Flask

from tests.web.conftest import CALLER
from tests.web.test_desk import ended
from yunliao.adapters.metrics import LABELS

TOKEN = {"Authorization": "Bearer a-token-of-sixteen"}


def series(app: Flask) -> set[str]:
    text = app.test_client().get("/metrics", headers=TOKEN).get_data(as_text=True)
    return {line.rpartition(" ")[0] for line in text.splitlines() if line.startswith("yunliao_")}


def hostile(app: Flask, chance: random.Random) -> None:
    """One of each kind of request, with words of its own."""
    word = "".join(chance.choices(string.ascii_letters + string.digits, k=14))
    client = app.test_client()

    def ask(method: str, path: str, body: Any = None, **headers: str) -> Any:
        return client.open(path, method=method, json=body, headers={**CALLER, **headers})

    sent = ask("POST", "/v1/turns", {"client_id": f"c{word}", "text": f'你好 {word} " }} {{ \n'}, traceparent=word)
    if sent.status_code == 202:
        ended(client, sent.get_json()["turn"]["id"])
    ask("POST", "/v1/turns", {"client_id": f"d{word}", "text": word, "model": word})
    ask("POST", "/v1/turns", {"client_id": word * 40, "text": word}, **{"X-Client": word, "User-Agent": word})
    ask("GET", f"/v1/turns/{word}/events?after={word}&wait={word}")
    ask("GET", f"/v1/turns/{word}/stream", **{"Last-Event-ID": word})
    ask("DELETE", f"/{word}/{word}")
    ask("POST", "/v1/credits/redeem", {"code": word})
    client.get("/metrics", headers={"Authorization": f"Bearer {word}"})
    client.post(f"/jobs/{word}", headers={"X-Yunliao-Secret": word})
    client.get("/v1/me", headers={"X-WX-SOURCE": word, "X-WX-OPENID": word, "X-WX-APPID": word})


def test_what_is_sent_grows_no_label(make_app: Callable[..., Flask]) -> None:
    app = make_app(YUNLIAO_METRICS_TOKEN=TOKEN["Authorization"].split()[1])
    chance = random.Random(11)
    for _ in range(3):
        hostile(app, chance)
    before = series(app)
    for _ in range(20):
        hostile(app, chance)
    assert series(app) == before
    codes = {part.split('"')[1] for line in before for part in line.split(",") if "code=" in part}
    assert codes and codes <= LABELS["code"]
