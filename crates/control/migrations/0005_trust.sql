-- Every key that was ever on the mesh, also of devices that were removed: a key enrolls once.
CREATE TABLE mesh_keys (
    key       TEXT PRIMARY KEY,              -- X25519, base64
    device_id TEXT NOT NULL,
    ended     INTEGER                        -- when it stopped being that device's; null while it is
) STRICT;

INSERT OR IGNORE INTO mesh_keys (key, device_id)
    SELECT json_extract(credential, '$.wireguard_key'), id FROM devices WHERE credential IS NOT NULL;
INSERT OR IGNORE INTO mesh_keys (key, device_id)
    SELECT json_extract(incoming, '$.wireguard_key'), id FROM devices WHERE incoming IS NOT NULL;
INSERT OR IGNORE INTO mesh_keys (key, device_id, ended)
    SELECT revoked_key, id, COALESCE(revoked, created) FROM devices WHERE revoked_key IS NOT NULL;

ALTER TABLE devices DROP COLUMN revoked_key;

-- Where the activity log begins after its oldest entries were let go: the number and the hash of the last of those.
CREATE TABLE activity_anchor (
    singleton INTEGER PRIMARY KEY CHECK (singleton = 1),
    id        INTEGER NOT NULL,
    hash      BLOB NOT NULL
) STRICT;
