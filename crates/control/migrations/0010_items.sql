-- What each device's engine holds, one row per thing, so that a change of one thing writes one row.
CREATE TABLE items (
    device_id TEXT NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
    kind      TEXT NOT NULL,                 -- container, image, volume, network, stack
    key       TEXT NOT NULL,                 -- the engine's id, or the name of what has none
    item      TEXT NOT NULL,                 -- JSON
    PRIMARY KEY (device_id, kind, key)
) STRICT;

INSERT OR IGNORE INTO items (device_id, kind, key, item)
    SELECT device_id, 'container', json_extract(value, '$.id'), value
    FROM inventory, json_each(CASE WHEN json_valid(known) THEN known ELSE '{}' END, '$.inventory.containers');
INSERT OR IGNORE INTO items (device_id, kind, key, item)
    SELECT device_id, 'image', json_extract(value, '$.id'), value
    FROM inventory, json_each(CASE WHEN json_valid(known) THEN known ELSE '{}' END, '$.inventory.images');
INSERT OR IGNORE INTO items (device_id, kind, key, item)
    SELECT device_id, 'volume', json_extract(value, '$.name'), value
    FROM inventory, json_each(CASE WHEN json_valid(known) THEN known ELSE '{}' END, '$.inventory.volumes');
INSERT OR IGNORE INTO items (device_id, kind, key, item)
    SELECT device_id, 'network', json_extract(value, '$.id'), value
    FROM inventory, json_each(CASE WHEN json_valid(known) THEN known ELSE '{}' END, '$.inventory.networks');
INSERT OR IGNORE INTO items (device_id, kind, key, item)
    SELECT device_id, 'stack', json_extract(value, '$.name'), value
    FROM inventory, json_each(CASE WHEN json_valid(known) THEN known ELSE '{}' END, '$.inventory.stacks');

-- What each device last told of itself: its machine, its engine, its place in the mesh.
CREATE TABLE last_reports (
    device_id TEXT PRIMARY KEY REFERENCES devices (id) ON DELETE CASCADE,
    known     TEXT NOT NULL                  -- JSON
) STRICT;

INSERT INTO last_reports (device_id, known)
    SELECT device_id, json_remove(known, '$.inventory') FROM inventory WHERE json_valid(known);

DROP TABLE inventory;
