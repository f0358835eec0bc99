-- Addresses of control that people added: JSON array.
ALTER TABLE fleet ADD COLUMN added_endpoints TEXT NOT NULL DEFAULT '[]';

-- Devices that can't dial control: on a port of their loopback, ssh listens for them.
CREATE TABLE tunnels (
    device_id TEXT PRIMARY KEY REFERENCES devices (id) ON DELETE CASCADE,
    host      TEXT NOT NULL,                 -- as the owner named it
    port      INTEGER NOT NULL
) STRICT;
