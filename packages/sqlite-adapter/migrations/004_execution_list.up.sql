-- Schema version 4: lists of executions without touching their contents. In the table path and metadata come after the content,
-- so reading them follows its overflow pages to their end.
CREATE INDEX idx_execution_list ON execution (
    sbi_id, run, turn, step, status, decision, attempt, started_at, completed_at, lease_expires_at, path, metadata
);
-- Without statistics of its own it would lose against indexes that have some.
ANALYZE execution;
