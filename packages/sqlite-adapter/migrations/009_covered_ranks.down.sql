DROP INDEX idx_sbi_next;
DROP INDEX idx_sbi_rank;
CREATE INDEX idx_sbi_next ON sbi (status, CASE priority WHEN 0 THEN 999 ELSE priority END, created_at, id, label);
CREATE INDEX idx_sbi_rank ON sbi (CASE priority WHEN 0 THEN 999 ELSE priority END, created_at, id);
ANALYZE sbi;
