"""The container's real web layer over fake services, for what only a real worker and real sockets can show."""

import os
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[3]))

from tests.fakes.fake_services import FakeServices
from yunliao.factory import create_app
from yunliao.settings import Settings
from yunliao.web import channel, session

channel.SEND_SECONDS = float(os.environ.pop("TEST_SEND_SECONDS"))
session.HELLO_SECONDS = float(os.environ.pop("TEST_HELLO_SECONDS"))

settings = Settings.from_env(os.environ)
app = create_app(settings, FakeServices(settings))  # type: ignore[arg-type]
