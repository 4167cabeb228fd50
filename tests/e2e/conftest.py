"""The real container by its real gunicorn command, two instances behind the local Cloud Run."""

import itertools
from collections.abc import Callable, Iterator

import pytest

from cloudrun.local import LocalCloudRun
from tests.e2e.phone import Phone

CANARY = "canaryword7731"
SETTINGS = {
    "YUNLIAO_RATE_LIMIT": "1000/minute",
    "YUNLIAO_LEASE_SECONDS": "2",
    "YUNLIAO_RELAY_SILENCE_SECONDS": "3",
    "YUNLIAO_RELAY_FIRST_BYTE_SECONDS": "4",
    "YUNLIAO_GRACE_SECONDS": "5",
    "YUNLIAO_JOBS_SECRET": f"secret-{CANARY}-jobs",
}
_users = itertools.count(1)


@pytest.fixture(scope="package")
def running() -> Iterator[LocalCloudRun]:
    with LocalCloudRun(instances=2, env=SETTINGS) as cloud:
        yield cloud


@pytest.fixture
def cloud(running: LocalCloudRun) -> Iterator[LocalCloudRun]:
    """Both instances up, every switch at rest, a fast relay."""
    running.reset()
    running.relay(first_token_ms=0, tokens_per_second=0)
    for instance in running.state()["instances"]:
        if instance["state"] != "ready":
            running.start(instance["n"])
    yield running
    running.reset()


@pytest.fixture
def new_phone(cloud: LocalCloudRun) -> Callable[[], Phone]:
    """Phones of users nobody has met yet."""
    return lambda: Phone(cloud.url, f"user-{next(_users)}")


@pytest.fixture
def phone(new_phone: Callable[[], Phone]) -> Phone:
    """A phone."""
    return new_phone()
