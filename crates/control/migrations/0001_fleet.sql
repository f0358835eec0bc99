-- Moments are milliseconds since 1970 UTC. Ids are UUIDs as text. JSON columns hold values of the protocol.

CREATE TABLE fleet (
    singleton       INTEGER PRIMARY KEY CHECK (singleton = 1),
    id              TEXT NOT NULL,
    name            TEXT,
    mesh_cidr       TEXT NOT NULL,
    starting_policy TEXT,
    created         INTEGER NOT NULL
) STRICT;

CREATE TABLE devices (
    id            TEXT PRIMARY KEY,
    name          TEXT NOT NULL UNIQUE,
    mode          TEXT NOT NULL,
    relay         TEXT NOT NULL,
    tags          TEXT NOT NULL,             -- JSON array
    mesh_ip       TEXT NOT NULL UNIQUE,
    this_computer INTEGER NOT NULL,
    created       INTEGER NOT NULL,
    enrolled      INTEGER,                   -- null while pending
    revoked       INTEGER,
    credential    TEXT,                      -- JSON: the one in use
    incoming      TEXT,                      -- JSON: issued, and never yet seen on a link
    imposter      TEXT,                      -- JSON: the last machine that presented this identity and was turned away
    last_seen     INTEGER
) STRICT;

CREATE TABLE tokens (
    id         TEXT PRIMARY KEY,
    device_id  TEXT NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
    hash       BLOB NOT NULL,
    created    INTEGER NOT NULL,
    expires    INTEGER NOT NULL,
    withdrawn  INTEGER,
    used       INTEGER,
    used_key   TEXT,                         -- pin of the key that it enrolled
    chain      TEXT,                         -- the certificate that it got, PEM
    stages     TEXT NOT NULL,                -- JSON array
    failure    TEXT                          -- JSON: the last refused attempt
) STRICT;

CREATE INDEX tokens_by_device ON tokens (device_id, created);

-- What each device last told, so that its rows survive a restart of control.
CREATE TABLE inventory (
    device_id TEXT PRIMARY KEY REFERENCES devices (id) ON DELETE CASCADE,
    heard     INTEGER NOT NULL,
    known     TEXT NOT NULL                  -- JSON
) STRICT;

-- Each entry holds the hash of itself and the one before.
CREATE TABLE activity (
    id        INTEGER PRIMARY KEY,           -- from 1, without gaps
    at        INTEGER NOT NULL,
    actor     TEXT NOT NULL,                 -- JSON
    action    TEXT NOT NULL,
    target    TEXT,
    device_id TEXT,                          -- kept after the device is removed
    device    TEXT,
    succeeded INTEGER NOT NULL,
    details   TEXT NOT NULL,
    hash      BLOB NOT NULL
) STRICT;
