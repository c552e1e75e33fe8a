DROP TRIGGER search_item_of_sbi;
DROP TABLE search_text;
DROP TABLE search_item;
UPDATE schema_info SET value = '3' WHERE key = 'min_writer';
