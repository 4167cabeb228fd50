"""The mark that a store is being filled from a backup: while it stands nobody may use the store (docs/backup.md)."""

from yunliao.adapters.store.mongo.database import Database

LEASES = "leases"
MARK = "restore"


def begin(database: Database) -> None:
    """From here on what is stored is not whole."""
    with database.call():
        database[LEASES].update_one({"_id": MARK}, {"$currentDate": {"since": True}}, upsert=True)


def end(database: Database) -> None:
    """It is whole again."""
    with database.call():
        database[LEASES].delete_one({"_id": MARK})


def unfinished(database: Database) -> bool:
    """Whether a restore is under way, or was cut off."""
    with database.call():
        return database[LEASES].find_one({"_id": MARK}) is not None
