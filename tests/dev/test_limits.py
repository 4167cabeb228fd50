"""A step that hangs is cut short, with everything it started."""

import pathlib
import sys
import time

import pytest

from dev.tests import LIMITS, STEPS, call

HANGS = "import subprocess, sys, time; p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']); "


def running(pid: int) -> bool:
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def test_what_hangs_is_ended_with_its_children(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    note = tmp_path / "child"
    code = HANGS + f"open({str(note)!r}, 'w').write(str(p.pid)); time.sleep(600)"
    python = pathlib.Path(sys.executable)
    limit = 2.0
    while not note.exists():  # a machine so busy that the process had not begun gets more time
        assert not call(tmp_path, [sys.executable, "-c", code], python, limit)
        limit *= 2
    assert "so it is ended" in capsys.readouterr().out
    while running(int(note.read_text())):  # the kernel takes its time, the test's own limit ends this
        time.sleep(0.05)


@pytest.mark.parametrize(("code", "well"), [(0, True), (3, False)])
def test_what_ends_by_itself_is_judged_by_its_code(tmp_path: pathlib.Path, code: int, well: bool) -> None:
    command = [sys.executable, "-c", f"raise SystemExit({code})"]
    assert call(tmp_path, command, pathlib.Path(sys.executable), 60) == well


def test_every_step_has_a_limit() -> None:
    assert set(LIMITS) == set(STEPS)
    assert sum(LIMITS.values()) < 5400
