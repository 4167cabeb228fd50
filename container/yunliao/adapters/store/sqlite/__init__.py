"""The SQLite store: development, tests, trials and single-instance installations."""

from yunliao.adapters.store.sqlite.store import SqliteStore

__all__ = ["SqliteStore"]
