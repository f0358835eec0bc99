-- Somebody decided for host networking although the engine is Docker Desktop's.
ALTER TABLE devices ADD COLUMN host_kept INTEGER NOT NULL DEFAULT 0;
