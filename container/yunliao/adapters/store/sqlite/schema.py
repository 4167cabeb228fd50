"""The numbered list of migrations. A step once released is never changed: the next step changes what it made."""

import sqlite3

from yunliao.adapters.store.sqlite.database import Database, rows


def _first(connection: sqlite3.Connection) -> None:
    for statement in (
        "CREATE TABLE secrets (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID",
        "CREATE TABLE users (id TEXT PRIMARY KEY, wrapped_key BLOB NOT NULL, sealed_openid BLOB NOT NULL,"
        " created_at INTEGER NOT NULL, suspended_until INTEGER NOT NULL DEFAULT 0,"
        " consent_version TEXT NOT NULL DEFAULT '', consent_at INTEGER NOT NULL DEFAULT 0,"
        " consent_overseas INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID",
        "CREATE TABLE conversations (id TEXT PRIMARY KEY, user_id TEXT NOT NULL, created_at INTEGER NOT NULL,"
        " last_activity_at INTEGER NOT NULL, sealed_title BLOB NOT NULL, titled TEXT NOT NULL,"
        " sealed_snippet BLOB NOT NULL, deleted_at INTEGER NOT NULL DEFAULT 0, live_turn_id TEXT NOT NULL DEFAULT '')",
        "CREATE INDEX conversations_by_activity ON conversations (user_id, last_activity_at, id)",
        "CREATE INDEX conversations_deleted ON conversations (deleted_at) WHERE deleted_at > 0",
        "CREATE TABLE messages (id TEXT PRIMARY KEY, user_id TEXT NOT NULL, conversation_id TEXT NOT NULL,"
        " turn_id TEXT NOT NULL, role TEXT NOT NULL, sealed_body BLOB NOT NULL, created_at INTEGER NOT NULL,"
        " state TEXT NOT NULL, hidden INTEGER NOT NULL, end_reason TEXT, error_code TEXT NOT NULL,"
        " sealed_feedback BLOB NOT NULL)",
        "CREATE INDEX messages_by_time ON messages (conversation_id, created_at, id)",
        "CREATE INDEX messages_by_user ON messages (user_id)",
        "CREATE TABLE turns (id TEXT PRIMARY KEY, user_id TEXT NOT NULL, conversation_id TEXT NOT NULL,"
        " client_id TEXT NOT NULL, fingerprint BLOB NOT NULL, kind TEXT NOT NULL, model TEXT NOT NULL,"
        " user_message_id TEXT NOT NULL, answer_message_id TEXT NOT NULL, source_turn_id TEXT NOT NULL,"
        " state TEXT NOT NULL, owner TEXT NOT NULL, lease_until INTEGER NOT NULL, stop_requested INTEGER NOT NULL,"
        " takeovers INTEGER NOT NULL, last_seq INTEGER NOT NULL, created_at INTEGER NOT NULL,"
        " ended_at INTEGER NOT NULL, end_reason TEXT, error_code TEXT NOT NULL, sealed_principal BLOB NOT NULL,"
        " events_expired INTEGER NOT NULL DEFAULT 0)",
        "CREATE UNIQUE INDEX turns_by_client_id ON turns (user_id, client_id)",
        "CREATE INDEX turns_by_time ON turns (user_id, created_at)",
        # The rule of one live turn a user, said a second time where no mistake above can break it.
        "CREATE UNIQUE INDEX turns_live ON turns (user_id) WHERE state <> 'ended'",
        "CREATE INDEX turns_leases ON turns (lease_until) WHERE state <> 'ended'",
        "CREATE INDEX turns_by_conversation ON turns (conversation_id)",
        "CREATE INDEX turns_with_events ON turns (ended_at) WHERE state = 'ended' AND events_expired = 0",
        "CREATE TABLE events (turn_id TEXT NOT NULL, seq INTEGER NOT NULL, body BLOB NOT NULL,"
        " created_at INTEGER NOT NULL, PRIMARY KEY (turn_id, seq)) WITHOUT ROWID",
        "CREATE TABLE tickets (hash TEXT PRIMARY KEY, sealed_principal BLOB NOT NULL, expires_at INTEGER NOT NULL)"
        " WITHOUT ROWID",
        "CREATE INDEX tickets_expiry ON tickets (expires_at)",
    ):
        connection.execute(statement)


def _registers(connection: sqlite3.Connection) -> None:
    connection.execute(
        "CREATE TABLE registers (name TEXT PRIMARY KEY, version INTEGER NOT NULL, value BLOB NOT NULL) WITHOUT ROWID"
    )


def _ledger(connection: sqlite3.Connection) -> None:
    for statement in (
        "ALTER TABLE turns ADD COLUMN price_version TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE turns ADD COLUMN reserved INTEGER NOT NULL DEFAULT 0",
        "CREATE INDEX turns_priced ON turns (user_id) WHERE price_version <> ''",
        "CREATE TABLE accounts (user_id TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID",
        "CREATE TABLE entries (user_id TEXT NOT NULL, number INTEGER NOT NULL, reference TEXT NOT NULL,"
        " kind TEXT NOT NULL, debit TEXT NOT NULL, credit TEXT NOT NULL, amount INTEGER NOT NULL, at INTEGER NOT NULL,"
        " price_version TEXT NOT NULL, note TEXT NOT NULL, detail BLOB NOT NULL, PRIMARY KEY (user_id, number))"
        " WITHOUT ROWID",
        # What is repeated changes nothing: said a second time where no mistake elsewhere can break it.
        "CREATE UNIQUE INDEX entries_once ON entries (user_id, reference, kind)",
        "CREATE TABLE codes (hash TEXT PRIMARY KEY, amount INTEGER NOT NULL, uses INTEGER NOT NULL,"
        " expires_at INTEGER NOT NULL, days INTEGER NOT NULL, batch TEXT NOT NULL, created_at INTEGER NOT NULL)"
        " WITHOUT ROWID",
    ):
        connection.execute(statement)


def _people(connection: sqlite3.Connection) -> None:
    for statement in (
        "ALTER TABLE users ADD COLUMN key_id TEXT NOT NULL DEFAULT ''",
        "CREATE TABLE consents (user_id TEXT NOT NULL, at INTEGER NOT NULL, version TEXT NOT NULL,"
        " overseas INTEGER NOT NULL)",
        "CREATE INDEX consents_by_user ON consents (user_id, at)",
        "CREATE INDEX conversations_by_id ON conversations (user_id, id)",
        "CREATE INDEX turns_by_id ON turns (user_id, id)",
    ):
        connection.execute(statement)


def _retention(connection: sqlite3.Connection) -> None:
    for statement in (
        "CREATE INDEX messages_of_user ON messages (user_id, created_at, id)",
        "CREATE INDEX messages_by_age ON messages (created_at)",
        "CREATE INDEX conversations_by_age ON conversations (last_activity_at)",
        "CREATE TABLE verdicts (id TEXT PRIMARY KEY, at INTEGER NOT NULL, user_id TEXT NOT NULL, turn_id TEXT NOT NULL,"
        " place TEXT NOT NULL, layer TEXT NOT NULL, suggest TEXT NOT NULL, label INTEGER NOT NULL,"
        " trace_id TEXT NOT NULL, request_id TEXT NOT NULL)",
        "CREATE INDEX verdicts_by_time ON verdicts (at, id)",
        "CREATE INDEX verdicts_of_user ON verdicts (user_id, at, id)",
        "CREATE TABLE verdict_passes (day INTEGER NOT NULL, place TEXT NOT NULL, passes INTEGER NOT NULL,"
        " PRIMARY KEY (day, place)) WITHOUT ROWID",
    ):
        connection.execute(statement)


def _operators(connection: sqlite3.Connection) -> None:
    for statement in (
        "ALTER TABLE users ADD COLUMN cooling_until INTEGER NOT NULL DEFAULT 0",
        "CREATE TABLE cards (kind TEXT NOT NULL, id TEXT NOT NULL, at INTEGER NOT NULL, version INTEGER NOT NULL,"
        " owner TEXT NOT NULL, state TEXT NOT NULL, expires_at INTEGER NOT NULL, body BLOB NOT NULL,"
        " PRIMARY KEY (kind, id))",
        "CREATE INDEX cards_by_time ON cards (kind, at, id)",
        "CREATE INDEX cards_by_state ON cards (kind, state, at, id)",
        "CREATE INDEX cards_of_owner ON cards (owner, kind)",
        "CREATE INDEX cards_expiry ON cards (expires_at) WHERE expires_at > 0",
        "CREATE TABLE audit (seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, body BLOB NOT NULL, mac BLOB NOT NULL)",
    ):
        connection.execute(statement)


def _once(connection: sqlite3.Connection) -> None:
    connection.execute(
        "CREATE TABLE once (name TEXT PRIMARY KEY, token TEXT NOT NULL, expires_at INTEGER NOT NULL) WITHOUT ROWID"
    )
    connection.execute("CREATE INDEX once_expiry ON once (expires_at)")


def _tallies(connection: sqlite3.Connection) -> None:
    connection.execute(
        "CREATE TABLE tallies (span TEXT NOT NULL, at INTEGER NOT NULL, source TEXT NOT NULL, version INTEGER NOT NULL,"
        " body BLOB NOT NULL, PRIMARY KEY (span, at, source)) WITHOUT ROWID"
    )


MIGRATIONS = (
    ("0001_first", _first),
    ("0002_registers", _registers),
    ("0003_ledger", _ledger),
    ("0004_people", _people),
    ("0005_retention", _retention),
    ("0006_operators", _operators),
    ("0007_once", _once),
    ("0008_tallies", _tallies),
)


def migrate(database: Database) -> list[str]:
    """Apply what is missing, each step in one transaction that keeps other processes out; names of what was applied."""
    with database.write() as connection:
        return apply(connection, {name for name, _ in MIGRATIONS})


def apply(connection: sqlite3.Connection, wanted: set[str]) -> list[str]:
    """Apply those of `wanted` that are missing, within a transaction; names of what was applied."""
    applied = []
    connection.execute("CREATE TABLE IF NOT EXISTS migrations (name TEXT PRIMARY KEY) WITHOUT ROWID")
    done = {found["name"] for found in rows(connection, "SELECT name FROM migrations")}
    for name, step in MIGRATIONS:
        if name in wanted and name not in done:
            step(connection)
            connection.execute("INSERT INTO migrations VALUES (?)", (name,))
            applied.append(name)
    return applied
