-- Somebody vouched that the device is one machine, whatever its machine id says.
ALTER TABLE devices ADD COLUMN vouched INTEGER NOT NULL DEFAULT 0;
