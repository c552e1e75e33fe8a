ALTER TABLE search_item DROP COLUMN label_basis;
UPDATE schema_info SET value = '8' WHERE key = 'min_writer';
