import { REBUILD, REPAIR, type ConsistencyRule } from './rule.js';

const RESTORE =
  'the bytes are lost here: "deespec verify --check-all" compares with the files; where those are whole, "deespec mode set file", move deespec.db away, "deespec migrate"; else restore a copy of the database';

/** What must hold of the file and of the record: paths and their bytes. */
export const recordRules: readonly ConsistencyRule[] = [
  {
    rule: 'file-integrity',
    severity: 'error',
    title: 'SQLite finds its file damaged',
    why: 'pages, indexes or constraints contradict each other, so any answer of the database can be wrong',
    sql: `SELECT 'database' AS entity, CAST(integrity_check AS BLOB) AS found
FROM pragma_integrity_check WHERE integrity_check <> 'ok';`,
    fix: RESTORE,
    repair: 'prevents',
  },
  {
    rule: 'foreign-key',
    severity: 'error',
    title: 'a row refers to a row that is not there',
    why: 'somebody changed the database without foreign keys; what it refers to is lost or was never there',
    sql: `SELECT "table" || coalesce(' row ' || rowid, '') AS entity, 'refers to no row of ' || parent AS found
FROM pragma_foreign_key_check ORDER BY 1;`,
    fix: 'deespec check: another rule names the same row, and what mends it',
    repair: 'none',
  },
  {
    rule: 'entry-order',
    severity: 'error',
    title: 'an entry lies in no directory, or its row is not valid',
    why: 'such entries are no tree: it can be neither derived nor exported',
    code: 'reads every row of tree_entry in the order of a tree; the first that is wrong ends it',
    fix: REBUILD,
    repair: 'prevents',
  },
  {
    rule: 'entry-without-content',
    severity: 'error',
    title: 'an entry has no bytes',
    why: 'the file cannot be exported, and rows that are derived from it cannot be derived again',
    sql: `SELECT t.path AS entity,
  coalesce('content ' || t.content_id, 'execution ' || t.execution_id, 'its content') || ' has no bytes' AS found
FROM tree_entry t
LEFT JOIN content c ON c.id = t.content_id
LEFT JOIN execution e ON e.id = t.execution_id
WHERE t.kind <> 'd' AND CASE WHEN t.content_id IS NULL THEN e.content IS NULL ELSE c.id IS NULL END
ORDER BY t.path;`,
    fix: RESTORE,
    repair: 'prevents',
  },
  {
    rule: 'content-without-entry',
    severity: 'warning',
    title: 'bytes that no entry has',
    why: 'no export would bring them back; they may be what is left of an entry that was lost',
    sql: `SELECT 'content ' || c.id AS entity, c.size || ' bytes that no entry has' AS found
FROM content c WHERE NOT EXISTS (SELECT 1 FROM tree_entry t WHERE t.content_id = c.id) ORDER BY c.id;`,
    fix: `look at them before they are dropped (SELECT bytes FROM content WHERE id = ...); ${REBUILD}`,
    repair: 'none',
  },
  {
    rule: 'execution-content-without-entry',
    severity: 'error',
    title: 'an execution has bytes that no entry has',
    why: 'no export would bring them back, and rebuilding the row would drop them',
    sql: `SELECT e.sbi_id || ' run ' || e.run || ' turn ' || e.turn || ' ' || e.step AS entity,
  'content that no entry has there' AS found
FROM execution e
WHERE e.content IS NOT NULL AND NOT EXISTS (SELECT 1 FROM tree_entry t WHERE t.execution_id = e.id)
ORDER BY e.sbi_id, e.run, e.turn, e.step;`,
    fix: `look at them before they are dropped (SELECT content FROM execution WHERE ...); ${REBUILD}`,
    repair: 'prevents',
  },
  {
    rule: 'content-shared',
    severity: 'error',
    title: 'two entries have their bytes in one place',
    why: 'a change of one would change or drop the bytes of the other',
    sql: `SELECT 'content ' || content_id AS entity, count(*) || ' entries have their bytes there' AS found
FROM tree_entry WHERE content_id IS NOT NULL GROUP BY content_id HAVING count(*) > 1
UNION ALL
SELECT 'execution ' || execution_id, count(*) || ' entries have their bytes there'
FROM tree_entry WHERE execution_id IS NOT NULL GROUP BY execution_id HAVING count(*) > 1;`,
    fix: REBUILD,
    repair: 'prevents',
  },
  {
    rule: 'content-record',
    severity: 'error',
    title: 'an entry and its content have other hashes or sizes',
    why: 'one of the two records is wrong, so the bytes cannot be proven by them',
    sql: `SELECT t.path AS entity,
  'the entry says ' || t.sha256 || ', ' || t.size || ' bytes; its content ' || c.sha256 || ', ' || c.size AS found
FROM tree_entry t JOIN content c ON c.id = t.content_id
WHERE c.sha256 <> t.sha256 OR c.size <> t.size ORDER BY t.path;`,
    fix: RESTORE,
    repair: 'prevents',
  },
  {
    rule: 'chunk-gap',
    severity: 'error',
    title: 'a large content lacks chunks or has some too many',
    why: 'a content above 1 MiB is its chunks in order; with a gap it is another content',
    sql: `SELECT 'content ' || c.id AS entity,
  count(k.seq) || ' chunks, the last is ' || coalesce(max(k.seq), 'none') || ', with '
    || coalesce(sum(length(k.bytes)), 0) || ' of ' || c.size || ' bytes' AS found
FROM content c LEFT JOIN content_chunk k ON k.content_id = c.id
WHERE c.bytes IS NULL GROUP BY c.id
HAVING count(k.seq) = 0 OR max(k.seq) <> count(k.seq) - 1 OR sum(length(k.bytes)) <> c.size
UNION ALL
SELECT 'content_chunk ' || k.content_id || ' ' || k.seq, 'belongs to no content with chunks'
FROM content_chunk k LEFT JOIN content c ON c.id = k.content_id WHERE c.id IS NULL OR c.bytes IS NOT NULL;`,
    fix: RESTORE,
    repair: 'prevents',
  },
  {
    rule: 'content-hash',
    severity: 'error',
    title: 'stored bytes have another hash or length than their entry says',
    why: 'SQLite keeps no checksum of a row: a bit that flips is a valid database with another value',
    code: 'reads and hashes every stored byte and compares it with tree_entry.sha256 and size',
    fix: RESTORE,
    repair: 'prevents',
  },
  {
    rule: 'entry-state',
    severity: 'error',
    title: 'an entry is in quarantine without cause, or has left it without',
    why: 'what is in quarantine has no rows; whether an entry is, the rules of files decide by its bytes',
    code: 'derives every unit of the tree again from the stored bytes and compares state and reason',
    fix: REPAIR,
    repair: 'rebuilds',
  },
  {
    rule: 'entry-revision',
    severity: 'error',
    title: 'an entry has a revision that was never given',
    why: 'what the files are owed is compared by revision: one from the future is never paid',
    sql: `SELECT t.path AS entity, 'revision ' || t.rev || '; the newest is ' || s.rev AS found
FROM tree_entry t JOIN storage_state s ON s.id = 1
WHERE t.rev > s.rev OR t.rev < 1 ORDER BY t.path;`,
    fix: REBUILD,
    repair: 'none',
  },
];
