-- Schema version 6: pages of every order of the list without sorting, and what failed without reading what did not.
CREATE INDEX idx_sbi_updated ON sbi (updated_at, created_at, id);
CREATE INDEX idx_sbi_status_updated ON sbi (status, updated_at, created_at, id);
CREATE INDEX idx_sbi_priority ON sbi (priority, created_at, id);
CREATE INDEX idx_sbi_status_priority ON sbi (status, priority, created_at, id);
-- In the order of work whatever the status is; idx_sbi_next serves one status.
CREATE INDEX idx_sbi_rank ON sbi (CASE priority WHEN 0 THEN 999 ELSE priority END, created_at, id);
-- A row whose metadata is damaged is for "deespec check", and does not stop this.
CREATE INDEX idx_execution_failed ON execution (coalesce(completed_at, started_at), sbi_id, run, turn, step)
WHERE decision IN ('FAILED', 'FORCE_TERMINATED')
    OR CASE WHEN json_valid(metadata) THEN json_extract(metadata, '$.error') <> '' END;
-- Where some indexes of a table have statistics, all need them: one without is taken for better or worse than it is.
ANALYZE sbi;
ANALYZE execution;
