-- Schema version 8: the words of the items of one status stand together, so that a search finds at once which status has none. Each row
-- of search_text gets another id, for which its words are read again in the same transaction. docs/database.md, "Search", explains it.
DELETE FROM search_item;
INSERT INTO search_text (search_text) VALUES ('delete-all');

-- With the label at the end, a list of one status finds the items of a label without touching the table in every order.
DROP INDEX idx_sbi_next;
DROP INDEX idx_sbi_status_updated;
DROP INDEX idx_sbi_status_priority;
CREATE INDEX idx_sbi_next ON sbi (status, CASE priority WHEN 0 THEN 999 ELSE priority END, created_at, id, label);
CREATE INDEX idx_sbi_status_updated ON sbi (status, updated_at, created_at, id, label);
CREATE INDEX idx_sbi_status_priority ON sbi (status, priority, created_at, id, label);
-- Where some indexes of a table have statistics, all need them.
ANALYZE sbi;

-- A program that knows nothing of it would put words among those of another status.
UPDATE schema_info SET value = '8' WHERE key = 'min_writer';
