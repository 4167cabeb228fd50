"""Identifiers: shape, order by time, no repetition."""


from tests.fakes.clock import *  # noqa: F403  (placeholder replaced below)
