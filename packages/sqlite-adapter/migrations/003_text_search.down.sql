DROP TRIGGER search_item_of_sbi;
DROP TABLE search_text;
DROP TABLE search_item;
DELETE FROM schema_version WHERE version = 3;
UPDATE schema_info SET value = '2' WHERE key = 'version';
PRAGMA user_version = 2;
