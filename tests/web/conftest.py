"""The application over real services: a SQLite file, a relay and a WeChat API that nobody answers for."""

import base64
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from yunliao.bootstrap import build_services
from yunliao.factory import create_app
from yunliao.settings import Settings

ENVIRONMENT = {
    "YUNLIAO_ENV": "production",
    "YUNLIAO_TRIAL_STORE": "on",
    "YUNLIAO_APPIDS": "wxallowed1,wxallowed2",
    "CBR_ENV_ID": "prod-env",
    "YUNLIAO_RELAY_URL": "http://127.0.0.1:9/v1",
    "YUNLIAO_MODEL": "demo",
    "YUNLIAO_MASTER_KEYS": "k1:" + base64.b64encode(bytes(range(32))).decode(),
    "YUNLIAO_WECHAT_API_URL": "http://127.0.0.1:9",
    "YUNLIAO_RATE_LIMIT": "1000/minute",
    "YUNLIAO_JOBS_SECRET": "a-secret-of-sixteen",
}
CALLER = {
    "X-WX-SOURCE": "wx_client",
    "X-WX-OPENID": "oCaller_000000001",
    "X-WX-APPID": "wxallowed1",
    "X-WX-ENV": "prod-env",
}


def agree(app: Flask, headers: dict[str, str], *, overseas: bool = True) -> None:
    """The consent of a caller, as their mini-program gives it."""
    given = {"version": "latest", "overseas": overseas}
    assert app.test_client().put("/v1/me/consent", json=given, headers=headers).status_code == 200


@pytest.fixture
def make_app(tmp_path: Path) -> Iterator[Callable[..., Flask]]:
    made: list[Flask] = []

    def make(*, agreed: bool = True, **changes: str) -> Flask:
        environment = {**ENVIRONMENT, "YUNLIAO_STORE_URL": f"sqlite:///{tmp_path}/y.db", **changes}
        settings = Settings.from_env(environment)
        app = create_app(settings, build_services(settings))
        made.append(app)
        if agreed:
            agree(app, CALLER)
        return app

    yield make
    for app in made:
        services = app.extensions["yunliao"]
        services.drain(20)
        services.close()


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    return make_app()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()
