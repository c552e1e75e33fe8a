-- Schema version 1. Table and column names follow the migration strategy document; docs/database.md explains each table.
-- Times are UTC text of 30 characters (YYYY-MM-DDTHH:MM:SS.nnnnnnnnnZ): they sort as text and keep nanoseconds.

CREATE TABLE schema_version (
    version INTEGER PRIMARY KEY,
    applied_at TEXT NOT NULL CHECK (applied_at GLOB '????-??-??T??:??:??.?????????Z'),
    description TEXT,
    checksum TEXT NOT NULL CHECK (length(checksum) = 64)
) STRICT;

CREATE TABLE schema_info (
    key TEXT PRIMARY KEY NOT NULL,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Index of the tree: derived from tree_entry's bytes, changed in the same transaction, never a second truth.

CREATE TABLE sbi (
    id TEXT PRIMARY KEY NOT NULL CHECK (id GLOB 'SBI-*' AND length(id) = 30),
    task_id TEXT NOT NULL,
    label TEXT,
    priority INTEGER NOT NULL DEFAULT 0,
    status TEXT NOT NULL CHECK (status IN ('READY', 'WIP', 'REVIEW', 'REVIEW&WIP', 'DONE')),
    created_at TEXT NOT NULL CHECK (created_at GLOB '????-??-??T??:??:??.?????????Z'),
    updated_at TEXT NOT NULL CHECK (updated_at GLOB '????-??-??T??:??:??.?????????Z'),
    completed_at TEXT CHECK (completed_at GLOB '????-??-??T??:??:??.?????????Z'),
    metadata TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(metadata)),
    path BLOB NOT NULL UNIQUE
) STRICT, WITHOUT ROWID;

CREATE TABLE content (
    id INTEGER PRIMARY KEY,
    sha256 TEXT NOT NULL CHECK (length(sha256) = 64),
    size INTEGER NOT NULL CHECK (size >= 0),
    bytes BLOB,
    -- Above 1 MiB the bytes are rows of content_chunk.
    CHECK ((bytes IS NULL) = (size > 1048576)),
    CHECK (bytes IS NULL OR length(bytes) = size)
) STRICT;

CREATE TABLE content_chunk (
    content_id INTEGER NOT NULL REFERENCES content (id),
    seq INTEGER NOT NULL CHECK (seq >= 0),
    bytes BLOB NOT NULL CHECK (length(bytes) BETWEEN 1 AND 1048576),
    UNIQUE (content_id, seq)
) STRICT;

CREATE TABLE execution (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    sbi_id TEXT NOT NULL REFERENCES sbi (id),
    run INTEGER NOT NULL DEFAULT 1 CHECK (run >= 1),
    turn INTEGER NOT NULL CHECK (turn >= 1),
    step TEXT NOT NULL CHECK (step <> ''),
    status TEXT NOT NULL,
    decision TEXT,
    attempt INTEGER NOT NULL DEFAULT 1,
    started_at TEXT NOT NULL CHECK (started_at GLOB '????-??-??T??:??:??.?????????Z'),
    completed_at TEXT CHECK (completed_at GLOB '????-??-??T??:??:??.?????????Z'),
    lease_expires_at TEXT CHECK (lease_expires_at GLOB '????-??-??T??:??:??.?????????Z'),
    -- TEXT when the bytes are proven well-formed UTF-8 without NUL, else BLOB; NULL when there is no artifact, or when it
    -- is above 1 MiB and tree_entry.content_id of the same path has it.
    content ANY CHECK (content IS NULL OR typeof(content) IN ('text', 'blob')),
    path BLOB,
    metadata TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(metadata)),
    UNIQUE (sbi_id, run, turn, step)
) STRICT;

CREATE TABLE config (
    key TEXT PRIMARY KEY NOT NULL,
    value TEXT NOT NULL CHECK (json_valid(value)),
    updated_at TEXT NOT NULL CHECK (updated_at GLOB '????-??-??T??:??:??.?????????Z'),
    path BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE audit_log (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    timestamp TEXT NOT NULL CHECK (timestamp GLOB '????-??-??T??:??:??.?????????Z'),
    entity_type TEXT NOT NULL,
    entity_id TEXT NOT NULL,
    action TEXT NOT NULL,
    old_value TEXT CHECK (json_valid(old_value)),
    new_value TEXT CHECK (json_valid(new_value)),
    user TEXT,
    session_id TEXT,
    -- The journal transaction of the tree that this row was derived from.
    path BLOB UNIQUE
) STRICT;

-- The record: every path of the tree. All other content tables hang on it.

CREATE TABLE tree_entry (
    path BLOB PRIMARY KEY NOT NULL CHECK (length(path) > 0),
    kind TEXT NOT NULL CHECK (kind IN ('f', 'd', 'l')),
    mode INTEGER NOT NULL CHECK (mode BETWEEN 0 AND 4095),
    mtime_ns INTEGER NOT NULL,
    sha256 TEXT NOT NULL CHECK (length(sha256) = CASE kind WHEN 'd' THEN 0 ELSE 64 END),
    size INTEGER NOT NULL CHECK (size >= 0),
    content_id INTEGER REFERENCES content (id),
    execution_id INTEGER REFERENCES execution (id),
    state TEXT NOT NULL DEFAULT 'stored' CHECK (state IN ('stored', 'quarantined')),
    reason TEXT,
    rev INTEGER NOT NULL,
    CHECK ((content_id IS NOT NULL) + (execution_id IS NOT NULL) = CASE kind WHEN 'd' THEN 0 ELSE 1 END),
    CHECK ((reason IS NULL) = (state = 'stored'))
) STRICT, WITHOUT ROWID;

CREATE TABLE storage_state (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    mode TEXT NOT NULL CHECK (mode IN ('file', 'dual_write', 'sqlite', 'sqlite_only')),
    epoch INTEGER NOT NULL CHECK (epoch >= 1),
    store_id TEXT NOT NULL,
    rev INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE evidence (
    run_id TEXT PRIMARY KEY NOT NULL,
    action TEXT NOT NULL CHECK (action IN ('migrate', 'verify')),
    at TEXT NOT NULL CHECK (at GLOB '????-??-??T??:??:??.?????????Z'),
    version TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    digest TEXT CHECK (length(digest) = 64),
    -- Digest of every row of the other tables.
    record TEXT CHECK (length(record) = 64),
    entries INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    ignored_entries INTEGER NOT NULL,
    ignored_bytes INTEGER NOT NULL,
    differences INTEGER NOT NULL,
    -- Of the columns above.
    checksum TEXT NOT NULL CHECK (length(checksum) = 64),
    CHECK ((record IS NULL) = (action = 'verify'))
) STRICT, WITHOUT ROWID;

CREATE INDEX idx_sbi_status ON sbi (status);
CREATE INDEX idx_sbi_created ON sbi (created_at);
CREATE INDEX idx_sbi_list ON sbi (status, created_at, id, task_id, label);
CREATE INDEX idx_execution_sbi ON execution (sbi_id);
CREATE INDEX idx_execution_turn ON execution (sbi_id, turn);
CREATE INDEX idx_audit_entity ON audit_log (entity_type, entity_id);
CREATE INDEX idx_audit_timestamp ON audit_log (timestamp);
CREATE INDEX idx_config_path ON config (path);
CREATE INDEX idx_tree_entry_content ON tree_entry (content_id) WHERE content_id IS NOT NULL;
CREATE INDEX idx_tree_entry_execution ON tree_entry (execution_id) WHERE execution_id IS NOT NULL;
CREATE INDEX idx_tree_entry_quarantined ON tree_entry (path) WHERE state = 'quarantined';
CREATE INDEX idx_evidence_at ON evidence (at);

CREATE VIEW recent_executions AS
SELECT * FROM execution
WHERE started_at > strftime('%Y-%m-%dT%H:%M:%S', 'now', '-30 days');

INSERT INTO schema_info (key, value) VALUES ('version', '1');
