-- Schema version 3: what the record of a script has to say, and which programs a database is for.

-- Of what the script says, whatever its comments, line ends and spaces. NULL only where the script is not known any more.
ALTER TABLE schema_version ADD COLUMN normalized TEXT CHECK (length(normalized) = 64);
-- NULL for scripts that ran before there was a place for it.
ALTER TABLE schema_version ADD COLUMN duration_ms INTEGER CHECK (duration_ms >= 0);

-- The lowest schema version that a program must know to read this database, and to write it. A later script raises them when
-- what it adds must not be passed over.
INSERT INTO schema_info (key, value) VALUES ('min_reader', '3'), ('min_writer', '3');
