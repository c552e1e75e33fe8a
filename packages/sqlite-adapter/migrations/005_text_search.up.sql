-- Full-text search: which words occur in the title, the specification and the executions of each SBI. Derived like the rest of
-- the index, and filled for existing rows in the same transaction as this script. docs/database.md, "Search", explains it.

CREATE TABLE search_item (
    -- Row of search_text.
    id INTEGER PRIMARY KEY,
    sbi_id TEXT NOT NULL UNIQUE REFERENCES sbi (id),
    -- Hash of the title and of the hashes of the files whose words are there.
    basis TEXT NOT NULL CHECK (length(basis) = 64)
) STRICT;

-- Words alone, without the texts and the places in them.
CREATE VIRTUAL TABLE search_text USING fts5 (
    text,
    content = '',
    contentless_delete = 1,
    detail = none,
    tokenize = 'unicode61 remove_diacritics 2'
);

-- Whatever removes an SBI removes its words.
CREATE TRIGGER search_item_of_sbi AFTER DELETE ON sbi BEGIN
    DELETE FROM search_text WHERE rowid = (SELECT id FROM search_item WHERE sbi_id = old.id);
    DELETE FROM search_item WHERE sbi_id = old.id;
END;

-- A program that knows nothing of the words would leave them behind what it writes.
UPDATE schema_info SET value = '5' WHERE key = 'min_writer';
