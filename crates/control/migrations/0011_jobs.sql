-- What takes long: each job with its outcome. Those that are not over are taken up again when control starts.
CREATE TABLE jobs (
    id      TEXT PRIMARY KEY,
    kind    TEXT NOT NULL,
    caller  TEXT NOT NULL,                   -- JSON
    device  TEXT,                            -- null where it concerns several; kept after the device is removed
    request TEXT NOT NULL,                   -- JSON: what is done to each target
    state   TEXT NOT NULL,
    step    TEXT NOT NULL,
    lines   TEXT NOT NULL,                   -- JSON: the last lines of what it did, and how many came before
    began   INTEGER NOT NULL,
    ended   INTEGER,                         -- null until it is over
    outcome TEXT                             -- JSON: why it is not done
) STRICT;

CREATE INDEX jobs_by_end ON jobs (ended);
CREATE INDEX jobs_by_device ON jobs (device, kind);

-- The parts of a job, each of which one device is told under an id of its own.
CREATE TABLE job_acts (
    job_id  TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    nth     INTEGER NOT NULL,
    id      TEXT NOT NULL UNIQUE,
    target  TEXT NOT NULL,                   -- JSON: what of which device it acts on
    outcome TEXT,                            -- JSON; null until it is over
    PRIMARY KEY (job_id, nth)
) STRICT;
