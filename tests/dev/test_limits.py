"""A step that hangs is cut short, with everything it started."""

import pathlib
import subprocess
import sys
import time

from dev.tests import LIMITS, STEPS, ended

HANGS = "import subprocess, sys, time; p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']); "


def running(pid: int) -> bool:
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def test_what_hangs_is_ended_with_its_children(tmp_path: pathlib.Path) -> None:
    note = tmp_path / "child"
    code = HANGS + f"open({str(note)!r}, 'w').write(str(p.pid)); time.sleep(600)"
    process = subprocess.Popen([sys.executable, "-c", code], start_new_session=True)
    while not (note.exists() and note.read_text()):
        time.sleep(0.05)
    assert ended(process, 0.1) != 0
    while running(int(note.read_text())):  # the kernel takes its time, the test's own limit ends this
        time.sleep(0.05)


def test_what_ends_by_itself_keeps_its_code() -> None:
    for code in (0, 3):
        process = subprocess.Popen([sys.executable, "-c", f"raise SystemExit({code})"], start_new_session=True)
        assert ended(process, 60) == code


def test_every_step_has_a_limit() -> None:
    assert set(LIMITS) == set(STEPS)
    assert sum(LIMITS.values()) < 5400
