"""The steps of `dev.py test`: a command that hangs fails its step and leaves nothing behind."""

import pathlib
import sys
import time

import pytest

from dev import tests as steps

ROOT = pathlib.Path(__file__).parents[2]
HERE = pathlib.Path(sys.executable)

#: Starts a process that ignores polite requests, tells both pids, and then waits for ever.
HANGS = """
import pathlib, subprocess, sys, time
code = "import signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN); time.sleep(600)"
child = subprocess.Popen([sys.executable, "-c", code])
pathlib.Path(sys.argv[1]).write_text(str(child.pid))
time.sleep(600)
"""


def alive(pid: int) -> bool:
    """Whether the process runs; one that only waits to be reaped does not."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize(("code", "passed"), [("raise SystemExit(0)", True), ("raise SystemExit(3)", False)])
def test_a_step_passes_when_its_command_does(code: str, passed: bool) -> None:
    assert steps._call(ROOT, [sys.executable, "-c", code], HERE, 60) is passed


@pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")
def test_a_command_that_hangs_is_ended_with_all_that_it_started(
    tmp_path: pathlib.Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    told = tmp_path / "pid"
    monkeypatch.setattr(steps, "GRACE", 1)
    assert steps._call(ROOT, [sys.executable, "-c", HANGS, str(told)], HERE, 15) is False
    assert "not done after 15 seconds" in capfd.readouterr().out
    child = int(told.read_text())
    end = time.monotonic() + 30
    while alive(child) and time.monotonic() < end:
        time.sleep(0.05)
    assert not alive(child)


def test_every_step_has_a_limit_and_every_file_of_tests_another() -> None:
    for step in ("js", "devtools", "browser"):
        assert 0 < steps.FILE_LIMIT[step] < 1000 * steps.LIMITS.get(step, steps.LIMIT)
    assert any(part.startswith("--test-timeout=") for part in steps._node(ROOT, "browser"))
