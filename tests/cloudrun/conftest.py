"""One local platform with two instances of the stand-in container for all tests that do not change who runs."""

import pytest

from cloudrun.local import LocalCloudRun
from tests.cloudrun.support import STANDIN, Phone, new_pool


@pytest.fixture(scope="session")
def pool():
    pool = new_pool()
    yield pool
    pool.clear()


@pytest.fixture(scope="session")
def running():
    with LocalCloudRun(instances=2, folder=STANDIN, grace=3) as cloud:
        yield cloud


@pytest.fixture
def cloud(running):
    """The platform with every switch at rest and nothing recorded."""
    running.reset()
    running.relay(first_token_ms=0, tokens_per_second=0)
    return running


@pytest.fixture
def phone(cloud, pool):
    return Phone(cloud.url, pool)
