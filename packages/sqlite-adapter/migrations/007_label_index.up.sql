-- Schema version 7: the items that have a label, without looking at those that have none or another one.
CREATE INDEX idx_sbi_label ON sbi (label, status) WHERE label IS NOT NULL;
-- Where some indexes of a table have statistics, all need them.
ANALYZE sbi;
