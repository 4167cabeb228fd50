"""For every test: what a test starts, it ends."""

import threading
import time

import pytest

PATIENCE = 30.0


@pytest.fixture(scope="session", autouse=True)
def no_thread_is_left() -> object:
    """A thread that is no daemon keeps the whole run from ending: it is named instead."""
    yield
    until = time.monotonic() + PATIENCE
    while (left := _left()) and time.monotonic() < until:
        time.sleep(0.05)
    for thread in left:
        thread._daemonic = True  # type: ignore[attr-defined]  so that the run ends and tells
        getattr(threading, "_shutdown_locks", set()).discard(getattr(thread, "_tstate_lock", None))
    assert not left, f"still running: {[thread.name for thread in left]}"


def _left() -> list[threading.Thread]:
    return [one for one in threading.enumerate() if one is not threading.main_thread() and not one.daemon]
