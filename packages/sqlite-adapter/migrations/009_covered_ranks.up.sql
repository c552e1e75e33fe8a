-- Schema version 9: SQLite takes a rank from its index only where the index has the column that the rank is computed of, too; without it
-- each item that is passed over was looked up in the table.
DROP INDEX idx_sbi_next;
DROP INDEX idx_sbi_rank;
CREATE INDEX idx_sbi_next ON sbi (status, CASE priority WHEN 0 THEN 999 ELSE priority END, created_at, id, label, priority);
CREATE INDEX idx_sbi_rank ON sbi (CASE priority WHEN 0 THEN 999 ELSE priority END, created_at, id, priority);
-- Where some indexes of a table have statistics, all need them.
ANALYZE sbi;
