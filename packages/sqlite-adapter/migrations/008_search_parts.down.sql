DROP INDEX idx_sbi_next;
DROP INDEX idx_sbi_status_updated;
DROP INDEX idx_sbi_status_priority;
CREATE INDEX idx_sbi_next ON sbi (status, CASE priority WHEN 0 THEN 999 ELSE priority END, created_at, id);
CREATE INDEX idx_sbi_status_updated ON sbi (status, updated_at, created_at, id);
CREATE INDEX idx_sbi_status_priority ON sbi (status, priority, created_at, id);
ANALYZE sbi;
UPDATE schema_info SET value = '5' WHERE key = 'min_writer';
