-- Until when the last relay ticket counts that control gave out, however wrong its clock was: never earlier.
CREATE TABLE tickets (
    singleton INTEGER PRIMARY KEY CHECK (singleton = 1),
    until     INTEGER NOT NULL
) STRICT;

-- Until when relays are told not to serve a key that ended; null while it is its device's.
ALTER TABLE mesh_keys ADD COLUMN barred_until INTEGER;

UPDATE mesh_keys SET barred_until = ended + 3024000000 WHERE ended IS NOT NULL;
