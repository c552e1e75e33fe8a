DROP INDEX idx_sbi_label;
