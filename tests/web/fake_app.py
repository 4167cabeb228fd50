"""The application over fake services, in this process."""

from typing import Any

from flask import Flask

from tests.fakes.fake_services import FakeServices
from tests.web.conftest import ENVIRONMENT
from yunliao.factory import create_app
from yunliao.settings import Settings


def fake_app(**changes: str) -> tuple[Flask, Any]:
    """The application and its services."""
    settings = Settings.from_env({**ENVIRONMENT, "YUNLIAO_STORE_URL": "sqlite:///nowhere/never.db", **changes})
    services = FakeServices(settings)
    return create_app(settings, services), services  # type: ignore[arg-type]
