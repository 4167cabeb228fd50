"""The MongoDB store: production, many instances. Needs a replica set (or a sharded cluster), server 4.2 or newer.

Imported only when the address says so: the driver's import costs every cold start. docs/storage.md tells the layout.
"""

from yunliao.adapters.store.mongo.store import MongoStore

__all__ = ["MongoStore"]
