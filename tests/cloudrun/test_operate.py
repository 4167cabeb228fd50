"""The service's commands over a data folder of the local Cloud Run."""

import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).parents[2]


def operate(folder: pathlib.Path, *words: str) -> "subprocess.CompletedProcess[str]":
    environment = {name: value for name, value in os.environ.items() if not name.startswith("YUNLIAO_")}
    environment["PYTHONPATH"] = str(ROOT / "tools")
    return subprocess.run(
        [sys.executable, "-m", "cloudrun.operate", "--data", str(folder), *words],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_an_account_is_made_in_the_folder_it_is_meant_for(tmp_path: pathlib.Path) -> None:
    made = operate(tmp_path, "operators", "add", "alice", "--role", "owner")
    assert made.returncode == 0 and "alice: " in made.stdout
    assert (tmp_path / "yunliao.db").exists() and (tmp_path / "master-keys").exists()
    assert "alice" in operate(tmp_path, "operators", "list").stdout
    missing = operate(tmp_path / "nowhere", "operators", "list")
    assert missing.returncode == 2 and "no data folder" in missing.stderr
    assert not (tmp_path / "nowhere").exists()
