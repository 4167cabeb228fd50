"""The image starts the container as everything else does, and installs only what the lock names."""

import json
import re
import runpy
from pathlib import Path

import pytest

from cloudrun.instances import GUNICORN

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")


def test_the_command_is_the_one_of_every_other_way_to_start() -> None:
    command = json.loads(re.findall(r"^CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)[-1])
    assert command == ["gunicorn", "-c", "gunicorn.conf.py", "wsgi:app"]
    assert list(GUNICORN)[-3:] == command[1:]


def test_the_image_is_staged_locked_and_not_root() -> None:
    bases = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert bases == ["debian:bookworm-slim", "base", "base"]
    assert "--require-hashes" in DOCKERFILE
    assert re.findall(r"^USER (\S+)$", DOCKERFILE, re.MULTILINE)[-1] not in ("root", "0")
    assert "ca-certificates" in DOCKERFILE


@pytest.mark.parametrize(("given", "bind"), [("", "0.0.0.0:80"), ("8123", "0.0.0.0:8123")])
def test_the_servers_settings(monkeypatch: pytest.MonkeyPatch, given: str, bind: str) -> None:
    monkeypatch.delenv("PORT", raising=False)
    if given:
        monkeypatch.setenv("PORT", given)
    monkeypatch.setenv("YUNLIAO_GRACE_SECONDS", "7")
    configuration = runpy.run_path(str(ROOT / "container" / "gunicorn.conf.py"))
    assert configuration["bind"] == bind
    assert (configuration["worker_class"], configuration["workers"]) == ("gevent", 1)
    assert configuration["header_map"] == "drop"
    assert configuration["control_socket_disable"] is True
    assert configuration["accesslog"] is None
    assert configuration["graceful_timeout"] > 7
    assert "preload_app" not in configuration
