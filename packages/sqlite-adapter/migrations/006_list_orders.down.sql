DROP INDEX idx_execution_failed;
DROP INDEX idx_sbi_rank;
DROP INDEX idx_sbi_status_priority;
DROP INDEX idx_sbi_priority;
DROP INDEX idx_sbi_status_updated;
DROP INDEX idx_sbi_updated;
