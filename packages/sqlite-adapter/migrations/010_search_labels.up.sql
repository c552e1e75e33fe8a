-- Schema version 10: the labels of an item are among its words, so that a search finds at once which items have a label and the words.
-- The words are read again in the same transaction. docs/database.md, "Search", explains it.
DELETE FROM search_item;
INSERT INTO search_text (search_text) VALUES ('delete-all');

-- Hash of sbi.label as it is among the words; NULL without one.
ALTER TABLE search_item ADD COLUMN label_basis TEXT CHECK (length(label_basis) = 64);

-- A program that knows nothing of it would leave them out.
UPDATE schema_info SET value = '10' WHERE key = 'min_writer';
