import type { StorageMode } from '@deespec/domain';

/** A fault of one kind in a real database, made by plain SQL behind the back of every check. */
export interface Seed {
  readonly rule: string;
  /** What is wrong, for the name of a test. */
  readonly fault: string;
  readonly sql: string;
  /** The mode that it shows in; absent: `file`. */
  readonly mode?: Extract<StorageMode, 'file' | 'sqlite'>;
}

const readme = `path = CAST('specs/README.md' AS BLOB)`;
const readmeContent = `id = (SELECT content_id FROM tree_entry WHERE ${readme})`;
const time = `'2001-02-03T04:05:06.000000000Z'`;
const doneSbi = `(SELECT min(id) FROM sbi WHERE status = 'DONE')`;
const someSbi = `(SELECT min(sbi_id) FROM execution)`;
const nobody = 'SBI-00000000000000000000000000';
const withArtifact = `(SELECT min(execution_id) FROM tree_entry WHERE execution_id IS NOT NULL AND size > 0)`;

/** Faults in rows that are derived: a repair mends them. */
export const repairable: readonly Seed[] = [
  {
    rule: 'entry-state',
    fault: 'an entry in quarantine without cause',
    sql: `UPDATE tree_entry SET state = 'quarantined', reason = 'x' WHERE ${readme}`,
  },
  {
    rule: 'entry-state',
    fault: 'the journal in quarantine without cause',
    sql: `UPDATE tree_entry SET state = 'quarantined', reason = 'x' WHERE path = CAST('var/journal.ndjson' AS BLOB)`,
  },
  { rule: 'index-sbi', fault: 'a status', sql: `UPDATE sbi SET status = 'REVIEW' WHERE id = ${doneSbi}` },
  { rule: 'index-sbi', fault: 'a lost SBI', sql: `DELETE FROM sbi WHERE id = ${someSbi}` },
  {
    rule: 'index-sbi',
    fault: 'an SBI of no directory, with the path of a lost one',
    sql: `CREATE TEMP TABLE lost AS SELECT path FROM sbi WHERE id = ${doneSbi};
      DELETE FROM sbi WHERE id = ${doneSbi};
      INSERT INTO sbi (id, task_id, status, created_at, updated_at, path)
      SELECT '${nobody}', 'x', 'READY', ${time}, ${time}, path FROM lost`,
  },
  {
    rule: 'index-sbi',
    fault: 'paths of two SBIs swapped',
    sql: `CREATE TEMP TABLE pair AS SELECT id, path FROM sbi ORDER BY id LIMIT 2;
      UPDATE sbi SET path = CAST(id AS BLOB) WHERE id IN (SELECT id FROM pair);
      UPDATE sbi SET path = (SELECT path FROM pair WHERE pair.id <> sbi.id) WHERE id IN (SELECT id FROM pair)`,
  },
  {
    rule: 'index-execution',
    fault: 'a decision',
    sql: `UPDATE execution SET decision = 'FAILED' WHERE id = ${withArtifact}`,
  },
  {
    rule: 'index-execution',
    fault: 'the path of an artifact',
    sql: `UPDATE execution SET path = CAST('nowhere' AS BLOB) WHERE id = ${withArtifact}`,
  },
  {
    rule: 'index-execution',
    fault: 'an execution that has another name, and the only copy of an artifact',
    sql: `UPDATE execution SET turn = 99, step = 'x' WHERE id = ${withArtifact}`,
  },
  {
    rule: 'index-execution',
    fault: 'an execution of another SBI, with the only copy of an artifact',
    sql: `UPDATE execution SET sbi_id = '${nobody}' WHERE id = ${withArtifact}`,
  },
  {
    rule: 'index-execution',
    fault: 'a lost execution without artifact',
    sql: `DELETE FROM execution WHERE id = (SELECT min(id) FROM execution WHERE path IS NULL)`,
  },
  {
    rule: 'index-execution',
    fault: 'an added execution',
    sql: `INSERT INTO execution (sbi_id, turn, step, status, started_at) VALUES (${someSbi}, 90, 'x', 'x', ${time})`,
  },
  { rule: 'index-config', fault: 'a setting', sql: `UPDATE config SET value = '"other"'` },
  { rule: 'index-config', fault: 'lost settings', sql: 'DELETE FROM config' },
  {
    rule: 'index-config',
    fault: 'a setting of no file',
    sql: `INSERT INTO config VALUES ('x', '1', ${time}, CAST('nowhere' AS BLOB))`,
  },
  {
    rule: 'index-config',
    fault: 'settings that say they are of another file',
    sql: `UPDATE config SET path = CAST('specs/README.md' AS BLOB)`,
  },
  { rule: 'index-audit', fault: 'an actor', sql: `UPDATE audit_log SET user = 'mallory' WHERE seq IS NULL` },
  { rule: 'index-audit', fault: 'lost rows', sql: 'DELETE FROM audit_log WHERE seq IS NULL' },
  {
    rule: 'index-audit',
    fault: 'a row of no transaction',
    sql: `INSERT INTO audit_log (timestamp, entity_type, entity_id, action, path)
      VALUES (${time}, 'x', 'x', 'x', CAST('journal/x' AS BLOB))`,
  },
  {
    rule: 'index-journal',
    fault: 'an event of no line',
    sql: `INSERT INTO journal_event VALUES ('${nobody}', 9999, 0, '{}')`,
  },
  {
    rule: 'index-journal',
    fault: 'an event with another place',
    sql: `UPDATE journal_event SET "offset" = "offset" + 1 WHERE line = (SELECT min(line) FROM journal_event)`,
    mode: 'sqlite',
  },
  {
    rule: 'index-journal',
    fault: 'lost events',
    sql: 'DELETE FROM journal_event',
    mode: 'sqlite',
  },
  {
    rule: 'index-search',
    fault: 'words of other texts',
    sql: `UPDATE search_item SET basis = '${'0'.repeat(64)}' WHERE sbi_id = ${someSbi}`,
  },
  {
    rule: 'index-search',
    fault: 'lost words',
    sql: `INSERT INTO search_text (search_text) VALUES ('delete-all')`,
  },
  {
    rule: 'index-search',
    fault: 'an SBI without words',
    sql: `DELETE FROM search_item WHERE sbi_id = ${someSbi}`,
  },
  {
    rule: 'orphan-execution',
    fault: 'executions of a lost SBI',
    sql: `DELETE FROM sbi WHERE id = ${someSbi}`,
  },
  { rule: 'foreign-key', fault: 'executions of a lost SBI', sql: `DELETE FROM sbi WHERE id = ${someSbi}` },
  {
    rule: 'turn-repeated',
    fault: 'lines that were never there',
    sql: `UPDATE execution SET metadata = json_set(metadata, '$.earlier', json('[{}]')) WHERE id = ${withArtifact}`,
  },
  {
    rule: 'turn-gap',
    fault: 'a turn far behind the others',
    sql: `UPDATE execution SET turn = turn + 50
      WHERE id = (SELECT id FROM execution WHERE turn > 1 ORDER BY turn DESC LIMIT 1)`,
  },
  {
    rule: 'run-gap',
    fault: 'a run far behind the others',
    sql: `UPDATE execution SET run = run + 50 WHERE id = ${withArtifact}`,
  },
  {
    rule: 'done-undecided',
    fault: 'decisions of what is done',
    sql: `UPDATE execution SET decision = 'FAILED' WHERE sbi_id = ${doneSbi}`,
  },
  {
    rule: 'completed-time',
    fault: 'a lost completion time',
    sql: `UPDATE sbi SET completed_at = NULL WHERE id = ${doneSbi}`,
  },
  {
    rule: 'time-order',
    fault: 'an end before the start',
    sql: `UPDATE execution SET completed_at = '1999-01-01T00:00:00.000000000Z' WHERE id = ${withArtifact}`,
  },
];

/** Faults in what nothing else can tell: they are named, and never mended. */
export const unrepairable: readonly Seed[] = [
  {
    rule: 'file-integrity',
    fault: 'a turn that no constraint allows',
    sql: `UPDATE execution SET turn = 0 WHERE id = ${withArtifact}`,
  },
  {
    rule: 'entry-order',
    fault: 'a lost directory',
    sql: `DELETE FROM tree_entry WHERE path = CAST('specs' AS BLOB)`,
  },
  {
    rule: 'entry-without-content',
    fault: 'a lost content',
    sql: `DELETE FROM content WHERE ${readmeContent}`,
  },
  {
    rule: 'content-without-entry',
    fault: 'a content that nothing needs',
    sql: `INSERT INTO content (sha256, size, bytes) VALUES (lower(hex(zeroblob(32))), 1, x'00')`,
  },
  {
    rule: 'execution-content-without-entry',
    fault: 'a content of an execution that has none',
    sql: `UPDATE execution SET content = 'x' WHERE id = (SELECT min(id) FROM execution WHERE path IS NULL)`,
  },
  {
    rule: 'content-shared',
    fault: 'one content for two entries',
    sql: `UPDATE tree_entry SET (content_id, sha256, size) =
        (SELECT content_id, sha256, size FROM tree_entry WHERE ${readme})
      WHERE path = CAST('specs/other.md' AS BLOB)`,
  },
  {
    rule: 'content-record',
    fault: 'another hash beside the bytes',
    sql: `UPDATE content SET sha256 = lower(hex(zeroblob(32))) WHERE ${readmeContent}`,
  },
  { rule: 'chunk-gap', fault: 'a lost chunk', sql: 'DELETE FROM content_chunk WHERE seq = 1' },
  {
    rule: 'content-hash',
    fault: 'a byte of a file',
    sql: `UPDATE content SET bytes = CAST(x'00' || substr(bytes, 2) AS BLOB) WHERE ${readmeContent}`,
  },
  {
    rule: 'content-hash',
    fault: 'a byte of an artifact',
    sql: `UPDATE execution SET content = 'X' || substr(content, 2) WHERE id = ${withArtifact}`,
  },
  {
    rule: 'content-hash',
    fault: 'a byte of a large file',
    sql: 'UPDATE content_chunk SET bytes = zeroblob(length(bytes)) WHERE seq = 1',
  },
  {
    rule: 'entry-revision',
    fault: 'a revision from the future',
    sql: `UPDATE tree_entry SET rev = 9999 WHERE ${readme}`,
  },
  {
    rule: 'lease-expired',
    fault: 'a lease that ended long ago',
    sql: `UPDATE sbi SET status = 'WIP' WHERE id = ${someSbi};
      UPDATE execution SET lease_expires_at = ${time} WHERE sbi_id = ${someSbi}`,
  },
  {
    rule: 'audit-kind',
    fault: 'a row of nobody',
    sql: `INSERT INTO audit_log (timestamp, entity_type, entity_id, action) VALUES (${time}, 'x', 'x', 'x')`,
  },
  {
    rule: 'audit-chain',
    fault: 'a record that was altered',
    sql: `UPDATE audit_log SET user = 'mallory' WHERE seq = 1`,
    mode: 'sqlite',
  },
  {
    rule: 'outbox-mode',
    fault: 'a debt in mode file',
    sql: `INSERT INTO outbox (path, seq, rev, since) VALUES (CAST('specs/README.md' AS BLOB), 0, 1, ${time})`,
  },
  {
    rule: 'outbox-revision',
    fault: 'a debt from the future',
    sql: `INSERT INTO outbox (path, seq, rev, since) VALUES (CAST('specs/README.md' AS BLOB), 0, 9999, ${time})`,
    mode: 'sqlite',
  },
  {
    rule: 'change-without-debt',
    fault: 'another version in the files',
    sql: `UPDATE projection SET mode = 511 - mode WHERE ${readme}`,
    mode: 'sqlite',
  },
  {
    rule: 'removal-without-debt',
    fault: 'a path that only the files had',
    sql: `INSERT INTO projection SELECT CAST('gone.md' AS BLOB), kind, mode, sha256, size, mtime_ns, ctime_ns, ino, seen_at_ms
      FROM projection WHERE ${readme}`,
    mode: 'sqlite',
  },
  { rule: 'evidence-missing', fault: 'lost evidence', sql: 'DELETE FROM evidence' },
  {
    rule: 'evidence-changed',
    fault: 'another version of the program',
    sql: `UPDATE evidence SET version = '0'`,
  },
  {
    rule: 'evidence-counts',
    fault: 'an added directory',
    sql: `INSERT INTO tree_entry (path, kind, mode, mtime_ns, sha256, size, rev)
      VALUES (CAST('specs/zz' AS BLOB), 'd', 493, 0, '', 0, 1)`,
  },
  {
    rule: 'evidence-rows',
    fault: 'the time of a file',
    sql: `UPDATE tree_entry SET mtime_ns = mtime_ns + 1 WHERE ${readme}`,
  },
  { rule: 'store-state', fault: 'another epoch', sql: 'UPDATE storage_state SET epoch = epoch + 1' },
  {
    rule: 'store-state',
    fault: 'another store',
    sql: `UPDATE storage_state SET store_id = '01HZX3YQ4VAXE1C24TYMZ95G6S'`,
  },
];
