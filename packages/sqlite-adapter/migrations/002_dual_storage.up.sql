-- Schema version 2: what keeps files and database in step, and the chain of changes. docs/database.md explains each table.

-- What the files held at a path when both were last in step there. A row without an entry is a path that was removed.
CREATE TABLE projection (
    path BLOB PRIMARY KEY NOT NULL CHECK (length(path) > 0),
    kind TEXT NOT NULL CHECK (kind IN ('f', 'd', 'l')),
    mode INTEGER NOT NULL CHECK (mode BETWEEN 0 AND 4095),
    sha256 TEXT NOT NULL CHECK (length(sha256) = CASE kind WHEN 'd' THEN 0 ELSE 64 END),
    size INTEGER NOT NULL CHECK (size >= 0),
    mtime_ns INTEGER NOT NULL,
    ctime_ns INTEGER NOT NULL,
    -- Decimal text: an inode number has 64 bits without sign.
    ino TEXT NOT NULL CHECK (length(ino) BETWEEN 1 AND 20 AND ltrim(ino, '-0123456789') = ''),
    seen_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Paths whose files are behind the database: one row a path, of its newest change.
CREATE TABLE outbox (
    path BLOB PRIMARY KEY NOT NULL CHECK (length(path) > 0),
    -- Place within the change.
    seq INTEGER NOT NULL CHECK (seq >= 0),
    rev INTEGER NOT NULL CHECK (rev >= 1),
    since TEXT NOT NULL CHECK (since GLOB '????-??-??T??:??:??.?????????Z'),
    tries INTEGER NOT NULL DEFAULT 0 CHECK (tries >= 0),
    last_error TEXT
) STRICT, WITHOUT ROWID;

-- var/journal.ndjson as it was parsed last, so that a line that is appended is all that has to be read.
CREATE TABLE journal_event (
    sbi_id TEXT NOT NULL,
    line INTEGER NOT NULL CHECK (line >= 1),
    "offset" INTEGER NOT NULL CHECK ("offset" >= 0),
    event TEXT NOT NULL CHECK (json_valid(event)),
    PRIMARY KEY (sbi_id, line)
) STRICT, WITHOUT ROWID;

CREATE TABLE journal_state (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    -- Hash of the whole journal that was parsed.
    sha256 TEXT NOT NULL CHECK (length(sha256) = 64),
    -- End of its last complete line.
    bytes INTEGER NOT NULL CHECK (bytes >= 0),
    lines INTEGER NOT NULL CHECK (lines >= 0),
    -- 1 when every line is interpreted.
    is_clean INTEGER NOT NULL CHECK (is_clean IN (0, 1))
) STRICT;

-- The chain of changes. NULL in rows that are derived from the tree.
ALTER TABLE audit_log ADD COLUMN seq INTEGER CHECK (seq >= 1);
ALTER TABLE audit_log ADD COLUMN previous TEXT CHECK (length(previous) = 64);
ALTER TABLE audit_log ADD COLUMN hash TEXT CHECK (length(hash) = 64);
ALTER TABLE audit_log ADD COLUMN request_id TEXT;
ALTER TABLE audit_log ADD COLUMN old_hash TEXT CHECK (length(old_hash) = 64);
ALTER TABLE audit_log ADD COLUMN new_hash TEXT CHECK (length(new_hash) = 64);

CREATE UNIQUE INDEX idx_audit_seq ON audit_log (seq) WHERE seq IS NOT NULL;
CREATE INDEX idx_outbox_order ON outbox (rev, seq);
CREATE INDEX idx_journal_event_line ON journal_event (line);
-- Which item is to be taken into work next: a priority of 0 says nothing and comes last.
CREATE INDEX idx_sbi_next ON sbi (status, CASE priority WHEN 0 THEN 999 ELSE priority END, created_at, id);
