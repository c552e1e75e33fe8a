DELETE FROM schema_info WHERE key IN ('min_reader', 'min_writer');
ALTER TABLE schema_version DROP COLUMN duration_ms;
ALTER TABLE schema_version DROP COLUMN normalized;
