"""`dev.py screenshots`: a service of its own, with everything that has a picture, whatever options `run` grows."""

import argparse
import pathlib
import subprocess
from typing import Any

import pytest

from dev import operate, pictures, run, setup

ROOT = pathlib.Path(__file__).parents[2]


def test_the_service_is_started_with_models_and_prices_and_ended(
    monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    started: list[list[str]] = []
    ended: list[Any] = []

    def begin(command: list[str], **_: object) -> list[str]:
        started.append(command)
        return command

    def browse(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        started.append(command)
        return subprocess.CompletedProcess(command, 7)

    monkeypatch.setattr(setup, "venv", lambda *_: pathlib.Path("python"))
    monkeypatch.setattr(setup, "node", lambda *_, **__: True)
    monkeypatch.setattr(run, "wait_ready", lambda *_: None)
    monkeypatch.setattr(run, "stop", ended.extend)
    monkeypatch.setattr(operate, "account", lambda *_: "the-password")
    monkeypatch.setattr(subprocess, "Popen", begin)
    monkeypatch.setattr(subprocess, "run", browse)
    options = argparse.Namespace(out=str(tmp_path), only="chat", theme="dark", desk=True)
    assert pictures.take(ROOT, options) == 7
    preview, service, browser = started
    assert ended == [preview, service]
    assert [setting.split("=")[0] for setting in service if setting.startswith("YUNLIAO_")] == list(pictures.SETTINGS)
    assert {"--only", "chat", "--theme", "dark", "--desk", "--operator", "the-password", str(tmp_path)} <= set(browser)
