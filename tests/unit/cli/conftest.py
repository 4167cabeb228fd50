"""The command line over real services: a SQLite file, and settings as a process gets them."""

import base64
import io
from collections.abc import Callable
from pathlib import Path

import pytest

from yunliao import cli

KEYS = {name: base64.b64encode(bytes(range(start, start + 32))).decode() for name, start in (("k1", 0), ("k2", 40))}
Run = Callable[..., tuple[int, str]]


def environment(folder: Path, **changes: str) -> dict[str, str]:
    return {
        "YUNLIAO_ENV": "development",
        "YUNLIAO_RELAY_URL": "http://127.0.0.1:9/v1",
        "YUNLIAO_MODEL": "demo",
        "YUNLIAO_MASTER_KEYS": f"k1:{KEYS['k1']}",
        "YUNLIAO_STORE_URL": f"sqlite:///{folder}/trial.db",
        **changes,
    }


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run a command; its exit code and what it wrote."""

    def command(*arguments: str, **changes: str) -> tuple[int, str]:
        out = io.StringIO()
        return cli.main(list(arguments), environment(tmp_path, **changes), out), out.getvalue()

    return command
