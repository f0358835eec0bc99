-- Secrets with which programs call the API; revoked ones are removed.
CREATE TABLE api_tokens (
    id        TEXT PRIMARY KEY,              -- public: the part of the token before its dot
    name      TEXT NOT NULL UNIQUE,
    hash      BLOB NOT NULL,
    granted   TEXT NOT NULL,                 -- JSON: roles, verbs, scope
    created   INTEGER NOT NULL,
    expires   INTEGER NOT NULL,
    last_used INTEGER
) STRICT;
