-- Every policy that was saved, whole. The one with the highest revision is in force.
CREATE TABLE policies (
    revision INTEGER PRIMARY KEY,            -- from 1, without gaps
    policy   TEXT NOT NULL,                  -- JSON
    saved    INTEGER NOT NULL,
    saved_by TEXT NOT NULL
) STRICT;

-- Networks that the device routed when it enrolled: JSON array.
ALTER TABLE devices ADD COLUMN routes TEXT NOT NULL DEFAULT '[]';

-- JSON: where it passes other devices' packets on; null while it does not.
ALTER TABLE devices ADD COLUMN relaying TEXT;

-- The key that it had on the mesh when it was revoked: relays are told, since its ticket counts for a while yet.
ALTER TABLE devices ADD COLUMN revoked_key TEXT;
